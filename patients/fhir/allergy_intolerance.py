"""FHIR AllergyIntolerance and our row of an allergy."""

from typing import Any

from canvas_admin.fhir import elements
from patients.fhir.clinical import IN_ERROR, ClinicalRows, at, first, moment, rows
from patients.models import AllergyIntolerance


def from_fhir(resource: dict[str, Any], source_id: str) -> ClinicalRows:
    """The row of a validated AllergyIntolerance; without a status it counts as active."""
    verification = elements.coding(resource.get("verificationStatus")).code
    status = elements.coding(resource.get("clinicalStatus")).code
    return rows(
        AllergyIntolerance,
        resource,
        source_id,
        elements.coding(resource.get("code")),
        in_error=verification == IN_ERROR,
        clinical_status=status or AllergyIntolerance.ClinicalStatus.ACTIVE,
        verification_status=verification,
        kind=resource.get("type") or "",
        criticality=resource.get("criticality") or "",
        reaction=_reaction(resource),
        onset=moment(resource, "onset"),
        recorded=at(resource, "recordedDate"),
    )


def _reaction(resource: dict[str, Any]) -> str:
    """How it shows, in the words of the first reaction."""
    reactions = resource.get("reaction") or [{}]
    return first(reactions[0].get("manifestation")).display
