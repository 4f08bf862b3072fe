"""What a FHIR Patient that comes in makes of a patient of ours (facts 4)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from canvas_admin.audit import trail
from canvas_admin.fhir import elements, outcomes
from canvas_admin.fhir.bundles import Rejected
from canvas_admin.fhir.references import required
from canvas_admin.fhir.resources import Json
from canvas_admin.fhir.rows import Values, fit, limited, take
from canvas_admin.records import clock
from patients import access, gate
from patients.fhir.patient import BIRTH_SEX, SEXES, PatientRows, rows_of
from patients.models import (
    Patient,
    PatientContact,
    PatientGroup,
    PatientIdentifier,
    PatientName,
)
from patients.models.patients import ProfileData

MRN = "http://canvasmedical.com"
EMERGENCY = "http://schemas.canvasmedical.com/fhir/extensions/emergency-contact"
BIRTH_SEXES = {*SEXES, "UNK", "ASKU"}
Official = PatientName.Use.OFFICIAL
# Each belongs to a patient by this related name, and comes in this element.
LISTS = {
    "identifiers": "identifier",
    "contact_points": "telecom",
    "addresses": "address",
    "contacts": "contact",
}


def create(request: Any, data: Json, groups: Iterable[PatientGroup]) -> Patient:
    """A new patient with all that is said, in these patient groups, or nothing of it."""
    said = Said(data, "")
    patient = Patient(**said.rows.fields)
    with transaction.atomic():
        patient.save()
        for name in said.rows.names:
            PatientName.objects.create(patient=patient, **name)
        for related, entries in said.lists.items():
            rows = getattr(patient, related)
            for _key, values in entries:
                rows.model.objects.create(patient=patient, **values)
        # In one order, so that two at once never wait for each other's group.
        joined = sorted(groups, key=lambda group: group.pk)
        for group in joined:
            group.add(patient, by=request.user)
        trail.done(
            request.user,
            "patient.create",
            access.paths_to(request.user, [patient]),
            request=request,
            subject=f"patient/{patient.key}",
            groups=[str(group.externally_exposable_id) for group in joined],
        )
    return patient


def update(
    request: Any, patient: Patient, data: Json, check: Callable[[Patient], None]
) -> Patient:
    """The patient as said: entries with an id are changed, others new, missing ones end.

    Of an identifier that has ended, and of names, what is not said stays (facts 4). What
    ends is marked as entered in error: nothing is deleted.
    """
    said = Said(data, patient.mrn)
    with transaction.atomic():
        Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
        patient = Patient.objects.get(pk=patient.pk)
        seen = gate.still_open(request, patient)
        check(patient)
        fields = said.fields_said(data)
        if take(patient, fields):
            patient.save()
        _write_names(patient, said.rows.names)
        for related, entries in said.lists.items():
            _write_list(getattr(patient, related), patient, entries)
        trail.done(
            request.user,
            "patient.change",
            seen,
            request=request,
            subject=f"patient/{patient.key}",
        )
    return Patient.objects.get(pk=patient.pk)


class Said:
    """What a Patient says, checked by the rules of facts 4.

    `mrn` is the record number that we have given, which may come back. Raises Rejected for
    what is missing or malformed, and Problem (422) for what is against a rule.
    """

    def __init__(self, data: Json, mrn: str) -> None:
        self._require(data)
        identifiers = limited(data.get("identifier"), "body -> identifier")
        own = [each for each in identifiers if each.get("system") == MRN]
        if any(each.get("value") != mrn for each in own):
            raise outcomes.against_the_rules("The record number is given here")
        data = {**data, "identifier": [e for e in identifiers if e not in own]}
        self.rows: PatientRows = rows_of(data)
        self.lists: dict[str, list[tuple[str, Values]]] = {}
        found = {
            "identifiers": self.rows.identifiers,
            "contact_points": self.rows.contact_points,
            "addresses": self.rows.addresses,
            "contacts": _contacts(data),
        }
        for related, element in LISTS.items():
            entries = data.get(element) or []
            if len(entries) != len(found[related]):
                raise Rejected(f"body -> {element} — an entry has no value")
            keys = [entry.get("id") or "" for entry in entries]
            self.lists[related] = list(zip(keys, found[related], strict=True))

    def fields_said(self, data: Json) -> Values:
        """The patient's own fields without those that are optional and left out."""
        left_out = [] if "active" in data else ["active"]
        if not {"deceasedBoolean", "deceasedDateTime"} & data.keys():
            left_out += ["deceased", "deceased_at"]
        return {k: v for k, v in self.rows.fields.items() if k not in left_out}

    def _require(self, data: Json) -> None:
        official = [n for n in data.get("name") or [] if n.get("use") == Official]
        if len(official) != 1:
            raise Rejected("body -> name — has exactly one name with use 'official'")
        if not official[0].get("family"):
            raise required("name -> family")
        if not elements.words(official[0].get("given")):
            raise required("name -> given")
        for name in ("gender", "birthDate"):
            if not data.get(name):
                raise required(name)
        if elements.extension(data, BIRTH_SEX, "valueCode") not in BIRTH_SEXES:
            raise Rejected(
                "body -> extension — the birthsex extension is F, M, OTH or UNK"
            )
        for at, each in enumerate(data.get("identifier") or []):
            if not each.get("system"):
                raise required(f"identifier -> {at} -> system")


