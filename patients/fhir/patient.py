"""FHIR Patient and our rows of a patient."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from canvas_admin.fhir import elements
from canvas_admin.fhir.bundles import Rejected
from canvas_admin.fhir.rows import Values, digest, fit, limited
from canvas_admin.fhir.telecom import contact_points
from canvas_admin.records import clock
from patients.models import (
    Patient,
    PatientAddress,
    PatientContactPoint,
    PatientIdentifier,
    PatientName,
)

BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
SEXES = {"F": "F", "M": "M", "OTH": "O"}

RECORD_NUMBER = "MR"

# Documents of a person, not names that a record system gives: two people share one by a
# slip of the pen, so nobody is recognised by them.
DOCUMENT_TYPES = frozenset({"SS", "SB", "DL", "PPN", "TAX", "NI", "NIIP", "MC", "MA"})
DOCUMENT_SYSTEMS = (
    "http://hl7.org/fhir/sid/us-ssn",
    "http://hl7.org/fhir/sid/passport",
    "http://standardhealthrecord.org/fhir/StructureDefinition/passportNumber",
    "urn:oid:2.16.840.1.113883.4.1",
    "urn:oid:2.16.840.1.113883.4.3.",
)


@dataclass(frozen=True)
class PatientRows:
    """What a Patient says in our fields: the patient's own, and the rows that belong."""

    fields: Values
    names: list[Values]
    identifiers: list[Values]
    addresses: list[Values]
    contact_points: list[Values]

    @property
    def digest(self) -> str:
        return digest(
            self.fields,
            self.names,
            self.identifiers,
            self.addresses,
            self.contact_points,
        )

    @property
    def recognised_by(self) -> list[tuple[str, str]]:
        """The identifiers, (system, value), by which the patient is found again."""
        return [
            (each["system"], each["value"])
            for each in self.identifiers
            if _names_a_record(each)
        ]


def from_fhir(resource: dict[str, Any], full_url: str = "") -> PatientRows:
    """The rows of a validated Patient.

    Raises Rejected without a name, a date of birth, or anything to find the patient again
    by, and for dates that cannot be.
    """
    rows = rows_of(resource)
    if not any(map(_names_a_record, rows.identifiers)):
        if not full_url:
            raise Rejected("identifier: without one the patient cannot be found again")
        own = {"system": elements.URI, "value": full_url}
        rows.identifiers.append(_identifier(own, "fullUrl"))
    return rows


def rows_of(resource: dict[str, Any]) -> PatientRows:
    """The same, of a patient who need not be found again by anything but our id."""
    names = _names(limited(resource.get("name"), "name"))
    fields = _life(resource) | _official(names)
    fields |= {
        "gender": resource.get("gender") or Patient.Gender.UNKNOWN,
        "sex_at_birth": SEXES.get(
            elements.extension(resource, BIRTH_SEX, "valueCode"),
            Patient.SexAtBirth.UNKNOWN,
        ),
        "active": resource.get("active") is not False,
    }
    return PatientRows(
        fields=fit(Patient, fields, "the patient"),
        names=names,
        identifiers=_identifiers(resource),
        addresses=_addresses(limited(resource.get("address"), "address")),
        contact_points=contact_points(resource, PatientContactPoint, "home"),
    )


def _life(resource: dict[str, Any]) -> Values:
    """Birth and death. Raises Rejected for either to come, or death before birth."""
    if not (born := resource.get("birthDate")):
        raise Rejected("birthDate: is missing")
    birth_date, precision = elements.day(born, "birthDate")
    # Somewhere on earth it is tomorrow.
    if birth_date > (clock.now() + timedelta(days=1)).date():
        raise Rejected("birthDate: lies in the future")
    died = resource.get("deceasedDateTime")
    died_at = elements.instant(died, "deceasedDateTime") if died else None
    if died_at and died_at > clock.now() + timedelta(days=1):
        raise Rejected("deceasedDateTime: lies in the future")
    known = min(len(born), len(died or ""), 10)
    if died and died[:known] < born[:known]:
        raise Rejected("deceasedDateTime: is before birthDate")
    return {
        "birth_date": birth_date,
        "birth_date_precision": precision,
        "deceased": bool(died_at) or resource.get("deceasedBoolean") is True,
        "deceased_at": died_at,
    }


def _names(names: list[dict[str, Any]]) -> list[Values]:
    """Every name that says something; a name that is text alone is split at its last word."""
    found = []
    for index, name in enumerate(names):
        given = elements.words(name.get("given"))
        family = elements.words([name.get("family")])
        if not given and not family:
            given, _space, family = elements.words([name.get("text")]).rpartition(" ")
        if given or family:
            values = {
                "use": name.get("use") or PatientName.Use.USUAL,
                "prefix": elements.words(name.get("prefix")),
                "given": given,
                "family": family,
                "suffix": elements.words(name.get("suffix")),
                **elements.period(name, f"name[{index}].period"),
            }
            found.append(fit(PatientName, values, f"name[{index}]"))
    if not found:
        raise Rejected("name: is missing")
    return found


def _official(names: list[Values]) -> Values:
    """The patient's copy of the official name, else the usual one, else the first."""
    by_use = {values["use"]: values for values in reversed(names)}
    chosen = by_use.get("official") or by_use.get("usual") or names[0]
    bearer = Patient()
    bearer.take_name(PatientName(**chosen))
    return {
        name: getattr(bearer, name)
        for name in ("first_name", "middle_name", "last_name")
    }


def _identifiers(resource: dict[str, Any]) -> list[Values]:
    return [
        _identifier(each, f"identifier[{index}]")
        for index, each in enumerate(limited(resource.get("identifier"), "identifier"))
        if each.get("value")
    ]


def _identifier(data: dict[str, Any], at: str) -> Values:
    kind = elements.coding(data.get("type"))
    values = {
        "system": data.get("system") or "",
        "value": data["value"],
        "type_code": kind.code,
        "type_display": kind.display,
        "use": data.get("use") or "usual",
        **elements.period(data, f"{at}.period"),
    }
    return fit(PatientIdentifier, values, at)


def _names_a_record(identifier: Values) -> bool:
    """Whether an identifier names the patient's record in some system.

    A record number (MR), or another identifier of the source system; never a document,
    nor a number without the system that makes it unique.
    """
    if not identifier["system"] or identifier["type_code"] in DOCUMENT_TYPES:
        return False
    return identifier["type_code"] == RECORD_NUMBER or not identifier[
        "system"
    ].startswith(DOCUMENT_SYSTEMS)


def _addresses(addresses: list[dict[str, Any]]) -> list[Values]:
    found = []
    for index, data in enumerate(addresses):
        values = {
            "lines": elements.words(data.get("line"), ", "),
            "city": data.get("city") or "",
            "state": data.get("state") or "",
            "postal_code": data.get("postalCode") or "",
            "country": data.get("country") or "",
        }
        if not any(values.values()):
            values["lines"] = elements.words([data.get("text")])
        if any(values.values()):
            values["use"] = data.get("use") or "home"
            values |= elements.period(data, f"address[{index}].period")
            found.append(fit(PatientAddress, values, f"address[{index}]"))
    return found
