"""FHIR Condition and our row of a condition."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from canvas_admin.fhir import elements
from canvas_admin.fhir.bundles import Rejected
from canvas_admin.fhir.rows import Values, digest, fit
from patients.models import Condition

IN_ERROR = "entered-in-error"


@dataclass(frozen=True)
class ConditionRows:
    """What a Condition says in our fields, and whom it is about (a reference)."""

    fields: Values
    subject: str

    @property
    def digest(self) -> str:
        return digest(self.fields)


def from_fhir(resource: dict[str, Any], source_id: str) -> ConditionRows:
    """The row of a validated Condition.

    Raises Rejected without an id, something it is called, or a known status, and for an
    end before the beginning.
    """
    if not source_id:
        raise Rejected("id: without one the condition cannot be found again")
    what = elements.coding(resource.get("code"))
    if not what.display:
        raise Rejected("code: is missing")
    onset = _time(resource, "onset", "start")
    abatement = _time(resource, "abatement", "end")
    if onset and abatement and abatement < onset:
        raise Rejected("abatement: is before onset")
    verification = elements.coding(resource.get("verificationStatus")).code
    in_error = verification == IN_ERROR
    fields = {
        "source_id": source_id,
        "system": what.system,
        "code": what.code,
        "display": what.display,
        "category": elements.coding((resource.get("category") or [None])[0]).code,
        "clinical_status": _status(resource, bool(abatement), in_error),
        "verification_status": verification,
        "onset": onset,
        "abatement": abatement,
        "entered_in_error": in_error,
        "entered_in_error_reason": _("Marked so by its source") if in_error else "",
    }
    subject = (resource.get("subject") or {}).get("reference") or ""
    return ConditionRows(fit(Condition, fields, "the condition"), subject)


def _status(resource: dict[str, Any], ended: bool, in_error: bool) -> str:
    """The clinical status; where none is given, it follows from whether it ended."""
    given = elements.coding(resource.get("clinicalStatus")).code
    statuses = Condition.ClinicalStatus
    if in_error:
        return given or statuses.INACTIVE
    return given or (statuses.RESOLVED if ended else statuses.ACTIVE)


def _time(resource: dict[str, Any], name: str, edge: str) -> Any:
    """The time of onset or abatement: its dateTime, or that edge of its period."""
    text = resource.get(f"{name}DateTime")
    text = text or (resource.get(f"{name}Period") or {}).get(edge)
    return elements.instant(text, name) if text else None
