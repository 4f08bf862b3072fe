"""manage.py backup FILE: everything that must be kept, but the keys, in one file."""

import platform
import tempfile
import tomllib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from canvas_admin.audit import heads, trail
from canvas_admin.management import backup_files, database_copies
from canvas_admin.records import clock

ACTOR = trail.Command("backup")


class Command(BaseCommand):
    """Copy the database, the stored files and the audit head while the site is in use."""

    help = (
        "Writes the database, the stored files and the head of the audit trail into one "
        "file, with a manifest. The site may be in use. The keys are not in it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="must not be there yet")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        if file.exists():
            raise CommandError(f"{file} is there already; name a new file.")
        try:
            trail.done(ACTOR, "backup.make")
            with tempfile.TemporaryDirectory(dir=file.parent) as folder:
                facts = made_in(Path(folder))
                backup_files.pack(file, Path(folder), Path(settings.MEDIA_ROOT), facts)
        except (database_copies.CopyFailed, DatabaseError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error}.") from error
        rows = sum(facts["rows"].values())
        self.stdout.write(
            f"{file}: {rows} rows of {len(facts['rows'])} tables, "
            f"{file.stat().st_size} bytes. It holds every patient's record: keep it "
            "encrypted, and AUDIT_KEY and SECRET_KEY elsewhere."
        )


def made_in(folder: Path) -> dict[str, Any]:
    """Copy the database and its audit head into a folder; the facts for the manifest."""
    facts = database_copies.take(folder)
    if facts["head"]:
        heads.write(folder / backup_files.HEAD, heads.Head(*facts["head"]))
    return {
        "made": clock.now().isoformat(),
        "version": version(),
        "vendor": connection.vendor,
        "database": ".".join(map(str, connection.get_database_version())),
        "django": django.get_version(),
        "python": platform.python_version(),
        **facts,
    }


def version() -> str:
    """This program's version."""
    text = (settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]["version"]
