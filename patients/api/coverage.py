"""FHIR Coverage over the insurances of patients."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from canvas_admin.fhir.parameters import Coded, Parameter, Token
from canvas_admin.fhir.resources import Include, Json, filled, reference
from canvas_admin.records import clock
from patients import areas
from patients.api.of_patient import OfPatient, concept
from patients.models import Coverage

CLASS = "http://terminology.hl7.org/CodeSystem/coverage-class"
RELATIONSHIP = "http://terminology.hl7.org/CodeSystem/subscriber-relationship"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
Type = Coverage.Type
TYPES = {
    Type.COMMERCIAL: "EHCPOL",
    Type.MEDICARE: "PUBLICPOL",
    Type.MEDICAID: "PUBLICPOL",
    Type.MILITARY: "MILITARY",
    Type.WORKERS_COMPENSATION: "WCBPOL",
    Type.AUTO: "AUTOPOL",
}


def _going_on() -> Q:
    return Q(end__isnull=True) | Q(end__gte=clock.today())


class CoverageResource(OfPatient):
    """Coverages; read and searched. What has ended has the status cancelled."""

    type, model = "Coverage", Coverage
    permissions = {"read": areas.OPEN_PROFILE, "search": areas.OPEN_PROFILE}
    includes = {
        "patient": Include("patient", "Patient"),
        "beneficiary": Include("patient", "Patient"),
    }

    def more(self) -> dict[str, Parameter]:
        return {
            "status": Coded({"active": _going_on, "cancelled": lambda: ~_going_on()}),
            "subscriber-id": Token("member_id"),
        }

    def to_fhir(self, request: Any, rows: Sequence[Coverage]) -> list[Json]:
        return [to_fhir(row) for row in rows]


def to_fhir(row: Coverage) -> Json:
    """One coverage."""
    code = TYPES.get(row.type, "")
    start, end = row.start and row.start.isoformat(), row.end and row.end.isoformat()
    subscriber = row.relationship == Coverage.Relationship.SELF
    return filled(
        resourceType="Coverage",
        id=row.key,
        status="cancelled" if row.over else "active",
        type=concept(ACT, code, text=row.get_type_display()),
        subscriber=reference("Patient", row.patient.key) if subscriber else None,
        subscriberId=row.member_id,
        beneficiary=reference("Patient", row.patient.key),
        relationship=concept(RELATIONSHIP, row.relationship),
        period=filled(start=start, end=end),
        payor=[filled(display=row.payer_name, identifier=_payer_id(row))],
        class_=[
            _class(k, v)
            for k, v in (("plan", row.plan), ("group", row.group_number))
            if v
        ],
        order=row.rank,
    )


def _payer_id(row: Coverage) -> Json | None:
    return {"value": row.payer_id} if row.payer_id else None


def _class(kind: str, value: str) -> Json:
    return {"type": concept(CLASS, kind), "value": value}
