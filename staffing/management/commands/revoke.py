"""manage.py revoke STAFF GROUP"""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from canvas_admin.audit import trail
from staffing.management.finding import find_group, find_staff
from staffing.models import GroupChange


class Command(BaseCommand):
    help = "Takes an auth group away from a staff member, on the record."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("staff", help="user name, or the key of a staff member")
        parser.add_argument("group", help="exact name, for example “Clinical read”")

    def handle(self, *args: Any, **options: Any) -> None:
        staff, group = find_staff(options["staff"]), find_group(options["group"])
        by = trail.Command("revoke")
        try:
            taken = staff.revoke(group, by, GroupChange.Via.COMMAND)
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from refusal
        state = "has no longer" if taken else "did not have"
        self.stdout.write(f"{staff.name} {state} “{group.name}”.")
