"""FHIR Condition and our row of a condition."""

from typing import Any

from canvas_admin.fhir import elements
from canvas_admin.fhir.bundles import Rejected
from patients.fhir.clinical import IN_ERROR, ClinicalRows, first, moment, rows
from patients.models import Condition


def from_fhir(resource: dict[str, Any], source_id: str) -> ClinicalRows:
    """The row of a validated Condition.

    Raises Rejected without an id, something it is called, or a known status, and for an
    end before the beginning.
    """
    onset = moment(resource, "onset")
    abatement = moment(resource, "abatement", "end")
    if onset and abatement and abatement < onset:
        raise Rejected("abatement: is before onset")
    verification = elements.coding(resource.get("verificationStatus")).code
    in_error = verification == IN_ERROR
    return rows(
        Condition,
        resource,
        source_id,
        elements.coding(resource.get("code")),
        in_error=in_error,
        category=first(resource.get("category")).code,
        clinical_status=_status(resource, bool(abatement), in_error),
        verification_status=verification,
        onset=onset,
        abatement=abatement,
    )


def _status(resource: dict[str, Any], ended: bool, in_error: bool) -> str:
    """The clinical status; where none is given, it follows from whether it ended."""
    given = elements.coding(resource.get("clinicalStatus")).code
    statuses = Condition.ClinicalStatus
    if in_error:
        return given or statuses.INACTIVE
    return given or (statuses.RESOLVED if ended else statuses.ACTIVE)
