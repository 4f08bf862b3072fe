"""FHIR Coverage and our row of a patient's insurance."""

from dataclasses import dataclass
from typing import Any

from canvas_admin.fhir import elements
from canvas_admin.fhir.bundles import Bundle, Rejected
from canvas_admin.fhir.rows import Values, digest, fit
from patients.models import Coverage

Type = Coverage.Type
# HL7's v3-ActCode of kinds of insurance.
TYPES = {
    "PUBLICPOL": Type.OTHER,
    "MCPOL": Type.COMMERCIAL,
    "HIP": Type.COMMERCIAL,
    "EHCPOL": Type.COMMERCIAL,
    "HSAPOL": Type.COMMERCIAL,
    "AUTOPOL": Type.AUTO,
    "WCBPOL": Type.WORKERS_COMPENSATION,
    "MILITARY": Type.MILITARY,
}
# Public insurance is told apart by the name of its payer.
PUBLIC = {"medicare": Type.MEDICARE, "medicaid": Type.MEDICAID}
RELATIONSHIPS = {"self", "spouse", "child", "parent", "common"}
LEFT_OUT = ("draft",)


@dataclass(frozen=True)
class CoverageRows:
    """What a resource says in our fields; `fields` are empty for what is no insurance."""

    source_id: str
    subject: str
    fields: Values

    @property
    def digest(self) -> str:
        return digest(self.fields)


def from_fhir(bundle: Bundle, resource: dict[str, Any], source_id: str) -> CoverageRows:
    """The row of a validated Coverage.

    A draft, and a coverage whose payer is a person (who pays without insurance), is none.
    Raises Rejected without an id or a payer, and for one cancelled that has no end.
    """
    if not source_id:
        raise Rejected("id: without one the coverage cannot be found again")
    subject = (resource.get("beneficiary") or {}).get("reference") or ""
    payer, organization = _payer(bundle, resource)
    if payer is None or resource.get("status") in LEFT_OUT:
        return CoverageRows(source_id, subject, {})
    in_error = resource.get("status") == "entered-in-error"
    span = elements.period(resource, "Coverage")
    if resource.get("status") == "cancelled" and not span["end"]:
        raise Rejected("period.end: is missing for a coverage that was cancelled")
    relationship = elements.coding(resource.get("relationship")).code or "self"
    fields = {
        "rank": min(max(resource.get("order") or 1, 1), 3),
        "type": _type(resource, payer),
        "payer_name": payer,
        "payer_address": _address(organization),
        "payer_phone": _phone(organization),
        "plan": _of_class(resource, "plan", "name") or _of_class(resource, "plan"),
        "group_number": _of_class(resource, "group"),
        "member_id": resource.get("subscriberId") or _identifier(resource),
        "relationship": relationship if relationship in RELATIONSHIPS else "other",
        "entered_in_error": in_error,
        **span,
    }
    return CoverageRows(source_id, subject, fit(Coverage, fields, "the coverage"))


def _payer(
    bundle: Bundle, resource: dict[str, Any]
) -> tuple[str | None, dict[str, Any]]:
    """The payer's name, and its organization where the bundle has it.

    The name is None where a person pays. Raises Rejected for no name.
    """
    payor = (resource.get("payor") or [{}])[0]
    found = bundle.find(payor.get("reference") or "")
    if found and found.type in ("Patient", "RelatedPerson"):
        return None, {}
    organization = found.resource if found else {}
    named = organization.get("name")
    name = payor.get("display") or (named if isinstance(named, str) else "")
    if not name:
        raise Rejected("payor: has no name")
    return name, organization


def _address(organization: dict[str, Any]) -> str:
    """Where claims go: the payer's first address, in one line."""
    found = _first(organization, "address")
    lines = found.get("line") if isinstance(found.get("line"), list) else []
    place = [found.get(name) for name in ("city", "state", "postalCode", "country")]
    return ", ".join(each for each in (*lines, *place) if isinstance(each, str))


def _phone(organization: dict[str, Any]) -> str:
    telecom = organization.get("telecom")
    for each in telecom if isinstance(telecom, list) else []:
        if isinstance(each, dict) and each.get("system") == "phone":
            return str(each.get("value") or "")
    return ""


def _first(resource: dict[str, Any], name: str) -> dict[str, Any]:
    """The first of a repeated element; an empty one where there is none.

    An organization is looked at without having been validated.
    """
    found = resource.get(name)
    first = found[0] if isinstance(found, list) and found else {}
    return first if isinstance(first, dict) else {}


def _type(resource: dict[str, Any], payer: str) -> str:
    for word, kind in PUBLIC.items():
        if word in payer.lower():
            return kind
    return TYPES.get(elements.coding(resource.get("type")).code, Type.OTHER)


def _of_class(resource: dict[str, Any], kind: str, name: str = "value") -> str:
    for each in resource.get("class") or []:
        if elements.coding(each.get("type")).code == kind:
            return each.get(name) or ""
    return ""


def _identifier(resource: dict[str, Any]) -> str:
    return next((i.get("value") or "" for i in resource.get("identifier") or []), "")
