"""FHIR Patient over our patients (facts 4)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Model, Q, QuerySet

from canvas_admin.audit import trail
from canvas_admin.fhir.parameters import (
    BOOLEANS,
    NOTHING,
    Day,
    Either,
    Of,
    Parameter,
    Reference,
    Text,
    Token,
)
from canvas_admin.fhir.resources import KEY, Json, Resource, filled
from canvas_admin.fhir.searching import Rows, Search
from canvas_admin.records.lookups import Prepared, Slot
from patients import access, areas
from patients.api import patient_writing
from patients.api.group import InGroup
from patients.api.of_patient import within
from patients.api.patient_writing import EMERGENCY, MRN
from patients.fhir.patient import BIRTH_SEX, RECORD_NUMBER
from patients.gate import find_patient, reach
from patients.models import (
    CareTeamMembership,
    Patient,
    PatientAddress,
    PatientContact,
    PatientContactPoint,
    PatientGroup,
    PatientIdentifier,
    PatientName,
)
from patients.models.folded import folded_words

TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
SEXES = {"F": "F", "M": "M", "O": "OTH", "UNK": "UNK"}
DATES = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}
COUNTS = Q(entered_in_error=False)
# Patients of one name stand together in the order of names, where it falls.
NAMES = ("family", "given", "name", "nickname")
Belongings = dict[str, list[Any]]


def _of(model: type[Model]) -> QuerySet:
    return model._base_manager.filter(patient__among=Slot("patients"))


OWNED = {
    "names": Prepared(partial(_of, PatientName)),
    "identifiers": Prepared(partial(_of, PatientIdentifier)),
    "addresses": Prepared(partial(_of, PatientAddress)),
    "contact_points": Prepared(partial(_of, PatientContactPoint)),
    "contacts": Prepared(partial(_of, PatientContact)),
}


@dataclass(frozen=True)
class Identifier(Parameter):
    """A number of the patient in one of its five forms (facts 4).

    `value`; `system|value`; `system|` for all of a system; `|value` for one without; and
    with our own system, or without any, the record number that we have given.
    """

    kind = "token"

    def condition(self, value: str, modifier: str = "") -> Q:
        system, bar, number = value.rpartition("|")
        asked = COUNTS
        if bar:
            asked &= Q(system=system)
        if number:
            asked &= Q(value=number)
        if not number and not system:
            return NOTHING
        rows = PatientIdentifier.objects.filter(asked)
        found = Q(pk__in=rows.order_by().values("patient"))
        if system in ("", MRN) and not (bar and not system):
            found |= Q(mrn=number) if number else Q(mrn__gt="")
        return found


def _name(parameter: Parameter, **of: Any) -> Of:
    return Of(PatientName, "patient", parameter, COUNTS & Q(**of))


class PatientResource(Resource):
    """Patients within reach (DESIGN section 5)."""

    type = "Patient"
    permissions = {
        "read": areas.OPEN_PROFILE,
        "search": areas.OPEN_PROFILE,
        "create": areas.CREATE_PATIENT,
        "update": areas.EDIT_PROFILE,
    }
    sorts = {
        "_id": ("key",),
        "birthdate": ("birth_date",),
        "family": ("sort_name",),
        "given": ("first_name",),
    }
    usual_order = (("sort_name", False),)

    def __init__(self) -> None:
        family = Text("folded_family", "family", folded_words)
        given = Text("folded_given", "given", folded_words, each=True)
        any_word = Text("folded_family", "family", folded_words, each=True)
        nickname = PatientName.Use.NICKNAME
        mail, phone = Q(system="email"), Q(system="phone")
        reached = {"model": PatientContactPoint, "owner": "patient"}
        self.parameters = {
            "_id": self.by_id(),
            "active": Token("active", BOOLEANS),
            "birthdate": Day("birth_date", "birth_date_precision"),
            "email": Of(**reached, inner=Token("value"), only=COUNTS & mail),
            "family": _name(family),
            "gender": Token("gender"),
            "given": _name(given),
            "identifier": Identifier(),
            "name": Either((_name(any_word), _name(given))),
            "nickname": _name(Either((given, any_word)), use=nickname),
            "phone": Of(**reached, inner=Token("value"), only=COUNTS & phone),
            "_has:CareTeam:participant:member": Of(
                CareTeamMembership,
                "patient",
                Reference("staff__key", "Practitioner", KEY),
                Q(status=CareTeamMembership.Status.ACTIVE),
            ),
            "_has:Group:member:_id": InGroup(),
        }

    def rows(self, request: Any) -> QuerySet:
        return within(request, Patient.objects.all(), "pk")

    def matches(self, request: Any, search: Search) -> Rows:
        named = any(asked.name in NAMES for asked in search.asked)
        return replace(super().matches(request, search), walked=not named)

    def find(self, request: Any, logical_id: str) -> Patient | None:
        return find_patient(request, logical_id)

    def to_fhir(self, request: Any, rows: Sequence[Patient]) -> list[Json]:
        for patient, owned in belongings(rows).items():
            patient.belongings = owned
        return [to_fhir(patient) for patient in rows]

    def seen(self, request: Any, rows: Sequence[Patient]) -> trail.Seen:
        return access.paths_to(reach(request), rows)

    def create(self, request: Any, data: Json) -> Patient:
        joined = PatientGroup.objects.filter(
            joinings__application=request.auth.application, retired__isnull=True
        )
        return patient_writing.create(request, data, joined)

    def update(
        self, request: Any, row: Patient, data: Json, check: Callable[[Patient], None]
    ) -> Patient:
        return patient_writing.update(request, row, data, check)

    def modified(self, row: Patient) -> datetime:
        """When the patient was changed, or anything that the resource shows."""
        # As it was shown; a row that was not is asked, and keeps nothing while it changes.
        shown = getattr(row, "belongings", None) or belongings([row])[row]
        return max(
            [row.modified, *(r.modified for rows in shown.values() for r in rows)]
        )


def belongings(patients: Sequence[Patient]) -> dict[Patient, Belongings]:
    """What belongs to each of these patients, by name: a query for each name."""
    by_key = {patient.pk: {name: [] for name in OWNED} for patient in patients}
    for name, rows in OWNED.items():
        for row in rows.rows(patients=list(by_key)):
            by_key[row.patient_id][name].append(row)
    return {patient: by_key[patient.pk] for patient in patients}


def to_fhir(patient: Patient) -> Json:
    """A patient with what belongs to the profile; nothing that was entered in error."""
    return filled(
        resourceType="Patient",
        id=patient.key,
        extension=[{"url": BIRTH_SEX, "valueCode": SEXES[patient.sex_at_birth]}],
        identifier=[
            _record_number(patient),
            *map(_identifier, _counting(patient.belongings["identifiers"])),
        ],
        active=patient.active,
        name=_names(patient, patient.belongings["names"]),
        telecom=[
            _telecom(each) for each in _counting(patient.belongings["contact_points"])
        ],
        gender=patient.gender,
        birthDate=patient.birth_date.strftime(DATES[patient.birth_date_precision]),
        deceasedBoolean=None if patient.deceased_at else patient.deceased,
        deceasedDateTime=patient.deceased_at and patient.deceased_at.isoformat(),
        address=[_address(each) for each in _counting(patient.belongings["addresses"])],
        contact=[_contact(each) for each in _counting(patient.belongings["contacts"])],
    )


def _counting(rows: list[Any]) -> list[Any]:
    return [row for row in rows if not row.entered_in_error]


def _record_number(patient: Patient) -> Json:
    kind = {"system": TYPES, "code": RECORD_NUMBER, "display": "Medical record number"}
    return {
        "use": "usual",
        "type": {"coding": [kind]},
        "system": MRN,
        "value": patient.mrn,
        "assigner": {"display": "Canvas Medical"},
    }


def _period(row: Any) -> Json:
    return filled(
        start=row.start and row.start.isoformat(), end=row.end and row.end.isoformat()
    )


def _identifier(row: PatientIdentifier) -> Json:
    """A number; of a social security number no more than the pages show."""
    kind = filled(system=TYPES, code=row.type_code, display=row.type_display)
    return filled(
        id=row.key,
        use=row.use,
        type={"coding": [kind]} if row.type_code else None,
        system=row.system,
        value=row.shown_value,
        period=_period(row),
    )


def _names(patient: Patient, named: list[PatientName]) -> list[Json]:
    """The names, the official one first; a patient has one even without a row of it."""
    official = PatientName.Use.OFFICIAL
    rows = sorted(_counting(named), key=lambda n: (n.use != official, n.pk))
    found = [
        filled(
            id=row.key,
            use=row.use,
            family=row.family,
            given=row.given.split(),
            prefix=[row.prefix] if row.prefix else [],
            suffix=[row.suffix] if row.suffix else [],
            period=_period(row),
        )
        for row in rows
    ]
    if rows and rows[0].use == official:
        return found
    given = f"{patient.first_name} {patient.middle_name}".split()
    return [filled(use=official, family=patient.last_name, given=given), *found]


def _telecom(row: PatientContactPoint) -> Json:
    return filled(
        id=row.key,
        system=row.system,
        value=row.value,
        use=row.use,
        rank=row.rank or None,
    )


def _address(row: PatientAddress) -> Json:
    return filled(
        id=row.key,
        use=row.use,
        text=row.text,
        line=[row.lines] if row.lines else [],
        city=row.city,
        state=row.state,
        postalCode=row.postal_code,
        country=row.country,
        period=_period(row),
    )


def _contact(row: PatientContact) -> Json:
    emergency = {
        "url": EMERGENCY,
        "valueBoolean": row.emergency_contact,
    }
    ways = [("phone", row.phone), ("email", row.email)]
    end = row.end and row.end.isoformat()
    return filled(
        id=row.key,
        extension=[emergency],
        relationship=[{"text": row.relationship}] if row.relationship else [],
        name={"text": row.name},
        telecom=[{"system": s, "value": v} for s, v in ways if v],
        period={"end": end} if end else None,
    )
