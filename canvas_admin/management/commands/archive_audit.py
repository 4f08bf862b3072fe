"""manage.py archive_audit MONTH --to FOLDER [--remove]"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from canvas_admin.audit import archives
from canvas_admin.audit.archive_files import Damaged


class Command(BaseCommand):
    """Write a month of the audit trail into a file that proves itself with the key."""

    help = (
        "Writes a month of the audit trail with its seals into a file, and proves it. "
        "With --remove the rows are removed from the database, when they are older than "
        "AUDIT_YEARS; their seals stay."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", help="like 2026-11, by universal time (UTC)")
        parser.add_argument("--to", required=True, type=Path, metavar="FOLDER")
        parser.add_argument(
            "--remove", action="store_true", help="remove the rows from the database"
        )

    def handle(
        self, *args: Any, month: str, to: Path, remove: bool, **options: Any
    ) -> None:
        try:
            if remove:
                removed = archives.remove(month, to)
                self.stdout.write(
                    f"{removed} rows are in the archive and removed here."
                )
            else:
                file = archives.archive(month, to)
                self.stdout.write(f"{file} is written and proven; nothing is removed.")
        except (archives.ArchiveRefused, Damaged) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{to}: {error.strerror or error}.") from error
