"""Lists of patients, a page at a time: the streams propose, the rule decides.

A page starts behind a patient (keyset), so a late page costs what the first one does,
and nothing is ever counted (DESIGN section 6).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import Q

from patients import access
from patients.models import Patient, PatientGroupMember
from patients.querysets import PatientQuerySet

# The most candidates that are read at once when the rule drops many.
MOST = 500


@dataclass(frozen=True)
class Order:
    """An order over patients that no two of them share a place in."""

    fields: tuple[str, ...]

    def sort(self, patients: PatientQuerySet, backwards: bool) -> PatientQuerySet:
        """The patients in this order, or from its end."""
        sign = "-" if backwards else ""
        return patients.order_by(*(sign + field for field in self.fields))

    def behind(self, patient: Patient, backwards: bool) -> Q:
        """The patients that come after this one; going backwards, before it."""
        comparison = "lt" if backwards else "gt"
        found, same = Q(), {}
        for field in self.fields:
            found |= Q(**same, **{f"{field}__{comparison}": getattr(patient, field)})
            same[field] = getattr(patient, field)
        return found


BY_NAME = Order(("sort_name",))
BY_BIRTH = Order(("birth_date", "sort_name"))


@dataclass(frozen=True)
class Page:
    """Some patients in order, and whether there are more on either side."""

    patients: list[Patient]
    has_previous: bool
    has_next: bool


def candidates(user: Any) -> PatientQuerySet:
    """The patients that the account's streams propose: at least those within reach."""
    streams = access.streams(user)
    if access.Stream(None) in streams:
        return Patient.objects.all()
    members = PatientGroupMember.objects.filter(
        patient_group__in=[stream.patient_group for stream in streams]
    )
    return Patient.objects.filter(pk__in=members.values("member"))


def page(
    user: Any,
    order: Order = BY_NAME,
    after: Patient | None = None,
    before: Patient | None = None,
    limit: int = 25,
    matching: Q | None = None,
    listed: bool = False,
) -> Page:
    """Up to `limit` patients within the account's reach, behind one or ahead of one.

    `matching` narrows further, `listed` leaves active, living patients. Takes the same
    number of queries wherever the page lies, unless the rule drops candidates.
    """
    backwards = after is None and before is not None
    proposed = candidates(user).filter(matching or Q())
    if listed:
        proposed = proposed.listed()
    found = _within_reach(
        user, proposed, order, before if backwards else after, backwards, limit + 1
    )
    patients = list(islice(found, limit + 1))
    more = len(patients) > limit
    del patients[limit:]
    if backwards:
        return Page(patients[::-1], has_previous=more, has_next=True)
    return Page(patients, has_previous=after is not None, has_next=more)


def _within_reach(
    user: Any,
    proposed: PatientQuerySet,
    order: Order,
    start: Patient | None,
    backwards: bool,
    size: int,
) -> Iterator[Patient]:
    """The proposed patients that the rule confirms, read in batches when needed."""
    proposed = order.sort(proposed, backwards)
    while True:
        rest = proposed.filter(order.behind(start, backwards)) if start else proposed
        batch = list(rest[:size])
        reached = set(
            Patient.objects.accessible_to(user)
            .filter(pk__in=[patient.pk for patient in batch])
            .values_list("pk", flat=True)
        )
        yield from (patient for patient in batch if patient.pk in reached)
        if len(batch) < size:
            return
        start, size = batch[-1], min(2 * size, MOST)
