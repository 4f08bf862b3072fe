"""FHIR Appointment over the schedule, which S2 excepts from reach (facts 5.3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Q, QuerySet

from canvas_admin.audit import trail
from canvas_admin.fhir.parameters import Instant, Reference, Token
from canvas_admin.fhir.resources import (
    KEY,
    Include,
    Json,
    Resource,
    filled,
    instant,
    once,
    reference,
)
from patients import access, areas
from patients.api import appointment_writing
from patients.api.of_patient import concept
from patients.gate import reach
from patients.models import Appointment, Patient

SNOMED = "http://snomed.info/sct"


@dataclass(frozen=True)
class PatientWithinReach(Reference):
    """A patient; whoever is out of reach is as one who has no appointments."""

    within: Q = field(default_factory=Q)

    def bound(self, request: Any) -> "PatientWithinReach":
        return replace(self, within=access.condition(reach(request), self.path))

    def condition(self, value: str, modifier: str = "") -> Q:
        return super().condition(value, modifier) & self.within


class AppointmentResource(Resource):
    """S2: "Exceptions include ... information in appointments that are scheduled".

    Of a patient out of reach that is what security A3 lists: times, provider, place, kind,
    status, and the name without a reference. The reason is clinical.
    """

    type = "Appointment"
    permissions = {
        "read": areas.SEE_SCHEDULE,
        "search": areas.SEE_SCHEDULE,
        "create": areas.BOOK,
        "update": areas.RESCHEDULE,
    }
    sorts = {"date": ("start",)}
    includes = {
        "patient": Include("patient", "Patient"),
        "practitioner": Include("provider", "Practitioner"),
    }

    def __init__(self) -> None:
        self.parameters = {
            "_id": self.by_id(),
            "appointment-type": Token("visit_type__code"),
            "date": Instant("start"),
            "location": Reference("location__key", "Location", KEY),
            "patient": PatientWithinReach("patient__key", "Patient", KEY),
            "practitioner": Reference("provider__key", "Practitioner", KEY),
            "status": Token("status"),
        }

    def rows(self, request: Any) -> QuerySet:
        rows = Appointment.objects.exclude(status=Appointment.Status.ENTERED_IN_ERROR)
        return rows.select_related("patient", "provider", "location", "visit_type")

    def to_fhir(self, request: Any, rows: Sequence[Appointment]) -> list[Json]:
        within = self._within(request, rows)
        clinical = request.user.has_perms(areas.OPEN_CHART)
        return [
            to_fhir(row, row.patient in within, clinical and row.patient in within)
            for row in rows
        ]

    def seen(self, request: Any, rows: Sequence[Appointment]) -> trail.Seen:
        within = self._within(request, rows)
        patients = dict.fromkeys(row.patient for row in rows)
        return [(patient.key, within.get(patient, "")) for patient in patients]

    def _within(self, request: Any, rows: Sequence[Appointment]) -> dict[Patient, str]:
        """Those of their patients within reach, with the path that opens each."""
        patients = {row.patient_id for row in rows}

        def ask() -> dict[Patient, str]:
            return access.opened(reach(request), patients)

        return once(request, (self.type, frozenset(patients)), ask)

    def create(self, request: Any, data: Json) -> Appointment:
        return appointment_writing.create(request, data)

    def update(
        self,
        request: Any,
        row: Appointment,
        data: Json,
        check: Callable[[Appointment], None],
    ) -> Appointment:
        return appointment_writing.update(request, row, data, check)


def to_fhir(row: Appointment, within: bool, clinical: bool) -> Json:
    """An appointment, with a reference to the patient within reach, and the reason."""
    patient = {"display": row.patient.name}
    if within:
        patient = reference("Patient", row.patient.key, row.patient.name)
    kind = row.visit_type
    return filled(
        resourceType="Appointment",
        id=row.key,
        status=row.status,
        appointmentType=concept(SNOMED, kind.code, kind.get_code_display(), kind.name),
        reasonCode=[{"text": row.reason}] if clinical and row.reason else [],
        start=instant(row.start),
        end=instant(row.end),
        minutesDuration=row.minutes,
        participant=[
            _participant(patient),
            _participant(
                reference("Practitioner", row.provider.key, row.provider.name)
            ),
            _participant(reference("Location", row.location.key, row.location.name)),
        ],
    )


def _participant(actor: Json) -> Json:
    return {"actor": actor, "status": "accepted"}
