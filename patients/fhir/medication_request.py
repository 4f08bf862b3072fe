"""FHIR MedicationRequest and our row of a medication."""

from typing import Any

from canvas_admin.fhir import elements
from patients.fhir.clinical import ClinicalRows, at, rows, status
from patients.fhir.quantities import number
from patients.models import Medication

PERIODS = {
    "s": "second",
    "min": "minute",
    "h": "hour",
    "d": "day",
    "wk": "week",
    "mo": "month",
    "a": "year",
}


def from_fhir(resource: dict[str, Any], source_id: str) -> ClinicalRows:
    """The row of a validated MedicationRequest, whose medication is a concept."""
    said, in_error = status(resource, Medication.Status.UNKNOWN)
    repeats = (resource.get("dispenseRequest") or {}).get("numberOfRepeatsAllowed")
    return rows(
        Medication,
        resource,
        source_id,
        elements.coding(resource.get("medicationCodeableConcept")),
        in_error=in_error,
        status=said,
        directions="; ".join(map(_directions, resource.get("dosageInstruction") or [])),
        refills=repeats,
        started=at(resource, "authoredOn"),
    )


def _directions(dosage: dict[str, Any]) -> str:
    """A dosage in words: the source's own, else as much as its numbers say."""
    if text := dosage.get("text") or dosage.get("patientInstruction"):
        return text
    repeat = (dosage.get("timing") or {}).get("repeat") or {}
    dose = ((dosage.get("doseAndRate") or [{}])[0]).get("doseQuantity") or {}
    parts = [
        f"{number(dose['value'])} {dose.get('unit') or ''}".strip()
        if dose.get("value") is not None
        else "",
        _how_often(repeat),
        "as needed" if dosage.get("asNeededBoolean") else "",
    ]
    return ", ".join(part for part in parts if part)


def _how_often(repeat: dict[str, Any]) -> str:
    """Such as "2 times every day" or "once every 3 weeks"; empty when it is not said."""
    times, period = repeat.get("frequency"), repeat.get("period")
    unit = PERIODS.get(repeat.get("periodUnit") or "")
    if not (times and period and unit):
        return ""
    often = "once" if times == 1 else f"{times} times"
    every = number(period)
    return f"{often} every {unit}" if every == "1" else f"{often} every {every} {unit}s"
