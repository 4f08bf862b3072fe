"""Numbers with units, as text that people read."""

from decimal import Decimal
from typing import Any

from patients import units


def number(value: Any) -> str:
    """A FHIR decimal without zeros that say nothing: 7, 5.4, 0.25."""
    text = format(Decimal(str(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def in_words(quantity: dict[str, Any] | None) -> str:
    """A Quantity, with its comparator and unit, such as "< 5 mg/dL"; empty for none."""
    if not quantity or quantity.get("value") is None:
        return ""
    unit = quantity.get("unit") or quantity.get("code") or ""
    parts = (
        quantity.get("comparator"),
        units.measured(number(quantity["value"]), unit),
    )
    return " ".join(part for part in parts if part)
