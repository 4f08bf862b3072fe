"""What a FHIR Appointment that comes in makes of an appointment of ours (facts 5.3)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from canvas_admin.audit import trail
from canvas_admin.fhir import elements, outcomes
from canvas_admin.fhir.bundles import Rejected
from canvas_admin.fhir.references import id_in, names_nobody, required
from canvas_admin.fhir.resources import KEY, Json
from canvas_admin.fhir.rows import fit
from patients import booking
from patients.gate import find_patient
from patients.models import Appointment, Patient
from staffing.models import Location, Staff, VisitType

Status = Appointment.Status
# What a program may say of an appointment; "entered in error" is for people.
STATUSES = [each for each in Status.values if each != Status.ENTERED_IN_ERROR]


def create(request: Any, data: Json) -> Appointment:
    """Book, as the page does: nobody's time is given away twice."""
    said = Said(request, data)
    row = Appointment(patient=said.patient)
    said.put_into(row)
    booking.save(row, request, "appointment.book")
    return row


def update(
    request: Any, row: Appointment, data: Json, check: Callable[[Appointment], None]
) -> Appointment:
    """Change it to what is said; all of it is said again (facts 5.3).

    Raises Problem (403) for a patient out of reach: the schedule shows the appointment,
    and changing it needs reach (DESIGN section 4).
    """
    if find_patient(request, row.patient.key) is None:
        trail.refused(request, "fhir:Appointment.update", row.patient.key)
        raise outcomes.Problem(*outcomes.FORBIDDEN)
    said = Said(request, data, row)
    if said.patient != row.patient:
        raise outcomes.against_the_rules("An appointment stays with its patient")
    with transaction.atomic():
        row = Appointment.objects.select_for_update().get(pk=row.pk)
        check(row)
        said.put_into(row)
        booking.save(row, request, "appointment.change")
    return row


class Said:
    """What an Appointment says in our terms.

    Raises Rejected for what is missing or malformed, and Problem (422) for what names nobody
    or is not offered.
    """

    def __init__(
        self, request: Any, data: Json, row: Appointment | None = None
    ) -> None:
        self.status = data.get("status")
        if self.status not in STATUSES:
            raise Rejected(f"body -> status — is none of {', '.join(STATUSES)}")
        if not data.get("start"):
            raise required("start")
        self.start = elements.instant(data["start"], "body -> start")
        self.patient = _patient(request, data)
        self.provider = _provider(data, row and row.provider_id)
        self.location = _location(data, self.provider, row and row.location_id)
        self.visit_type = _visit_type(data, row and row.visit_type_id)
        self.minutes = _minutes(data, self.start) or self.visit_type.minutes
        (reason, *_more) = data.get("reasonCode") or [{}]
        self.reason = reason.get("text") or elements.coding(reason).display
        fit(Appointment, {"reason": self.reason}, "body -> reasonCode")

    def put_into(self, row: Appointment) -> None:
        """Let an appointment be so; saves nothing."""
        row.status, row.start, row.minutes = self.status, self.start, self.minutes
        row.provider, row.location = self.provider, self.location
        row.visit_type = self.visit_type
        # Who may not read the reason cannot have meant to take it away.
        row.reason = self.reason or row.reason


def _minutes(data: Json, start: Any) -> int | None:
    """How long it is; None where that is not said."""
    minutes = data.get("minutesDuration")
    if not minutes:
        if not data.get("end"):
            return None
        end = elements.instant(data["end"], "body -> end")
        minutes = round((end - start) / timedelta(minutes=1))
    if not 0 < minutes <= Appointment.LONGEST:
        raise Rejected(f"body -> minutesDuration — is from 1 to {Appointment.LONGEST}")
    return minutes


def _actors(data: Json) -> list[Json]:
    return [each.get("actor") or {} for each in data.get("participant") or []]


def _named(actors: list[Json], kind: str, at: str) -> str | None:
    """The one id of this type among some references."""
    named = f"{kind}/"
    found = [each for each in actors if named in (each.get("reference") or "")]
    if len(found) > 1:
        raise Rejected(f"body -> {at} — names more than one {kind}")
    return id_in(found[0], kind, KEY, at) if found else None


def _patient(request: Any, data: Json) -> Patient:
    key = _named(_actors(data), "Patient", "participant")
    if key is None:
        raise required("participant -> actor -> reference")
    patient = find_patient(request, key)
    if patient is None:
        raise names_nobody("Patient", key)
    return patient


def _provider(data: Json, also: int | None) -> Staff:
    """Somebody who can be booked, or who has it already (`also`, a primary key)."""
    key = _named(_actors(data), "Practitioner", "participant")
    if key is None:
        raise required("participant -> actor -> reference")
    staff = booking.providers(also).filter(key=key).first()
    if staff is None:
        raise names_nobody("Practitioner", key)
    return staff


def _location(data: Json, provider: Staff, also: int | None) -> Location:
    """The place that is named, else the provider's own."""
    named = [*(data.get("supportingInformation") or []), *_actors(data)]
    key = _named(named, "Location", "supportingInformation")
    if key is None:
        if provider.primary_location is None:
            raise required("supportingInformation")
        return provider.primary_location
    offered = Q(active=True) | Q(pk=also)
    place = Location.objects.filter(offered, key=key).first()
    if place is None:
        raise names_nobody("Location", key)
    return place


def _visit_type(data: Json, also: int | None) -> VisitType:
    kind = elements.coding(data.get("appointmentType"))
    offered = Q(active=True) | Q(pk=also)
    found = VisitType.objects.filter(offered, code=kind.code).first()
    if found is None:
        raise outcomes.against_the_rules(
            f"Appointment Type does not exist with code: {kind.code[:40]} "
            f"and system: {kind.system[:80]}"
        )
    return found