def _contacts(data: Json) -> list[Values]:
    return [
        _contact(each, f"contact -> {at}")
        for at, each in enumerate(limited(data.get("contact"), "body -> contact"))
    ]


def _contact(data: Json, at: str) -> Values:
    name = data.get("name") or {}
    parts = [*(name.get("given") or []), name.get("family")]
    ways = {each.get("system"): each.get("value") for each in data.get("telecom") or []}
    text = elements.words([name.get("text")]) or elements.words(parts)
    if not text:
        raise required(f"{at} -> name")
    email = ways.get("email") or ""
    try:
        if email:
            validate_email(email)
    except ValidationError as error:
        raise Rejected(f"body -> {at} -> telecom — is no e-mail address") from error
    values = {
        "name": text,
        "relationship": _relationship(data.get("relationship")),
        "phone": ways.get("phone") or "",
        "email": email,
        "emergency_contact": elements.extension(data, EMERGENCY, "valueBoolean")
        is True,
        "end": elements.period(data, f"body -> {at}")["end"],
    }
    return fit(PatientContact, values, f"body -> {at}")


def _relationship(concepts: Sequence[Json] | None) -> str:
    (first, *_more) = concepts or [{}]
    return (first.get("text") or elements.coding(first).display)[:100]


def _write_names(patient: Patient, names: Sequence[Values]) -> None:
    """The official name takes over from the one before; others are added if new."""
    there = list(patient.names.filter(entered_in_error=False))
    for values in names:
        same = [row for row in there if _says(row, values)]
        if same:
            continue
        name = PatientName(patient=patient, **values)
        name.save()
        if name.use == Official:
            patient.make_official(name)


def _write_list(rows: Any, patient: Patient, entries: list[tuple[str, Values]]) -> None:
    there = {row.key: row for row in rows.filter(entered_in_error=False)}
    for key, values in entries:
        row = there.pop(key, None)
        if row is None:
            if key:
                raise outcomes.against_the_rules(
                    f"There is no entry with the id '{key[:64]}'"
                )
            rows.model.objects.create(patient=patient, **values)
            continue
        if isinstance(row, PatientIdentifier) and values["value"] == row.shown_value:
            # As we show it, which may be less than the whole.
            values = {**values, "value": row.value}
        if take(row, values):
            row.save()
    for row in there.values():
        _end(row)


def _end(row: ProfileData) -> None:
    """Mark an entry that was left out; an identifier that has ended stays (facts 4)."""
    is_identifier = isinstance(row, PatientIdentifier)
    if is_identifier and row.end and row.end <= clock.today():
        return
    row.entered_in_error = True
    row.entered_in_error_reason = "Left out of an update over the API"
    row.save()


def _says(row: PatientName, values: Values) -> bool:
    return all(getattr(row, name) == value for name, value in values.items())
