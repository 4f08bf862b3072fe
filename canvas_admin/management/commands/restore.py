"""manage.py restore FILE [--replace]: a backup in the place of what is here."""

import shutil
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader

from canvas_admin.audit import heads, trail
from canvas_admin.audit.proving import Proving
from canvas_admin.management import backup_files, database_copies
from canvas_admin.records import clock
from staffing.models import Application

ACTOR = trail.Command("restore")
SHOWN = 5


class Command(BaseCommand):
    """Prove a backup, put it in place, and prove what is there then."""

    help = (
        "Puts a backup in place: the database, the stored files, the head of the audit "
        "trail. Stop the service first. Nothing is touched before the backup is proven."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--replace",
            action="store_true",
            help="also where there is a database or stored files, which are lost",
        )
        parser.add_argument(
            "--no-input",
            "--noinput",
            action="store_false",
            dest="interactive",
            help="do not ask before replacing",
        )

    def handle(
        self, *args: Any, file: Path, replace: bool, interactive: bool, **options: Any
    ) -> None:
        try:
            with tempfile.TemporaryDirectory() as folder:
                manifest = backup_files.unpack(file, Path(folder))
                self.stdout.write(f"{file} is whole; it was made {manifest['made']}.")
                check_fits(manifest)
                check_place(replace)
                if replace and interactive:
                    confirm()
                self._put_in_place(manifest, Path(folder))
        except (backup_files.BackupDamaged, database_copies.CopyFailed) as error:
            raise CommandError(str(error)) from error
        except (DatabaseError, OSError, heads.HeadUnreadable) as error:
            raise CommandError(f"The backup was not restored: {error}") from error
        self._prove(manifest)

    def _put_in_place(self, manifest: dict[str, Any], folder: Path) -> None:
        """First what may lack room, then the database, then what takes a moment."""
        stamp = clock.now().strftime("%Y%m%dT%H%M%SZ")
        media, stored = Path(settings.MEDIA_ROOT), folder / backup_files.MEDIA
        beside = media.with_name(f"{media.name}.restoring-{stamp}")
        if stored.exists():
            shutil.copytree(stored, beside)
        try:
            database_copies.put_back(folder / database_copies.FILES[connection.vendor])
        except database_copies.CopyFailed:
            shutil.rmtree(beside, ignore_errors=True)
            raise
        self._say_differences(manifest)
        try:
            self._place_files(media, beside, stamp)
            self._keep_head(folder / backup_files.HEAD, stamp)
        except OSError as error:
            raise CommandError(
                f"The database is restored; the stored files, which may be in {beside}, "
                f"or the audit head could not be put in place: {error}."
            ) from error
        Session.objects.all().delete()
        for application in Application.objects.all():
            application.revoke_tokens()
        trail.done(ACTOR, "backup.restore", made=manifest["made"])
        self.stdout.write("Everybody is signed out, and no token is good any more.")

    def _place_files(self, media: Path, beside: Path, stamp: str) -> None:
        self._set_aside(media, stamp)
        if beside.exists():
            beside.rename(media)
            self.stdout.write(f"The stored files are in {media}.")

    def _say_differences(self, manifest: dict[str, Any]) -> None:
        """Raises CommandError unless each table has the rows that it had."""
        here, then = database_copies.facts()["rows"], manifest["rows"]
        if wrong := [t for t in here | then if here.get(t) != then.get(t)]:
            told = [f"{t}: {here.get(t)}, not {then.get(t)}" for t in wrong[:SHOWN]]
            raise CommandError(
                f"{len(wrong)} tables do not hold what the backup holds: "
                f"{'; '.join(told)}."
            )
        self.stdout.write(
            f"The database is restored: {sum(here.values())} rows of {len(here)} tables, "
            "as many as in the backup."
        )

    def _keep_head(self, restored: Path, stamp: str) -> None:
        """The head that was kept here is of another chain now; it is set aside."""
        if not settings.AUDIT_HEAD_FILE:
            return
        kept = Path(settings.AUDIT_HEAD_FILE)
        self._set_aside(kept, stamp)
        if restored.exists():
            heads.write(kept, heads.read(restored))
            self.stdout.write(f"The head of the audit trail is in {kept}.")

    def _set_aside(self, path: Path, stamp: str) -> None:
        if path.exists():
            aside = path.with_name(f"{path.name}.before-restore-{stamp}")
            path.rename(aside)
            self.stdout.write(f"What was in {path} is in {aside}.")

    def _prove(self, manifest: dict[str, Any]) -> None:
        """Raises CommandError when the restored trail is not what was sealed."""
        head = heads.Head(*manifest["head"]) if manifest.get("head") else None
        proving = Proving(head)
        found = [f"WRONG {finding}." for finding in proving.findings()]
        for line in found:
            self.stderr.write(line)
        if found:
            raise CommandError(
                f"All is restored. Findings in the audit trail: {len(found)}. It was "
                "altered before the backup, or AUDIT_KEY is another one."
            )
        self.stdout.write(
            f"The audit trail is what was sealed; rows: {proving.rows}, seals: "
            f"{proving.seals}."
        )


def check_fits(manifest: dict[str, Any]) -> None:
    """Raises CommandError for a backup of another database program or another version."""
    if manifest["vendor"] != connection.vendor:
        raise CommandError(
            f"The backup is of {manifest['vendor']}, and DATABASE_URL names "
            f"{connection.vendor}."
        )
    known = MigrationLoader(None).disk_migrations
    here, then = {".".join(key) for key in known}, set(manifest["migrations"])
    if here != then:
        raise CommandError(
            f"The backup was made by another version ({manifest['version']}; "
            f"{', '.join(sorted(here ^ then)[:SHOWN])}). Restore it with that version, "
            "then upgrade."
        )


def check_place(replace: bool) -> None:
    """Raises CommandError where something would be lost, unless it may be."""
    media = Path(settings.MEDIA_ROOT)
    files = media.exists() and any(media.iterdir())
    if not replace and (files or not database_copies.is_empty()):
        where = media if files else connection.settings_dict["NAME"]
        raise CommandError(
            f"{where} is not empty. Nothing is changed. With --replace the backup takes "
            "its place."
        )


def confirm() -> None:
    """Raises CommandError unless the database's name is typed."""
    name = Path(str(connection.settings_dict["NAME"])).name
    try:
        typed = input(
            f"Everything in the database {name} is replaced, and lost. Type its name: "
        )
    except EOFError:
        typed = ""
    if typed != name:
        raise CommandError("That is another name. Nothing is changed.")
