"""What the API's resources about a patient have in common."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.http import HttpResponseBase

from canvas_admin.audit import trail
from canvas_admin.fhir.parameters import NOTHING, Parameter, Reference
from canvas_admin.fhir.resources import KEY, Include, Json, Resource, once
from canvas_admin.fhir.searching import Parts, Search
from patients import access
from patients.gate import reach
from patients.search import narrow

PATIENT = Reference("patient__key", "Patient", KEY)
# A condition that holds for every row, and stays so beside others.
EVERY = ~NOTHING


def within(request: Any, rows: QuerySet, patient: str = "patient") -> QuerySet:
    """Those of these rows whose patient is within the caller's reach."""
    rule = access.condition(reach(request), patient)
    return rows.filter(proposed(request, patient), rule)


def proposed(request: Any, patient: str) -> Q:
    """That a patient is a candidate of the caller's narrow reach; of a wide one, nothing."""
    found = once(request, "candidates", partial(narrow.candidates, reach(request)))
    return Q() if found is None else Q(**{f"{patient}__in": found})


class OfPatient(Resource):
    """Rows of a model about patients within reach; what was entered in error is none."""

    model: type[Model]
    counting = Q(entered_in_error=False)
    includes = {"patient": Include("patient", "Patient")}

    def __init__(self) -> None:
        self.parameters = {"_id": self.by_id(), "patient": PATIENT, **self.more()}

    def more(self) -> dict[str, Parameter]:
        """The search parameters besides the id and the patient."""
        return {}

    def rows(self, request: Any) -> QuerySet:
        rows = within(request, self.model.objects.all())
        return rows.filter(self.counting).select_related("patient")

    def seen(self, request: Any, rows: Sequence[Any]) -> trail.Seen:
        patients = {row.patient_id: row.patient for row in rows}
        return access.paths_to(reach(request), list(patients.values()))


class InParts(Resource):
    """Rows of several models as one type, those of one model after those of another.

    Each part says how its rows are found and written, and what they need: a caller finds
    those of the parts that it may read.
    """

    parts: Sequence[OfPatient]

    def __init__(self) -> None:
        self.parameters = self.parts[0].parameters
        self.includes = self.parts[0].includes

    def may(self, account: Any, interaction: str) -> bool:
        return any(part.may(account, interaction) for part in self.parts)

    def readable(self, request: Any) -> list[OfPatient]:
        """The parts that this caller may read."""
        return [part for part in self.parts if part.may(request.user, "read")]

    def rows(self, request: Any) -> QuerySet:
        raise NotImplementedError("No one query has the rows of several models.")

    def find(self, request: Any, logical_id: str) -> Any:
        found = (part.find(request, logical_id) for part in self.readable(request))
        return next((row for row in found if row), None)

    def matches(self, request: Any, search: Search) -> Parts:
        return Parts(
            tuple(
                part.matches(request, _asked_of(part, search))
                for part in self.readable(request)
            )
        )

    def referring(self, request: Any, path: str, keys: Any, most: int) -> list[Any]:
        found: list[Any] = []
        for part in self.readable(request):
            found += part.referring(request, path, keys, most - len(found))
        return found

    def to_fhir(self, request: Any, rows: Sequence[Any]) -> list[Json]:
        return [
            resource
            for part in self.parts
            if (own := [row for row in rows if isinstance(row, part.model)])
            for resource in part.to_fhir(request, own)
        ]

    def seen(self, request: Any, rows: Sequence[Any]) -> trail.Seen:
        return self.parts[0].seen(request, rows)

    def file(self, request: Any, row: Any, element: str) -> HttpResponseBase:
        part = next(part for part in self.parts if isinstance(row, part.model))
        return part.file(request, row, element)


def _asked_of(part: OfPatient, search: Search) -> Search:
    """The search, by the parameters of a part."""
    asked = (replace(a, parameter=part.parameter(a.name)) for a in search.asked)
    return replace(search, asked=tuple(asked))


def concept(system: str, code: str, display: str = "", text: str = "") -> Json | None:
    """A CodeableConcept with one coding; None where nothing is known."""
    coding = {
        name: value
        for name, value in (("system", system), ("code", code), ("display", display))
        if value
    }
    if not code:
        text = text or display
        return {"text": text} if text else None
    return {"coding": [coding], **({"text": text} if text else {})}
