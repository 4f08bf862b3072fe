"""FHIR Observation and our row of an observation."""

from typing import Any

from canvas_admin.fhir import elements
from patients import units
from patients.fhir.clinical import ClinicalRows, first, moment, rows, status
from patients.fhir.quantities import in_words, number
from patients.models import Observation

# Of HL7's v3-ObservationInterpretation, what does not call for attention.
USUAL = {"", "N", "NEG", "ND", "IND", "S"}


def from_fhir(resource: dict[str, Any], source_id: str) -> ClinicalRows:
    """The row of a validated Observation; without a value, it says only what was asked."""
    said, in_error = status(resource, Observation.Status.UNKNOWN)
    value, unit = _value(resource)
    interpretation = first(resource.get("interpretation"))
    return rows(
        Observation,
        resource,
        source_id,
        elements.coding(resource.get("code")),
        in_error=in_error,
        category=first(resource.get("category")).code,
        status=said,
        value=value or _components(resource),
        unit=unit,
        reference_range=_range(resource),
        interpretation=interpretation.display,
        abnormal=interpretation.code.upper() not in USUAL,
        observed=moment(resource, "effective"),
    )


def _value(element: dict[str, Any]) -> tuple[str, str]:
    """The value of an Observation or of a component of it, and its unit."""
    quantity = element.get("valueQuantity") or {}
    if quantity.get("value") is not None:
        value = number(quantity["value"])
        comparator = quantity.get("comparator")
        unit = quantity.get("unit") or quantity.get("code") or ""
        return f"{comparator} {value}" if comparator else value, unit
    if concept := element.get("valueCodeableConcept"):
        return elements.coding(concept).display, ""
    for name in ("valueString", "valueInteger", "valueDateTime", "valueTime"):
        if element.get(name) is not None:
            return str(element[name]), ""
    if element.get("valueBoolean") is not None:
        return ("yes" if element["valueBoolean"] else "no"), ""
    return "", ""


def _components(resource: dict[str, Any]) -> str:
    """Values in parts in one line, such as "Systolic 120 mmHg; Diastolic 80 mmHg"."""
    parts = []
    for component in resource.get("component") or []:
        value, unit = _value(component)
        if value:
            name = elements.coding(component.get("code")).display
            parts.append(f"{name} {units.measured(value, unit)}".strip())
    return "; ".join(parts)


def _range(resource: dict[str, Any]) -> str:
    """The usual range in words, such as "0 – 200 mg/dL"."""
    span = (resource.get("referenceRange") or [{}])[0]
    low, high = in_words(span.get("low")), in_words(span.get("high"))
    if low and high:
        return f"{number(span['low']['value'])} – {high}"
    if low or high:
        return f"≥ {low}" if low else f"≤ {high}"
    return span.get("text") or ""
