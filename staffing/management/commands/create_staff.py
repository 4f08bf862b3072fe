"""manage.py create_staff USERNAME FIRST LAST [--role CODE]… [--groups NAME]…"""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from canvas_admin.audit import trail
from staffing.groups import STAFF_PERMISSIONS, managed_group
from staffing.management.finding import find_group, find_role
from staffing.management.linking import add_site_option, audited_link
from staffing.models import GroupChange, Role, Staff, User
from staffing.staff_keeping import save_staff

BY = trail.Command("create_staff")


class Command(BaseCommand):
    help = (
        "Makes a staff member with an account and roles, and prints a one-time link. "
        "With --first, the first administrator of a new clinic."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="what the person types to sign in")
        parser.add_argument("first_name")
        parser.add_argument("last_name")
        parser.add_argument(
            "--role", action="append", default=[], metavar="CODE", dest="roles"
        )
        parser.add_argument(
            "--groups", nargs="+", action="extend", default=[], metavar="NAME"
        )
        parser.add_argument("--email", default="")
        parser.add_argument(
            "--no-account",
            action="store_true",
            help="somebody who never signs in; the user name is not used",
        )
        parser.add_argument(
            "--first",
            action="store_true",
            help="gives “Staff Permissions”; only while nobody who can sign in has it",
        )
        add_site_option(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["no_account"] and (options["groups"] or options["first"]):
            raise CommandError("Without an account there is nothing to give groups to.")
        try:
            with transaction.atomic():
                self._create(**options)
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from refusal

    def _create(self, **options: Any) -> None:
        groups = [find_group(name) for name in options["groups"]]
        if options["first"]:
            groups.append(_administration_of_a_new_clinic())
        roles = _roles(options["roles"], options["first"])
        staff = Staff(first_name=options["first_name"], last_name=options["last_name"])
        staff.full_clean()
        account = {}
        if not options["no_account"]:
            account = _account(options["username"], options["email"])
        save_staff(staff, roles, BY, **account)
        for group in groups:
            staff.grant(group, BY, GroupChange.Via.COMMAND)
        self._report(staff, options["site"])

    def _report(self, staff: Staff, site: str) -> None:
        self.stdout.write(f"{staff.name} works here now; key {staff.key}.")
        if staff.user is None:
            return
        names = staff.user.groups.order_by("pk").values_list("name", flat=True)
        self.stdout.write(f"Groups: {', '.join(names) or 'none'}.")
        self.stdout.write(audited_link(staff.user, BY, site))


def _account(username: str, email: str) -> dict[str, str]:
    """What the new account is made with. Raises ValidationError for what it cannot be."""
    user = User(username=User.normalize_username(username).lower(), email=email)
    user.clean_fields(exclude=["password"])
    user.validate_unique()
    return {"username": username, "email": email}


def _administration_of_a_new_clinic() -> Group:
    """Staff Permissions, as long as nobody can use it yet."""
    group = managed_group(STAFF_PERMISSIONS)
    holders = User.objects.able_to_sign_in().filter(groups=group)
    if holders.exists():
        names = ", ".join(user.username for user in holders)
        raise CommandError(
            f"--first is for a new clinic, and these administer it already: {names}. "
            "Ask them, or use manage.py grant."
        )
    return group


def _roles(codes: list[str], first: bool) -> list[Role]:
    """The roles of these codes; the first administrator may go without naming one."""
    if codes:
        return [find_role(code) for code in dict.fromkeys(codes)]
    if not first:
        raise CommandError("Everybody has at least one role: add --role CODE.")
    role, _made = Role.objects.get_or_create(
        internal_code="ADM",
        defaults={"name": "Administrator", "domain": Role.Domain.ADMINISTRATIVE},
    )
    return [role]
