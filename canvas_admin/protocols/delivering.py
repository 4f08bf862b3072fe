"""Acting on events: each one's protocols run in order, and what they do is done once.

Workers that look for what waits, and those to whom it is brought, call deliver().
Whoever acts for a patient holds the patient's turn (events.turns). A run's effects, its row
and its result are committed together, under the fence of the turn; an event is over once
each protocol that it concerns has its row (security P44-P46).
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import takewhile

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from canvas_admin.events import carrying, turns
from canvas_admin.events.models import ChangeEvent, Turn
from canvas_admin.events.tracking import caused_by
from canvas_admin.protocols import runner
from canvas_admin.protocols.keeping import LONGEST_ERROR, Run, spec
from canvas_admin.protocols.models import Protocol
from canvas_admin.protocols.models.runs import Kind
from canvas_admin.protocols.patient_data.changes import field_changes
from canvas_admin.protocols.sandbox import Sandbox
from patients.models import Patient

# Seconds: how long a turn is held without a word, and how long one patient's are gone on with.
LEASE, BATCH = 30.0, 5.0
# An event that fails for no fault of a protocol is tried again for so long, then parked.
TRIED_FOR = timedelta(minutes=10)
PAUSES = (1, 5, 15, 30, 60)
DEEPEST = 5
LOOKED_AT = 100


def waiting() -> QuerySet[ChangeEvent]:
    """Events that wait, of patients whose turn is free, the oldest first."""
    busy = Turn.objects.filter(patient=OuterRef("patient"), until__gt=Now())
    rows = ChangeEvent.objects.filter(~Exists(busy), state=ChangeEvent.State.WAITING)
    return rows.order_by("id")


def deliver_some(sandbox: Sandbox, lease: float = LEASE) -> int:
    """Act on what waits for one patient; how many events that were."""
    if not Protocol.objects.running().exists():
        return let_go()
    found = [*waiting().values_list("patient", "pk")[:LOOKED_AT]]
    first = dict(reversed(found))
    for event in sorted(first.values()):
        if done := deliver(sandbox, event, lease):
            return done
    return 0


def deliver(sandbox: Sandbox, event: int, lease: float = LEASE) -> int:
    """Act on what waits for the patient of this event; how many events that were.

    Nothing is done while it is another's turn. `lease` is for how many seconds a run may be
    silent before another takes over.
    """
    waits = ChangeEvent.objects.filter(pk=event, state=ChangeEvent.State.WAITING)
    turn = next((turns.take(found.patient, lease) for found in waits), None)
    if turn is None:
        return 0
    return _for_patient(sandbox, turn, list(Protocol.objects.running()))


def let_go() -> int:
    """Nothing runs: what waits is done."""
    waiting = ChangeEvent.objects.filter(state=ChangeEvent.State.WAITING)
    some = list(waiting.order_by("id").values_list("pk", flat=True)[:1_000])
    done = ChangeEvent.objects.filter(pk__in=some)
    return done.update(state=ChangeEvent.State.DONE)


def _for_patient(
    sandbox: Sandbox, turn: turns.Held, protocols: Sequence[Protocol]
) -> int:
    """The patient's events in their order, for some seconds; the turn is given back."""
    done, end, pause = 0, time.monotonic() + BATCH, 0.0
    try:
        while time.monotonic() < end:
            waiting = _waiting(turn.patient)
            done += (passed := _pass(turn, waiting, protocols))
            if passed == len(waiting):
                if not waiting:
                    break
                continue
            if pause := _deliver(sandbox, turn, waiting[passed], protocols):
                break
            done += 1
    except turns.Lost:
        return done
    turns.release(turn, put_off=pause)
    return done


def _waiting(patient: int) -> list[ChangeEvent]:
    """What waits for a patient, in its order, as far as it is looked at once."""
    waiting = ChangeEvent.objects.filter(
        patient=patient, state=ChangeEvent.State.WAITING
    )
    return list(waiting.order_by("id")[:LOOKED_AT])


