"""The keys by which the worklist finds claims: what they must be, and who writes them.

A claim is found among everyone's patients, and among those of each patient group that its
patient is in; in each once among all claims, and once among its provider's; there by its
state, and, unless it is in the trash, among all that count. The book of these keys is kept
as those of names and of open work are, by patients.search.stream_keys.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from django.apps import apps
from django.db.models import QuerySet

from patients.models.claim_keys import ClaimKey, kinds_of
from patients.models.work_keys import ANYBODY, person, stream_of
from patients.search import stream_keys
from patients.search.folding import SEPARATOR
from patients.search.stream_keys import Groups, Needed


class Key(NamedTuple):
    """What a claim key says."""

    stream: int
    kind: int
    place: str
    item: int


class Billed(NamedTuple):
    """What of a claim its keys follow from."""

    patient: int
    item: int
    date: date
    state: str
    provider: int | None

    def keys(self, sources: Iterable[int | None]) -> Iterator[Key]:
        """Its keys; it is found in these sources."""
        place = place_of(self.date, self.item)
        whose = [ANYBODY, person(self.provider)] if self.provider else [ANYBODY]
        for source in sources:
            for who in whose:
                for kind in kinds_of(self.state):
                    yield Key(stream_of(who, source), kind, place, self.item)


def place_of(day: date, item: int) -> str:
    """Where a claim stands: by date of service, then by primary key."""
    return f"{day.isoformat()}{SEPARATOR}{item:019d}"


def keep(claim: Any) -> None:
    """Make the keys of a claim that was saved what they must be, in its transaction."""
    one = replace(
        CLAIMS, needed=partial(_needed, pk=claim.pk), narrowed={"item": claim.pk}
    )
    stream_keys.refresh([claim.patient_id], one)


def _needed(
    patients: dict[int, Any], groups: dict[int, Groups], **narrowed: Any
) -> Needed:
    """The keys of claims that these patients must have, by primary key; one query."""
    found: Needed = {pk: set() for pk in patients}
    rows = _claims().filter(patient__in=patients, **narrowed).order_by()
    said = rows.values_list("patient", "pk", "service_date", "state", "provider")
    for row in map(Billed._make, said):
        found[row.patient].update(row.keys(groups[row.patient]))
    return found


def _claims() -> QuerySet:
    return apps.get_model("patients", "Claim")._base_manager.all()


def _sources() -> list[tuple[QuerySet, QuerySet]]:
    return [(_claims(), ClaimKey.objects.all())]


CLAIMS = stream_keys.Book(ClaimKey, Key, _needed, _sources)
