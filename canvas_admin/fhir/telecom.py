"""FHIR ContactPoint and the rows of our contact points."""

from typing import Any

from canvas_admin.fhir.datatypes import ContactPoint
from canvas_admin.fhir.rows import Values, fit, limited


def contact_points(
    resource: dict[str, Any], model: type[ContactPoint], use: str
) -> list[Values]:
    """The telecom entries that have a value; `use` stands in where none is given."""
    return [
        fit(
            model,
            {
                "system": each.get("system") or ContactPoint.System.OTHER,
                "value": each["value"],
                "use": each.get("use") or use,
                "rank": each.get("rank") or 1,
            },
            f"telecom[{index}]",
        )
        for index, each in enumerate(limited(resource.get("telecom"), "telecom"))
        if each.get("value")
    ]