def _pass(
    turn: turns.Held, events: Sequence[ChangeEvent], protocols: Sequence[Protocol]
) -> int:
    """Be done with the first of these that concern no protocol; how many those are."""
    free = list(takewhile(lambda event: not _wanted(event, protocols), events))
    if free:
        with transaction.atomic():
            turns.check(turn)
            over = ChangeEvent.objects.filter(pk__in=[event.pk for event in free])
            over.update(state=ChangeEvent.State.DONE)
    return len(free)


def _wanted(event: ChangeEvent, protocols: Sequence[Protocol]) -> list[Protocol]:
    return [p for p in protocols if p.wants(event.change_type, event.chain)]


def _deliver(
    sandbox: Sandbox,
    turn: turns.Held,
    event: ChangeEvent,
    protocols: Sequence[Protocol],
) -> float:
    """Run what an event concerns; seconds until it is tried again, 0 where it is over."""
    patient, wanted = Patient.objects.get(pk=event.patient), _wanted(event, protocols)
    if len(event.chain) >= DEEPEST:
        why = _("Protocols set each other off more than %(most)d deep.")
        _end(turn, event, ChangeEvent.State.PARKED, why % {"most": DEEPEST})
        return 0
    event.first_attempt = event.first_attempt or timezone.now()
    event.attempts += 1
    event.save(update_fields=["first_attempt", "attempts"])
    try:
        failed = [p.name for p in wanted if not _ran(sandbox, turn, event, p, patient)]
    except runner.TROUBLE as error:
        return _again(turn, event, error)
    why = _("Failed: %(names)s") % {"names": ", ".join(failed)} if failed else ""
    states = ChangeEvent.State
    _end(turn, event, states.PARKED if failed else states.DONE, why)
    return 0


def _ran(
    sandbox: Sandbox,
    turn: turns.Held,
    event: ChangeEvent,
    protocol: Protocol,
    patient: Patient,
) -> bool:
    """Run one protocol for an event, unless it has run; whether it did not fail.

    It is read anew: with the version and the rights that it has now.
    """
    if event.runs.filter(protocol=protocol).exclude(kind=Kind.FAILED).exists():
        return True
    turns.renew(turn)
    protocol = Protocol.objects.running().filter(pk=protocol.pk).first()
    if protocol is None:
        return True
    run = Run(protocol, patient, turn, {"event": event})
    with caused_by([*event.chain, protocol.key]):
        outcome = runner.run(
            sandbox,
            spec(protocol),
            patient,
            [event.change_type],
            field_changes(protocol.application.staff.user, event),
            keeping=run,
        )
    return outcome.kind != Kind.FAILED


def _end(turn: turns.Held, event: ChangeEvent, state: str, why: str = "") -> None:
    """Say that the event is over; it, too, only while the turn is one's own."""
    with transaction.atomic():
        turns.check(turn)
        event.state, event.error = state, why[:LONGEST_ERROR]
        event.save(update_fields=["state", "error"])


def _again(turn: turns.Held, event: ChangeEvent, error: Exception) -> float:
    """Let it wait a little longer each time; after ten minutes it is parked."""
    why = f"{type(error).__name__}: {error}"
    if timezone.now() - event.first_attempt >= TRIED_FOR:
        _end(turn, event, ChangeEvent.State.PARKED, why)
        return 0
    _end(turn, event, ChangeEvent.State.WAITING, why)
    return PAUSES[min(event.attempts, len(PAUSES)) - 1]


def retry(events: QuerySet[ChangeEvent], most: int = 1) -> list[ChangeEvent]:
    """Try what of these is parked again, the oldest first, at once and for as long as ever.

    At most so many; returns them.
    """
    with transaction.atomic():
        parked = events.filter(state=ChangeEvent.State.PARKED).order_by("id")
        found = list(parked.select_for_update(of=("self",))[:most])
        again = ChangeEvent.objects.filter(pk__in=[event.pk for event in found])
        state = ChangeEvent.State.WAITING
        again.update(state=state, first_attempt=None, attempts=0)
        for event in found:
            event.state = state
        turns.free(*{event.patient for event in found})
        carrying.carry(found)
    return found
