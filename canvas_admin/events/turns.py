"""Taking, keeping and ending a patient's turn.

Time is the database's, so that machines whose clocks differ agree. What a holder does is
done in a transaction that begins with `check()`: whoever lost the turn meanwhile is stopped
there, and the next one waits until the transaction has ended.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

from canvas_admin.events.models import Turn

FREE = datetime(1970, 1, 1, tzinfo=UTC)


class Lost(Exception):
    """The turn is another's by now: nothing may be done in its name."""


@dataclass(frozen=True)
class Held:
    """A turn that was taken: for which patient, under which fence, for how many seconds."""

    patient: int
    fence: int
    seconds: float


def take(patient: int, seconds: float) -> Held | None:
    """Take the turn for so long, or None while somebody has it, or it is put off."""
    turns = Turn.objects.filter(patient=patient)
    free = turns.filter(until__lte=Now())
    if not free.update(fence=F("fence") + 1, until=in_seconds(seconds)):
        if turns.exists():
            return None
        new = [Turn(patient=patient, until=FREE)]
        Turn.objects.bulk_create(new, ignore_conflicts=True)
        if not free.update(fence=F("fence") + 1, until=in_seconds(seconds)):
            return None
    return Held(patient, turns.values_list("fence", flat=True).get(), seconds)


def renew(held: Held) -> None:
    """Hold it for as long again, from now. Raises Lost."""
    if not _own(held).update(until=in_seconds(held.seconds)):
        raise Lost


def check(held: Held) -> None:
    """Hold the turn until the transaction ends. Raises Lost."""
    if not _own(held).select_for_update().exists():
        raise Lost


def release(held: Held, put_off: float = 0) -> None:
    """Give it back, if it is still one's own; nobody takes it for so many seconds."""
    _own(held).update(until=in_seconds(put_off) if put_off else FREE)


def free(*patients: int) -> None:
    """End delays, so that these are acted for at once; a holder loses the turn."""
    with transaction.atomic():
        rows = Turn.objects.filter(patient__in=patients)
        # In one order, so that nobody waits for who waits for them.
        held = list(rows.select_for_update().order_by("patient"))
        if held:
            rows.update(fence=F("fence") + 1, until=FREE)


def free_in(patient: int) -> float:
    """Seconds until the turn can be taken, as it is now; 0 where it can."""
    for turn in Turn.objects.filter(patient=patient).annotate(now=Now()):
        return max((turn.until - turn.now).total_seconds(), 0)
    return 0


def _own(held: Held) -> QuerySet[Turn]:
    return Turn.objects.filter(patient=held.patient, fence=held.fence)


def in_seconds(seconds: float) -> CombinedExpression:
    """So long from now, by the database's clock."""
    return Now() + timedelta(seconds=seconds)
