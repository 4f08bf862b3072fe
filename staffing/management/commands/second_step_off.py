"""manage.py second_step_off USERNAME"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from canvas_admin.audit import trail
from staffing.management.finding import find_user
from staffing.second_step import switch_off


class Command(BaseCommand):
    """For any account, a superuser's too: no page touches those, an operator may."""

    help = (
        "Switches off the second step of an account whose phone is lost, a "
        "superuser's too. Its password alone signs in after that."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = find_user(options["username"])
        if not switch_off(user, trail.Command("second_step_off")):
            raise CommandError(f"“{user}” has no second step.")
        self.stdout.write(
            f"The second step of “{user}” is off; its sessions and sign-in links are "
            "ended. The password alone signs in until the person sets it up again."
        )
