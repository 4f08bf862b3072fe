"""Sealing the trail: HMACs over batches of rows, each chained to the one before.

What seals prove: whoever can write to the database but lacks the key cannot alter, take
away, exchange or add a sealed row, or a seal, without verify_audit finding it. That the
newest seals are still there is proven by a head that was kept elsewhere (DESIGN section 9).
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import chain, takewhile
from operator import or_
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max, Min, Q

from canvas_admin.audit import stored
from canvas_admin.audit.models import AuditRow, Seal
from canvas_admin.audit.stored import Stored
from canvas_admin.records import clock

# Rows younger than this wait: rows that are not committed yet may stand before them.
AGE = timedelta(seconds=60)
# No transaction that writes to the trail is open longer than this. A row that appears
# among rows sealed before was put there by hand: it is never sealed, and so found.
LATE = timedelta(days=1)
# What the HMAC covers: every column but itself and what is written later.
COVERED = (
    "number",
    "month",
    "first_row",
    "last_row",
    "rows",
    "ranges",
    "digest",
    "marks",
    "sealed",
    "previous",
)
MARK = 8
GAPS = 100


class SealingRefused(Exception):
    """The chain is not what the key, or the head that was kept, says; nothing is sealed."""


def proof(*about: Any) -> str:
    """The HMAC-SHA-256 of plain values under this installation's AUDIT_KEY."""
    key = settings.AUDIT_KEY.encode()
    return hmac.new(key, stored.canonical(about), "sha256").hexdigest()


def mac_of(seal: Seal) -> str:
    """The HMAC that a seal must carry."""
    return proof("seal", [getattr(seal, name) for name in COVERED])


def archived_of(seal: Seal) -> str:
    """What a seal must carry when its rows are in an archive alone."""
    return proof("archived", seal.number, seal.mac)


def spans(seal: Seal) -> list[tuple[int, int]]:
    """The stretches of ids that a sound seal holds: first and last of each."""
    return [(first, last) for first, last in json.loads(seal.ranges)]


def marks(seal: Seal) -> dict[int, str]:
    """Each row of a sound seal by its id, and the beginning of its digest."""
    ids = chain.from_iterable(range(first, last + 1) for first, last in spans(seal))
    return {one: seal.marks[n * MARK : (n + 1) * MARK] for n, one in enumerate(ids)}


def mark_of(digest: bytes) -> str:
    """The beginning of a row's digest, by which the row is told from others."""
    return digest.hex()[:MARK]


def digest_of(digests: Iterable[bytes]) -> str:
    """The one digest of a batch, from its rows'."""
    return hashlib.sha256(b"".join(digests)).hexdigest()


def runs(ids: Iterable[int]) -> list[list[int]]:
    """Ascending ids as stretches without a gap: first and last of each."""
    found: list[list[int]] = []
    for one in ids:
        if found and found[-1][1] == one - 1:
            found[-1][1] = one
        else:
            found.append([one, one])
    return found


def last_seal() -> Seal | None:
    """The newest seal."""
    return Seal.objects.order_by("-number").first()


def highest(upto: int | None = None) -> int:
    """The highest id that is sealed, by the seals up to one number; 0 without any."""
    seals = (
        Seal.objects.all() if upto is None else Seal.objects.filter(number__lte=upto)
    )
    return seals.aggregate(highest=Max("last_row"))["highest"] or 0


def seal_ready() -> Iterator[Seal]:
    """Seal every row that is old enough, in batches; yields each seal once it is made.

    Batches are read and computed outside any transaction, and one short one writes the
    seal. Of two sealers at once one has the number and the other begins its batch anew.
    Raises SealingRefused when the newest seal was not made with this key.
    """
    yield from _seal_all(late_rows)
    upto = _old_enough()
    yield from _seal_all(lambda: stored.rows(highest() + 1, upto))


def _seal_all(ready: Callable[[], list[Stored]]) -> Iterator[Seal]:
    while True:
        before = last_seal()
        if before and before.mac != mac_of(before):
            raise SealingRefused(
                f"Seal {before.number}, the newest, was altered or not made with this "
                "AUDIT_KEY. Nothing is sealed on top of it. Run verify_audit."
            )
        batch = _of_one_month(ready())
        if not batch:
            return
        seal = _sealing(batch, before)
        try:
            with transaction.atomic():
                seal.save(force_insert=True)
        except IntegrityError:
            continue
        yield seal


def _old_enough() -> int:
    """The last id before the first row that is too young; 0 when there is nothing.

    A row from the future, by a clock that went wrong, keeps nobody waiting.
    """
    rows = AuditRow.objects.filter(id__gt=highest())
    found = rows.aggregate(newest=Max("id"), young=Min("id", filter=_young()))
    return (found["newest"] or 0) if found["young"] is None else found["young"] - 1


def _young() -> Q:
    now = clock.now()
    return Q(recorded__gt=now - AGE, recorded__lt=now + AGE)


def late_rows() -> list[Stored]:
    """Rows that have appeared since, before rows that were sealed in the last day."""
    recent = Seal.objects.filter(sealed__gte=_text(clock.now() - LATE))
    seals = list(recent.order_by("number").values_list("number", "ranges"))
    if not seals:
        return []
    gaps = _gaps(highest(seals[0][0] - 1), (json.loads(held) for _n, held in seals))
    for start in range(0, len(gaps), GAPS):
        within = reduce(or_, (Q(id__range=gap) for gap in gaps[start : start + GAPS]))
        late = AuditRow.objects.filter(within).exclude(_young()).order_by("id")
        if ids := list(late.values_list("id", flat=True)[: stored.AT_ONCE]):
            found = (stored.rows(first, last) for first, last in runs(ids))
            return list(chain.from_iterable(found))
    return []


def _gaps(reached: int, ranges: Iterable[list[list[int]]]) -> list[tuple[int, int]]:
    """The stretches of ids behind `reached` that are between these."""
    gaps = []
    for first, last in sorted(chain.from_iterable(ranges)):
        if first > reached + 1:
            gaps.append((reached + 1, first - 1))
        reached = max(reached, last)
    return gaps


def _of_one_month(rows: list[Stored]) -> list[Stored]:
    """The first rows, as long as they are of one month: a month is archived by seals."""
    return list(takewhile(lambda row: _month(row) == _month(rows[0]), rows))


def _month(row: Stored) -> str:
    return str(row[stored.COLUMNS.index("recorded")])[:7]


def _sealing(rows: list[Stored], before: Seal | None) -> Seal:
    digests = [stored.digest(row) for row in rows]
    seal = Seal(
        number=before.number + 1 if before else 1,
        month=_month(rows[0]),
        first_row=rows[0][0],
        last_row=rows[-1][0],
        rows=len(rows),
        ranges=stored.canonical(runs(row[0] for row in rows)).decode(),
        digest=digest_of(digests),
        marks="".join(map(mark_of, digests)),
        sealed=_text(clock.now()),
        previous=before.mac if before else "",
    )
    seal.mac = mac_of(seal)
    return seal


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
