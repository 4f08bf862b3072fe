"""manage.py verify_audit: is the audit trail what it was when it was sealed?"""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.db.models import Sum
from tqdm import tqdm

from canvas_admin.audit import heads
from canvas_admin.audit.archive_files import Damaged, Reading
from canvas_admin.audit.models import Seal
from canvas_admin.audit.proving import Proving


class Command(BaseCommand):
    """Prove every sealed row and the chain of seals, or an archive; say what is wrong."""

    help = (
        "Finds every edit, deletion, exchange and insertion among the sealed rows of the "
        "audit trail, and seals that were cut off behind the head. A line for each, then "
        "it ends with 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--head",
            type=Path,
            metavar="FILE",
            help="a head that was kept; without it the one in AUDIT_HEAD_FILE",
        )
        what.add_argument(
            "--archive",
            type=Path,
            metavar="FILE",
            help="prove this archive of a month, without looking at the database",
        )

    def handle(
        self, *args: Any, head: Path | None, archive: Path | None, **options: Any
    ) -> None:
        try:
            if archive:
                self._prove_archive(Reading(archive))
            else:
                self._prove_trail(kept_head(head))
        except (Damaged, heads.HeadUnreadable) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The trail cannot be read: {error}") from error

    def _prove_trail(self, head: heads.Head | None) -> None:
        total = Seal.objects.aggregate(rows=Sum("rows"))["rows"]
        with tqdm(total=total, unit=" rows", disable=not sys.stderr.isatty()) as bar:
            proving = Proving(head, bar.update)
            wrong = self._tell(proving.findings())
        for remark in proving.remarks:
            self.stdout.write(f"For notice: {remark}.")
        archived = f", archived: {proving.archived}" if proving.archived else ""
        self.stdout.write(
            f"Sealed rows read: {proving.rows}; seals: {proving.seals}{archived}; "
            f"rows not sealed yet: {proving.unsealed}. "
            + (f"Head: {head}." if head else NO_HEAD)
        )
        self._conclude(wrong, "The audit trail is what was sealed.")

    def _prove_archive(self, reading: Reading) -> None:
        wrong = self._tell(reading.findings())
        self.stdout.write(
            f"{reading.file}: {reading.month}, seals: {reading.seals}, "
            f"rows: {reading.rows}."
        )
        self._conclude(wrong, "The archive is what was sealed.")

    def _tell(self, findings: Iterable[str]) -> int:
        number = 0
        for finding in findings:
            self.stderr.write(f"WRONG {finding}.")
            number += 1
        return number

    def _conclude(self, wrong: int, right: str) -> None:
        if wrong:
            raise CommandError(f"Findings: {wrong}. Each has a line above.")
        self.stdout.write(right)


NO_HEAD = "There is no head: that the newest seals are still there is not proven."


def kept_head(file: Path | None) -> heads.Head | None:
    """The head in this file, or else in AUDIT_HEAD_FILE; None where none was kept yet.

    Raises HeadUnreadable.
    """
    usual = Path(settings.AUDIT_HEAD_FILE) if settings.AUDIT_HEAD_FILE else None
    if file is None and (usual is None or not usual.exists()):
        return None
    return heads.read(file or usual)
