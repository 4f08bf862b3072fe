"""manage.py grant STAFF GROUP"""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from canvas_admin.audit import trail
from staffing.management.finding import find_group, find_staff
from staffing.models import GroupChange


class Command(BaseCommand):
    help = "Gives an auth group to a staff member, on the record."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("staff", help="user name, or the key of a staff member")
        parser.add_argument("group", help="exact name, for example “Clinical read”")

    def handle(self, *args: Any, **options: Any) -> None:
        staff, group = find_staff(options["staff"]), find_group(options["group"])
        by = trail.Command("grant")
        try:
            given = staff.grant(group, by, GroupChange.Via.COMMAND)
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from refusal
        state = "has now" if given else "had already"
        self.stdout.write(f"{staff.name} {state} “{group.name}”.")
