"""FHIR Claim and our rows of a claim: its lines, its diagnoses."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from canvas_admin.fhir import elements
from canvas_admin.fhir.bundles import Bundle, Entry, Rejected
from canvas_admin.fhir.rows import Values, digest, fit, limited
from canvas_admin.records.money import DIGITS, cents
from patients.models import ClaimDiagnosis, ClaimLine
from patients.models.claims import CPT, HCPCS, LETTERS
from patients.models.findings import ICD_10
from patients.revenue.claim_states import ClaimState
from patients.revenue.claiming import as_icd_10

STATES = {
    "active": ClaimState.FILED,
    "draft": ClaimState.CODING_REVIEW,
    "cancelled": ClaimState.TRASH,
    "entered-in-error": ClaimState.TRASH,
}
SYSTEMS = {CPT: CPT, HCPCS: HCPCS, "http://www.ama-assn.org/go/cpt/": CPT}
# What else a Claim is used for asks beforehand what would be paid.
BILL = "claim"
CURRENCY = "USD"
MOST_UNITS, MOST_POINTERS = 999, 4


@dataclass(frozen=True)
class ClaimRows:
    """What a resource says in our fields.

    `coverage` is a reference; `encounter` is the entry of the visit that is billed, if
    the bundle has it, and `practitioner` that of who gave the service.
    """

    source_id: str
    subject: str
    state: str
    service_date: date
    coverage: str
    encounter: Entry | None
    practitioner: Entry | None
    diagnoses: tuple[Values, ...]
    lines: tuple[Values, ...]

    @property
    def digest(self) -> str:
        parts = (self.state, self.service_date, self.coverage)
        return digest(*parts, self.diagnoses, self.lines)


def from_fhir(bundle: Bundle, resource: dict[str, Any], source_id: str) -> ClaimRows:
    """The rows of a validated Claim.

    Raises Rejected without an id, for a service that has no price, and for a price in
    another currency or with a part of a cent.
    """
    if not source_id:
        raise Rejected("id: without one the claim cannot be found again")
    encounter = _encounter(bundle, resource)
    letters, diagnoses = _diagnoses(resource)
    insurance = limited(resource.get("insurance"), "insurance")
    focal = next((each for each in insurance if each.get("focal")), None)
    chosen = focal or (insurance or [{}])[0]
    return ClaimRows(
        source_id=source_id,
        subject=(resource.get("patient") or {}).get("reference") or "",
        state=STATES.get(resource.get("status"), ClaimState.CODING_REVIEW),
        service_date=_service_date(resource, encounter),
        coverage=(chosen.get("coverage") or {}).get("reference") or "",
        encounter=encounter,
        practitioner=_practitioner(bundle, resource, encounter),
        diagnoses=diagnoses,
        lines=tuple(
            _line(each, letters) for each in limited(resource.get("item"), "item")
        ),
    )


def _line(item: dict[str, Any], letters: dict[int, str]) -> Values:
    what = elements.coding(item.get("productOrService"))
    modifiers = [elements.coding(each).code for each in item.get("modifier") or []]
    pointed = [letters.get(n, "") for n in item.get("diagnosisSequence") or []]
    fields = {
        "system": SYSTEMS.get(what.system, what.system),
        "code": what.code or "-",
        "description": what.display,
        "modifiers": " ".join(modifiers[:MOST_POINTERS]),
        "units": _units(item),
        "pointers": "".join(dict.fromkeys(pointed))[:MOST_POINTERS],
    }
    fields = fit(ClaimLine, fields, "item")
    return fields | {"charge": _charge(item, fields["units"])}


def _units(item: dict[str, Any]) -> int:
    units = Decimal(str((item.get("quantity") or {}).get("value") or 1))
    if units != int(units) or not 1 <= units <= MOST_UNITS:
        raise Rejected("item.quantity: is no number of units")
    return int(units)


def _charge(item: dict[str, Any], units: int) -> Decimal:
    """What the line costs, all units together."""
    price, times = item.get("net"), 1
    if price is None:
        price, times = item.get("unitPrice"), units
    if not price or price.get("value") is None:
        raise Rejected("item: has no price")
    if price.get("currency", CURRENCY) != CURRENCY:
        raise Rejected("item: its price is in another currency")
    amount = Decimal(str(price["value"])) * times
    try:
        found = cents(amount)
    except ValueError as error:
        raise Rejected("item: its price has a part of a cent") from error
    if not 0 <= found < 10**DIGITS:
        raise Rejected("item: its price is impossible")
    return Decimal(found).scaleb(-2)


def _diagnoses(resource: dict[str, Any]) -> tuple[dict[int, str], tuple[Values, ...]]:
    """Letters by the sequence that items name, and the rows; ICD-10 codes alone."""
    letters: dict[int, str] = {}
    rows = []
    for each in limited(resource.get("diagnosis"), "diagnosis"):
        what = elements.coding(each.get("diagnosisCodeableConcept"))
        if what.system.rstrip("/") not in (ICD_10, ICD_10.removesuffix("-cm")):
            continue
        if len(rows) == len(LETTERS):
            raise Rejected("diagnosis: there is room for twelve")
        letters[each.get("sequence")] = LETTERS[len(rows)]
        code = as_icd_10(what.code) or what.code
        fields = {"code": code, "display": what.display}
        fields = fit(ClaimDiagnosis, fields, "diagnosis")
        rows.append(fields | {"letter": LETTERS[len(rows)]})
    return letters, tuple(rows)


def _encounter(bundle: Bundle, resource: dict[str, Any]) -> Entry | None:
    for item in resource.get("item") or []:
        for each in item.get("encounter") or []:
            found = bundle.find(each.get("reference") or "")
            if found and found.type == "Encounter":
                return found
    return None


def _practitioner(
    bundle: Bundle, resource: dict[str, Any], encounter: Entry | None
) -> Entry | None:
    """Who gave the service: the claim's provider, else somebody who was at the visit."""
    people = encounter.resource.get("participant") if encounter else None
    named = [resource.get("provider")]
    if isinstance(people, list):
        named += [each.get("individual") for each in people if isinstance(each, dict)]
    for each in named:
        reference = each.get("reference") if isinstance(each, dict) else None
        found = bundle.find(reference) if isinstance(reference, str) else None
        if found and found.type == "Practitioner":
            return found
    return None


def _service_date(resource: dict[str, Any], encounter: Entry | None) -> date:
    """The day of the service, by the clinic's clock; else of the visit, or the claim."""
    item = (resource.get("item") or [{}])[0]
    period = encounter.resource.get("period") if encounter else None
    said = (
        item.get("servicedDate"),
        (item.get("servicedPeriod") or {}).get("start"),
        (resource.get("billablePeriod") or {}).get("start"),
        period.get("start") if isinstance(period, dict) else None,
        resource.get("created"),
    )
    text = next((each for each in said if isinstance(each, str) and each), "")
    return timezone.localdate(elements.instant(text, "created"))
