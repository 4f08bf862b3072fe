"""The CapabilityStatement: what the API does, for whoever asks (facts 5.5)."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from canvas_admin.fhir.resources import Json, Resource

INTERACTIONS = {
    "read": "read",
    "search": "search-type",
    "create": "create",
    "update": "update",
}
US_CORE = "http://hl7.org/fhir/us/core/CapabilityStatement/us-core-server"
SECURITY = {
    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
    "code": "OAuth",
}


def statement(base: str, resources: Iterable[Resource]) -> Json:
    """What is served at this address."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": timezone.localdate().isoformat(),
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "instantiates": [US_CORE],
        "software": {"name": "Canvas Admin"},
        "implementation": {"description": "Canvas Admin", "url": base},
        "rest": [
            {
                "mode": "server",
                "security": {"service": [{"coding": [SECURITY]}]},
                "resource": [_resource(each) for each in sorted_by_type(resources)],
            }
        ],
    }


def sorted_by_type(resources: Iterable[Resource]) -> list[Resource]:
    """In the order of their names."""
    return sorted(resources, key=lambda resource: resource.type)


def _resource(resource: Resource) -> Json:
    found: dict[str, Any] = {
        "type": resource.type,
        "interaction": [
            {"code": code}
            for name, code in INTERACTIONS.items()
            if name in resource.permissions
        ],
        "versioning": "no-version",
        "readHistory": False,
        "updateCreate": False,
        "conditionalCreate": False,
        "referencePolicy": ["literal"],
        "searchParam": [
            {
                "name": name,
                "type": parameter.kind,
                **(
                    {"documentation": text} if (text := parameter.documentation) else {}
                ),
            }
            for name, parameter in resource.parameters.items()
        ],
    }
    if resource.includes:
        found["searchInclude"] = [f"{resource.type}:{n}" for n in resource.includes]
    return found
