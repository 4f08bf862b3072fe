"""Finding among all patients, whoever may open them: for "See all patients" and the picker.

No rule is asked for who is found: what may be shown of each is the caller's to keep, by
the lists of security.md (A1 to A5 for staff, A8 for administration).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet

from patients import access
from patients.models import Patient
from patients.models.stream_keys import StreamKey, stream_of
from patients.search import scans, streams
from patients.search.searching import Query

EVERYBODY = [stream_of(None, listed) for listed in (True, False)]


@dataclass(frozen=True)
class Shown:
    """A line of "See all patients"; out of reach it holds these and no key (A1).

    `handle` is what "Request access" sends of a patient out of reach (A5).
    """

    name: str
    birth_date: date
    birth_date_precision: str
    active: bool
    deceased: bool
    key: str = ""
    handle: str = ""


def among_all(query: Query, limit: int) -> list[Patient]:
    """The first patients whom a name or date of birth means; of these, family names first."""
    walk = streams.Walk(EVERYBODY, _whoever)
    return query.in_order(streams.first(limit, walk.named(query, limit)))


def _whoever(patients: Collection[int]) -> dict[Patient, str]:
    return dict.fromkeys(Patient.objects.filter(pk__in=patients), "")


def meant_by(query: Query) -> QuerySet[Patient]:
    """All patients whom a name or date of birth means, to narrow other rows down with."""
    found = Patient.objects.all()
    if query.born is not None:
        found = found.filter(birth_date=query.born)
    for word in query.words:
        scan = scans.Scan.prefix(word)
        keys = StreamKey.objects.filter(
            stream__in=EVERYBODY, kind=scan.kind, place__gt=scan.low
        )
        found = found.filter(pk__in=keys.filter(place__lt=scan.high).values("patient"))
    return found


def everyone(
    account: Any, query: Query, limit: int
) -> list[tuple[Patient, str, Shown]]:
    """The first patients that a name or date of birth means, whoever may open them.

    S2: "if the user clicks “See all patients” …, then the user will see patients they
    do not have access to (alongside inactive or deceased patients …)". Each comes with
    the path that opens it ("" for none) and what may be shown of it; the patient itself is
    for the audit trail alone.
    """
    rows = among_all(query, limit)
    paths = access.opened(account, [patient.pk for patient in rows])
    return [
        (patient, paths.get(patient, ""), shown(patient, patient in paths))
        for patient in rows
    ]


def shown(patient: Patient, within_reach: bool) -> Shown:
    """What somebody may be shown of a patient, whether or not within reach."""
    return Shown(
        name=patient.name,
        birth_date=patient.birth_date,
        birth_date_precision=patient.birth_date_precision,
        active=patient.active,
        deceased=patient.deceased,
        key=patient.key if within_reach else "",
    )
