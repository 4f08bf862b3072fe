"""manage.py grant STAFF GROUP"""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from canvas_admin.audit import trail
from staffing.management.finding import find_group, find_staff
from staffing.models import GroupChange, Staff


class Command(BaseCommand):
    """Gives; revoke.Command takes by the same words."""

    help = "Gives an auth group to a staff member, on the record."
    name = "grant"
    changed, unchanged = "has now", "had already"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("staff", help="user name, or the key of a staff member")
        parser.add_argument("group", help="exact name, for example “Clinical read”")

    def handle(self, *args: Any, **options: Any) -> None:
        staff, group = find_staff(options["staff"]), find_group(options["group"])
        try:
            changed = self.change(staff, group, trail.Command(self.name))
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from refusal
        state = self.changed if changed else self.unchanged
        self.stdout.write(f"{staff.name} {state} “{group.name}”.")

    def change(self, staff: Staff, group: Group, by: trail.Command) -> bool:
        """Make the change; False when there is nothing to change."""
        return staff.grant(group, by, GroupChange.Via.COMMAND)
