"""The one place that writes stream keys, and checks and repairs them (DESIGN section 6).

What a patient's keys must be follows from the patient's row and memberships alone. Saving
one of these calls refresh() in the same transaction; what goes round that is found, and
mended while the site is in use, by `manage.py check_access`.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.apps import apps
from django.db import transaction

from canvas_admin.records import clock
from patients import folding
from patients.models.stream_keys import StreamKey, place_of, stream_of, word_of

Kind = StreamKey.Kind
# Patients in one transaction: SQLite's only write lock is held for well under 200 ms.
AT_ONCE = 200


class Key(NamedTuple):
    """What a stream key says."""

    stream: int
    kind: int
    place: str
    words: str
    ends: datetime | None


def refresh(patients: Collection[int]) -> None:
    """Make the keys of these patients (primary keys) what they must be.

    Writes what differs and no more. Call it in the transaction of the change: it locks the
    patients first, so that of two changes of one patient the later sees both.
    """
    with transaction.atomic():
        model = apps.get_model("patients", "Patient")
        rows = model.objects.select_for_update(no_key=True).filter(pk__in=patients)
        locked = {row.pk: row for row in rows.order_by("pk")}
        needed, there = _needed(locked), _there(locked)
        gone, new = [], []
        for pk in locked:
            extra, missing = _difference(needed[pk], there[pk])
            gone += extra
            new += [StreamKey(patient_id=pk, **key._asdict()) for key in missing]
        if gone:
            StreamKey.objects.filter(pk__in=gone).delete()
        StreamKey.objects.bulk_create(new)


def check(*, repair: bool = False) -> Iterator[tuple[int, list[int]]]:
    """Go through all patients; for each part, how many, and whose keys are not right.

    With `repair` they are put right, a part at a time, so that the site goes on. What
    looks wrong is looked at again under a lock: a change that happens meanwhile is no
    damage.
    """
    model = apps.get_model("patients", "Patient")
    last = 0
    while True:
        rows = {
            p.pk: p for p in model.objects.filter(pk__gt=last).order_by("pk")[:AT_ONCE]
        }
        if not rows:
            return
        suspects = _wrong(rows)
        yield len(rows), _settle(suspects, repair) if suspects else []
        last = max(rows)


def sweep() -> int:
    """Take out the keys of memberships whose end has come; returns of how many."""
    over = StreamKey.objects.filter(ends__lte=clock.now()).order_by("ends")
    swept = 0
    while patients := set(over.values_list("patient", flat=True)[:AT_ONCE]):
        refresh(patients)
        swept += len(patients)
    return swept


def fill_after_migrate(apps: Any = apps, **_signal: Any) -> None:
    """Make the keys of a clinic that had patients before there were keys."""
    known = (model._meta.label for model in apps.get_models())
    if StreamKey._meta.label not in known or StreamKey.objects.exists():
        return
    for _number, _wrong in check(repair=True):
        pass


def places(patient: Any) -> list[tuple[int, str]]:
    """(kind, place) of each key that a patient has in every stream the patient is in."""
    family = set(folding.fold(patient.last_name).split())
    names = [word_of(word, word in family) for word in patient.name_words.split()]
    said = [
        (Kind.NAME, ""),
        (Kind.BIRTH, patient.birth_date.isoformat()),
        *((Kind.WORD, word) for word in names),
    ]
    return [(kind, place_of(word, patient.sort_name)) for kind, word in said]


def _needed(patients: dict[int, Any]) -> dict[int, set[Key]]:
    """The keys that these patients must have, by primary key."""
    streams = _streams(patients)
    return {
        pk: {
            Key(stream, kind, place, *_with(patient, kind, ends))
            for stream, ends in streams[pk].items()
            for kind, place in places(patient)
        }
        for pk, patient in patients.items()
    }


def _with(
    patient: Any, kind: int, ends: datetime | None
) -> tuple[str, datetime | None]:
    """What else a key of this kind holds: all words, or the membership's end."""
    return ("", ends) if kind == Kind.NAME else (patient.name_words, None)


def _streams(patients: dict[int, Any]) -> dict[int, dict[int, datetime | None]]:
    """The streams that each patient is in, each with the end of the membership."""
    found = {pk: {stream_of(None, p.listed): None} for pk, p in patients.items()}
    members = apps.get_model("patients", "PatientGroupMember").objects.going_on()
    rows = members.filter(member__in=patients).order_by("end_date")
    for pk, group, end in rows.values_list("member", "patient_group", "end_date"):
        stream = stream_of(group, patients[pk].listed)
        until = found[pk].get(stream, end)
        found[pk][stream] = end and until and max(end, until)
    return found


def _there(patients: Collection[int]) -> dict[int, list[tuple[int, Key]]]:
    """The keys that these patients have, each behind its own primary key."""
    found: dict[int, list[tuple[int, Key]]] = {pk: [] for pk in patients}
    rows = StreamKey.objects.filter(patient__in=found)
    for patient, pk, *key in rows.values_list("patient", "pk", *Key._fields):
        found[patient].append((pk, Key(*key)))
    return found


def _difference(
    needed: set[Key], there: list[tuple[int, Key]]
) -> tuple[list[int], set[Key]]:
    """The rows that are too many, and the keys that are missing."""
    extra, missing = [], set(needed)
    for pk, key in there:
        if key in missing:
            missing.remove(key)
        else:
            extra.append(pk)
    return extra, missing


def _wrong(patients: dict[int, Any]) -> list[int]:
    """Those whose keys are not what they must be."""
    needed, there = _needed(patients), _there(patients)
    return [pk for pk in patients if any(_difference(needed[pk], there[pk]))]


def _settle(suspects: list[int], repair: bool) -> list[int]:
    """Those of the suspects who are wrong under a lock too; put right if wanted."""
    with transaction.atomic():
        model = apps.get_model("patients", "Patient")
        rows = model.objects.select_for_update(no_key=True).filter(pk__in=suspects)
        wrong = _wrong({row.pk: row for row in rows.order_by("pk")})
        if repair:
            refresh(wrong)
        return wrong
