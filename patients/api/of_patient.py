"""What the API's resources about a patient have in common."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db.models import Model, Q, QuerySet

from canvas_admin.audit import trail
from canvas_admin.fhir.parameters import Parameter, Reference
from canvas_admin.fhir.resources import KEY, Include, Json, Resource, once
from patients import access
from patients.gate import reach
from patients.search import narrow

PATIENT = Reference("patient__key", "Patient", KEY)


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
