"""What visits tell: appointments, what was billed, documents (facts 7.2)."""

from django.db.models import QuerySet

from canvas_admin.protocols.patient_data.shapes import (
    Json,
    full_name,
    instant,
)
from canvas_admin.records import clock
from patients.access import Reach
from patients.models import (
    AdministrativeDocument,
    Appointment,
    ClaimLine,
    Patient,
)

Status = Appointment.Status
# The kit's names for what has become of a visit.
STATES = {
    Status.PROPOSED: "SCH",
    Status.PENDING: "SCH",
    Status.BOOKED: "BKD",
    Status.ARRIVED: "CVD",
    Status.CHECKED_IN: "CVD",
    Status.FULFILLED: "CVD",
    Status.NOSHOW: "NSW",
    Status.CANCELLED: "CLD",
}
OVER = (Status.NOSHOW, Status.CANCELLED, Status.FULFILLED)


def _state(row: Appointment) -> Json:
    return {
        "id": row.pk,
        "display": row.get_status_display(),
        "note": None,
        "created": instant(row.created),
        "modified": instant(row.modified),
        "state": STATES[row.status],
        "originator": None,
    }


def _of(patient: Patient, reach: Reach) -> QuerySet[Appointment]:
    rows = Appointment.objects.of(patient, reach)
    return rows.select_related("provider", "visit_type").order_by("pk")


def appointments(patient: Patient, reach: Reach) -> list[Json]:
    """All of them, with what has become of each."""
    return [
        {
            "externallyExposableId": row.key,
            "state": _state(row),
            "stateHistory": [_state(row)],
        }
        for row in _of(patient, reach)
    ]


def upcoming(patient: Patient, reach: Reach) -> list[Json]:
    """Those that have not begun, and are to take place."""
    rows = _of(patient, reach).filter(start__gt=clock.now()).exclude(status__in=OVER)
    return [
        {
            "id": row.pk,
            "reasonForVisit": row.reason,
            "state": _state(row),
            "providerName": full_name(row.provider),
            "startTime": instant(row.start),
            "durationMinutes": row.minutes,
            "appointmentType": row.visit_type.name if row.visit_type else "",
            "status": row.status,
            "provider": row.provider_id,
            "externallyExposableId": row.key,
        }
        for row in rows
    ]


def leave_out_reasons(visits: list[Json]) -> None:
    """Why somebody comes is clinical."""
    for visit in visits:
        visit["reasonForVisit"] = ""


def billed(patient: Patient, reach: Reach) -> list[Json]:
    """The lines of claims."""
    rows = ClaimLine.objects.about(patient, reach).filter(removed__isnull=True)
    return [
        {
            "id": row.pk,
            "created": instant(row.claim.created),
            "datetimeOfService": instant(clock.midnight(row.claim.service_date)),
            "cpt": row.code,
            "units": row.units,
        }
        for row in rows.select_related("claim").order_by("pk")
    ]


def documents(patient: Patient, reach: Reach) -> list[Json]:
    """Administrative documents that were not removed."""
    rows = AdministrativeDocument.objects.about(patient, reach)
    return [
        {
            "id": row.pk,
            "title": row.title,
            "type": row.kind,
            "comment": row.comment,
            "originalDate": str(row.document_date or row.filed.date()),
        }
        for row in rows.filter(removed__isnull=True).order_by("pk")
    ]
