"""A month of the trail in a file of its own: written, proven, and only then removed here."""

import gzip
import hashlib
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, Sum

from canvas_admin.audit import seals, stored, trail
from canvas_admin.audit.archive_files import Reading, end_of, values
from canvas_admin.audit.models import AuditRow, Seal
from canvas_admin.records import clock

ACTOR = trail.Command("archive_audit")
MONTH = re.compile(r"[1-9][0-9]{3}-(0[1-9]|1[0-2])")


class ArchiveRefused(Exception):
    """A month that cannot be archived or removed; the message says why."""


def archive(month: str, folder: Path) -> Path:
    """Write a month into a folder, unless its archive is there, and prove the file.

    Raises ArchiveRefused, archive_files.Damaged and OSError.
    """
    _check_whole(month)
    file = folder / f"audit-{month}.jsonl.gz"
    if file.exists():
        _prove(month, file)
    else:
        unfinished = file.with_name(f"{file.name}.{os.getpid()}")
        try:
            _write(month, unfinished)
            _prove(month, unfinished)
            unfinished.replace(file)
        finally:
            unfinished.unlink(missing_ok=True)
    trail.done(ACTOR, "audit.archive", month=month)
    return file


def remove(month: str, folder: Path) -> int:
    """Remove the rows of a month whose archive is proven once more; how many they were.

    The seals stay, and say that their rows are archived. Each seal is a short
    transaction; what was interrupted goes on where it was. Raises as archive() does.
    """
    check_age(month)
    archive(month, folder)
    trail.done(ACTOR, "audit.remove", month=month)
    removed = 0
    for pk in list(sealed_in(month).filter(archived="").values_list("pk", flat=True)):
        seal = Seal.objects.get(pk=pk)
        with transaction.atomic():
            for span in seals.spans(seal):
                removed += AuditRow.objects.filter(id__range=span).delete()[0]
            seal.archived = seals.archived_of(seal)
            seal.save(update_fields=["archived"])
    return removed


def check_age(month: str) -> None:
    """Raises ArchiveRefused while the month must be kept (AUDIT_YEARS), or is none."""
    years, (_start, end) = settings.AUDIT_YEARS, bounds(month)
    if clock.now() < end.replace(year=end.year + years):
        raise ArchiveRefused(
            f"Not every row of {month} is {years} years old; they stay."
        )


def bounds(month: str) -> tuple[datetime, datetime]:
    """When a month begins and ends, by universal time. Raises ArchiveRefused."""
    if not MONTH.fullmatch(month):
        raise ArchiveRefused(f"“{month}” is no month; write it like 2026-11.")
    start = datetime(int(month[:4]), int(month[5:]), 1, tzinfo=UTC)
    if start.month == 12:
        return start, start.replace(year=start.year + 1, month=1)
    return start, start.replace(month=start.month + 1)


def sealed_in(month: str) -> QuerySet[Seal]:
    """A month's seals in their order."""
    return Seal.objects.filter(month=month).order_by("number")


def _check_whole(month: str) -> None:
    """Raises ArchiveRefused unless the month is over and each of its rows is sealed."""
    start, end = bounds(month)
    if clock.now() < end:
        raise ArchiveRefused(f"{month} is not over yet, by universal time (UTC).")
    if not sealed_in(month).exists():
        raise ArchiveRefused(f"No row of {month} was ever sealed.")
    here = AuditRow.objects.filter(recorded__gte=start, recorded__lt=end).count()
    left = sealed_in(month).filter(archived="").aggregate(rows=Sum("rows"))["rows"] or 0
    if here != left:
        raise ArchiveRefused(
            f"{here} rows of {month} are here, and its seals hold {left}. "
            "Run seal_audit, then verify_audit."
        )


def _write(month: str, file: Path) -> None:
    if sealed_in(month).exclude(archived="").exists():
        raise ArchiveRefused(
            f"Rows of {month} were removed before: the archive of then is needed, and "
            "is not in this folder."
        )
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as raw:
        with gzip.open(raw, "wb") as out:
            for value in values(month, sealed_in(month).iterator(chunk_size=100)):
                out.write(stored.canonical(value) + b"\n")
        raw.flush()
        os.fsync(raw.fileno())


def _prove(month: str, file: Path) -> None:
    """Read the file back. Raises ArchiveRefused unless it is all of the month, unaltered."""
    reading = Reading(file)
    for finding in reading.findings():
        raise ArchiveRefused(
            f"{file.name} does not prove itself: {finding}. Nothing is removed. "
            "Run verify_audit."
        )
    macs = hashlib.sha256()
    for mac in sealed_in(month).values_list("mac", flat=True).iterator():
        macs.update(mac.encode())
    if reading.end != end_of(month, macs.hexdigest()):
        raise ArchiveRefused(
            f"{file.name} is there and holds other seals of {month} than the database. "
            "Move it away, then run this again."
        )
