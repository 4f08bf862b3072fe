"""manage.py protocol: upload protocols, and choose which of them run, at the shell."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from canvas_admin.audit import trail
from canvas_admin.protocols import uploading
from canvas_admin.protocols.models import Protocol

BY = trail.Command("protocol")


class Command(BaseCommand):
    """What the workflow kit's `canvas-cli` does, for who is at the server."""

    help = (
        "Uploads a protocol, switches it on or off, and chooses its version. A new one "
        "acts as an application of its own, which sees nothing until somebody with "
        "“Staff Permissions” gives its service staff auth groups."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        upload = acts.add_parser("upload", help="check a file and use it from now on")
        upload.add_argument("file", type=Path)
        upload.add_argument(
            "--force", action="store_true", help="replace a version of this number"
        )
        upload.add_argument(
            "--no-compute", action="store_true", help="do not run over everybody"
        )
        upload.add_argument(
            "--auto-increment", action="store_true", help="count what has no version"
        )
        for act, what in (
            ("set-active", "let it run when a patient's record changes"),
            ("set-inactive", "let it not run any more"),
            ("list-versions", "show its versions"),
            ("recompute", "run it over everybody within its reach"),
        ):
            acts.add_parser(act, help=what).add_argument("name")
        use = acts.add_parser("set-version", help="choose the version that runs")
        use.add_argument("name")
        use.add_argument("number")

    def handle(self, *args: Any, act: str, **options: Any) -> None:
        do = getattr(self, act.replace("-", "_"))
        named = {name: options[name] for name in ("number",) if name in options}
        if act == "upload":
            self.upload(options)
        else:
            do(_named(options["name"]), **named)

    def upload(self, options: dict[str, Any]) -> None:
        """Take in a file."""
        try:
            version = uploading.upload(
                options["file"].read_bytes(),
                BY,
                force=options["force"],
                auto_increment=options["auto_increment"],
                compute=not options["no_compute"],
            )
        except OSError as error:
            words = {"file": options["file"], "why": error.strerror}
            raise CommandError(_("%(file)s cannot be read: %(why)s") % words) from error
        except uploading.Refused as error:
            raise CommandError(str(error)) from error
        protocol = version.protocol
        words = {"name": protocol, "number": version}
        self.stdout.write(_("%(name)s, version %(number)s, is uploaded.") % words)
        staff = protocol.application.staff
        if not staff.user.groups.exists():
            told = _("“%(staff)s” holds no auth group: the protocol sees no patient.")
            self.stdout.write(told % {"staff": staff})

    def set_active(self, protocol: Protocol) -> None:
        """Switch on."""
        uploading.switch(protocol, True, BY)
        self.stdout.write(_("%(name)s is active.") % {"name": protocol})

    def set_inactive(self, protocol: Protocol) -> None:
        """Switch off."""
        uploading.switch(protocol, False, BY)
        self.stdout.write(_("%(name)s is not active any more.") % {"name": protocol})

    def set_version(self, protocol: Protocol, number: str) -> None:
        """Choose a version."""
        kept = protocol.versions.filter(replaced__isnull=True)
        version = kept.filter(number=number).first()
        if version is None:
            raise CommandError(_("It has no such version."))
        uploading.put_to_use(version, BY)
        words = {"name": protocol, "number": version}
        self.stdout.write(_("%(name)s uses version %(number)s.") % words)

    def list_versions(self, protocol: Protocol) -> None:
        """Show what there is, the newest first, the one in use marked."""
        for row in protocol.versions.filter(replaced__isnull=True):
            mark = "*" if row.pk == protocol.current_id else " "
            self.stdout.write(f"{mark} {row}  {row.changelog}".rstrip())

    def recompute(self, protocol: Protocol) -> None:
        """Run over everybody."""
        if protocol.current is None or not protocol.active:
            raise CommandError(_("It is not active."))
        if uploading.recompute(protocol, BY) is None:
            raise CommandError(_("It is for notifications alone."))
        self.stdout.write(_("Workers compute it now; see manage.py run_protocols."))


def _named(name: str) -> Protocol:
    found = Protocol.objects.filter(name=name).select_related("current").first()
    if found is None:
        raise CommandError(_("There is no protocol of this name."))
    return found
