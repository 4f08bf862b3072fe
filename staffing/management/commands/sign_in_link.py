"""manage.py sign_in_link USERNAME"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from canvas_admin.audit import trail
from staffing.management.finding import find_user
from staffing.management.linking import add_site_option, audited_link


class Command(BaseCommand):
    help = "Prints a one-time link with which a person chooses a new password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        add_site_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = find_user(options["username"])
        if user.is_superuser:
            raise CommandError(
                f"“{user}” is a superuser: use manage.py changepassword {user}."
            )
        if not user.live:
            raise CommandError(f"“{user}” is not active, so no link would work.")
        if not user.may_sign_in:
            raise CommandError(f"“{user}” acts for a program, which never signs in.")
        by = trail.Command("sign_in_link")
        self.stdout.write(audited_link(user, by, options["site"]))
