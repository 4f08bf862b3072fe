"""FHIR Immunization and our row of an immunization."""

from typing import Any

from canvas_admin.fhir import elements
from patients.fhir.clinical import ClinicalRows, at, rows, status
from patients.models import Immunization


def from_fhir(resource: dict[str, Any], source_id: str) -> ClinicalRows:
    """The row of a validated Immunization."""
    said, in_error = status(resource, Immunization.Status.COMPLETED)
    return rows(
        Immunization,
        resource,
        source_id,
        elements.coding(resource.get("vaccineCode")),
        in_error=in_error,
        status=said,
        given=at(resource, "occurrenceDateTime"),
        lot_number=resource.get("lotNumber") or "",
        reason_not_given=elements.coding(resource.get("statusReason")).display,
    )
