"""One-time links, handed out at the operator's shell."""

from argparse import ArgumentParser

from django.core.management.base import CommandError

from canvas_admin.audit import trail
from staffing.accounts import one_time_path
from staffing.models import User


def add_site_option(parser: ArgumentParser) -> None:
    """The option --site, which makes the printed path an address."""
    parser.add_argument(
        "--site",
        default="",
        metavar="ADDRESS",
        help="where people reach the site, for example https://clinic.example",
    )


def audited_link(user: User, command: trail.Command, site: str) -> str:
    """A new one-time link to this account, on the trail, as text to be printed.

    Raises CommandError for a site that is no address: nobody could open the link.
    """
    if site and not site.startswith(("http://", "https://")):
        raise CommandError(
            f"--site needs the whole address: “{site}” does not start with https://"
        )
    trail.done(command, "account.link", subject=f"user/{user.key}")
    link = site.rstrip("/") + one_time_path(user)
    return f"To choose a password, once and within 24 hours: {link}"
