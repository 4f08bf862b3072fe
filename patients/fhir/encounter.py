"""FHIR Encounter and our note of a visit that happened elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from canvas_admin.fhir import elements
from canvas_admin.fhir.bundles import Bundle, Rejected
from canvas_admin.fhir.rows import Values, digest, fit, limited
from patients.fhir.clinical import IN_ERROR, first
from patients.models import Note, ReasonForVisit

# Of an encounter that did not take place there is nothing to note.
NOT_HELD = ("planned", "cancelled")
PRIMARY_PERFORMER = "PPRF"


@dataclass(frozen=True)
class NoteRows:
    """What an Encounter says: the note's fields, why the patient came, who was seen, where.

    `subject` and `provider` are references, the latter empty where nobody is named;
    `places` the names of where it was, the nearest first.
    """

    fields: Values
    reason: str
    in_error: bool
    subject: str
    provider: str
    places: tuple[str, ...]

    @property
    def digest(self) -> str:
        said = (self.fields, self.reason, self.in_error, self.provider, self.places)
        return digest(*said)


def from_fhir(
    resource: dict[str, Any], source_id: str, bundle: Bundle
) -> NoteRows | None:
    """The note of a validated Encounter; None for one that did not take place.

    Its places are looked for in the bundle.

    Raises Rejected without an id or a beginning, and for what does not fit.
    """
    if resource.get("status") in NOT_HELD:
        return None
    if not source_id:
        raise Rejected("id: without one the note cannot be found again")
    span = resource.get("period") or {}
    if not span.get("start"):
        raise Rejected("period: has no start")
    fields = {
        "source_id": source_id,
        "title": first(resource.get("type")).display,
        "started": elements.instant(span["start"], "period.start"),
        "ended": span.get("end") and elements.instant(span["end"], "period.end"),
    }
    # Some sources put the names of their own variables here.
    reason = first(resource.get("reasonCode")).display.replace("_", " ")
    fit(ReasonForVisit, {"comment": reason}, "reasonCode")
    return NoteRows(
        fields=fit(Note, fields, "the encounter"),
        reason=reason,
        in_error=resource.get("status") == IN_ERROR,
        subject=(resource.get("subject") or {}).get("reference") or "",
        provider=_provider(resource),
        places=tuple(_places(resource, bundle)),
    )


def _provider(resource: dict[str, Any]) -> str:
    """Whom the patient saw: the primary performer, else whoever is named first."""
    found = ""
    for part in limited(resource.get("participant"), "participant"):
        reference = (part.get("individual") or {}).get("reference") or ""
        codes = {elements.coding(each).code for each in part.get("type") or []}
        if PRIMARY_PERFORMER in codes:
            return reference
        found = found or reference
    return found


def _places(resource: dict[str, Any], bundle: Bundle) -> Iterator[str]:
    """The names of where it was: its locations, then who runs them."""
    named = [
        part.get("location") or {}
        for part in limited(resource.get("location"), "location")
    ]
    for reference in (*named, resource.get("serviceProvider") or {}):
        found = bundle.find(reference.get("reference") or "")
        name = found.resource.get("name") if found else reference.get("display")
        if name and isinstance(name, str):
            yield name
