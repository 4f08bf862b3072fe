"""FHIR Practitioner as directory staff: people who are named here and never sign in."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from canvas_admin.fhir import elements
from canvas_admin.fhir.bundles import Rejected
from canvas_admin.fhir.rows import Values, bring, digest, fit, limited, take
from canvas_admin.fhir.telecom import contact_points
from staffing.models import Staff, StaffContactPoint, StaffIdentifier

NPI = "http://hl7.org/fhir/sid/us-npi"

# The NPI that non-clinical staff share by default (facts 6.8): it names nobody.
SHARED_NPI = "1111155556"


@dataclass(frozen=True)
class PractitionerRows:
    """What a Practitioner says in our fields; `identifiers` are without the NPI."""

    fields: Values
    identifiers: list[Values] = field(default_factory=list)
    contact_points: list[Values] = field(default_factory=list)

    @property
    def digest(self) -> str:
        return digest(self.fields, self.identifiers, self.contact_points)

    @property
    def named(self) -> list[tuple[str, str]]:
        """The identifiers, (system, value), by which the person is found again."""
        npi = self.fields["npi"]
        named = [(NPI, npi)] if npi and npi != SHARED_NPI else []
        return named + [(each["system"], each["value"]) for each in self.identifiers]


def from_fhir(resource: dict[str, Any], full_url: str = "") -> PractitionerRows:
    """The rows of a validated Practitioner. Raises Rejected for one without a name."""
    known = [
        {"system": each.get("system") or "", "value": each["value"]}
        for each in limited(resource.get("identifier"), "identifier")
        if each.get("value")
    ]
    npi = next((each["value"] for each in known if each["system"] == NPI), "")
    others = [each for each in known if each["system"] and each["system"] != NPI]
    if not (npi and npi != SHARED_NPI) and not others:
        if not full_url:
            raise Rejected("identifier: without one nobody can be found again")
        others = [{"system": elements.URI, "value": full_url}]
    fields = {"npi": npi, "active": resource.get("active") is not False}
    fields |= name_of(limited(resource.get("name"), "name"))
    return PractitionerRows(
        fields=fit(Staff, fields, "the practitioner"),
        identifiers=[fit(StaffIdentifier, each, "identifier") for each in others],
        contact_points=contact_points(resource, StaffContactPoint, "work"),
    )


def find(named: Collection[tuple[str, str]]) -> dict[tuple[str, str], Staff]:
    """Whom these identifiers, (system, value), name among the staff: two queries.

    Raises Rejected when two people share one of the NPIs.
    """
    npis = {value for system, value in named if system == NPI} - {SHARED_NPI}
    found: dict[tuple[str, str], Staff] = {}
    for person in Staff.objects.filter(npi__in=npis):
        if (NPI, person.npi) in found:
            raise Rejected("identifier: two staff members have one of the NPIs")
        found[NPI, person.npi] = person
    others = {value for system, value in named if system != NPI}
    rows = StaffIdentifier.objects.filter(value__in=others).select_related("staff")
    return found | {(row.system, row.value): row.staff for row in rows}


def enter(
    rows: PractitionerRows, known: dict[tuple[str, str], Staff]
) -> tuple[Staff, str]:
    """The staff member of these rows, and "created", "updated" or "unchanged".

    `known` is what find() told about the identifiers, and learns who is new. A directory
    person follows the source. Somebody with an account, or inactive, is recognised and
    left as they are: administrators decide about them. Raises Rejected when the
    identifiers name different people.
    """
    found = {known[each].pk: known[each] for each in rows.named if each in known}
    if len(found) > 1:
        raise Rejected("identifier: the identifiers belong to different staff members")
    person = next(iter(found.values()), None)
    if person is None:
        outcome, person = "created", _write(Staff(), rows)
    elif person.user_id or not person.active or person.source_digest == rows.digest:
        return person, "unchanged"
    else:
        outcome, person = "updated", _write(person, rows)
    known.update(dict.fromkeys(rows.named, person))
    return person, outcome


def _write(person: Staff, rows: PractitionerRows) -> Staff:
    is_new = person.pk is None
    take(person, {**rows.fields, "source_digest": rows.digest})
    person.save()
    if rows.identifiers or not is_new:
        bring(person.identifiers, rows.identifiers, ("system", "value"))
    if rows.contact_points or not is_new:
        bring(person.contact_points, rows.contact_points, ("system", "use"))
    return person


def name_of(names: list[dict[str, Any]]) -> Values:
    """The official name, else the usual one, else the first (facts 5.2 uses usual).

    Raises Rejected where none says anything.
    """
    by_use = {each.get("use"): each for each in reversed(names)}
    name = by_use.get("official") or by_use.get("usual") or (names or [{}])[0]
    given = [
        word for each in name.get("given") or [] if (word := elements.words([each]))
    ]
    family = elements.words([name.get("family")])
    if not given and not family:
        family = elements.words([name.get("text")])
    if not given and not family:
        raise Rejected("name: is missing")
    return {
        "prefix": elements.words(name.get("prefix")),
        "first_name": "".join(given[:1]),
        "middle_name": elements.words(given[1:]),
        "last_name": family,
        "suffix": elements.words(name.get("suffix")),
    }
