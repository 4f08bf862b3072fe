"""FHIR Condition over the conditions of charts."""

from collections.abc import Sequence
from typing import Any

from canvas_admin.fhir.parameters import Instant, Parameter, Token
from canvas_admin.fhir.resources import Json, filled, instant, reference
from patients import areas
from patients.api.of_patient import OfPatient, concept
from patients.models import Condition

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"


class ConditionResource(OfPatient):
    """Problems and diagnoses; read and searched (DESIGN section 5)."""

    type, model = "Condition", Condition
    permissions = {"read": areas.OPEN_CHART, "search": areas.OPEN_CHART}

    def more(self) -> dict[str, Parameter]:
        return {
            "category": Token("category"),
            "clinical-status": Token("clinical_status"),
            "code": Token("code"),
            "onset-date": Instant("onset"),
        }

    def to_fhir(self, request: Any, rows: Sequence[Condition]) -> list[Json]:
        return [to_fhir(row) for row in rows]


def to_fhir(row: Condition) -> Json:
    """One condition."""
    category = concept(CATEGORY, row.category)
    return filled(
        resourceType="Condition",
        id=row.key,
        clinicalStatus=concept(CLINICAL, row.clinical_status),
        verificationStatus=concept(VERIFICATION, row.verification_status),
        category=[category] if category else [],
        code=concept(row.system, row.code, row.display, text=row.display),
        subject=reference("Patient", row.patient.key),
        onsetDateTime=instant(row.onset),
        abatementDateTime=instant(row.abatement),
    )
