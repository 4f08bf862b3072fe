"""Putting a new patient into the records, and asking whether one is there already.

S2: "Object permissions will not have an impact on creating a new patient." Creating
gives no access by itself: the patient groups that the creator chooses do (DESIGN 4).
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from canvas_admin.audit import trail
from canvas_admin.records.models import key_from_form
from patients import access, grants
from patients.models import Patient, PatientContactPoint, PatientGroup, PatientName
from patients.search.folding import SEPARATOR, fold
from staffing.standing import Standing

# More than this many duplicates are not told of: one is enough.
ENOUGH = 20


class SavedAlready(Exception):
    """The form was sent before; `patient` is what it made then."""

    def __init__(self, patient: Patient) -> None:
        super().__init__()
        self.patient = patient


def groups_of(creator: Any) -> QuerySet[PatientGroup]:
    """The permission patient groups that an account holds, by name."""
    held = grants.opened_by(Standing.of(creator).auth_groups)
    return held.order_by("name", "pk")


def duplicates(first_name: str, last_name: str, birth_date: date) -> list[Patient]:
    """Patients of this last name who were born that day and whose first word is the same.

    The first word of all given names, as folded: an import divides "Mary Ann" into first
    and middle name, a person who types it may not. Equal given names begin alike too.

    Among all patients: inactive, deceased and out of reach too. Who asks is told yes or
    no and nothing else (security A4); the rows are for the audit trail.
    """
    wanted = _compared(first_name, last_name)
    start = f"{wanted[0][:60]}{SEPARATOR}"
    family = Patient.objects.filter(birth_date=birth_date, sort_name__startswith=start)
    alike = [
        patient
        for patient in family.order_by("sort_name")
        if _compared(f"{patient.first_name} {patient.middle_name}", patient.last_name)
        == wanted
    ]
    return alike[:ENOUGH]


def create_patient(
    *,
    creator: Any,
    form_token: str,
    first_name: str,
    middle_name: str,
    last_name: str,
    birth_date: date,
    sex_at_birth: str,
    gender: str,
    phone: str,
    email: str,
    groups: Iterable[PatientGroup],
    request: Any = None,
) -> Patient:
    """A new patient with official name, contact points and memberships, all or nothing.

    `form_token` names the form that was filled in. Raises SavedAlready when the same
    form of the same person was saved before, or at the same moment by another process:
    the patient's unique key follows from the token.
    """
    patient = Patient(
        key=key_from_form(Patient, creator, form_token),
        first_name=first_name,
        middle_name=middle_name,
        last_name=last_name,
        birth_date=birth_date,
        sex_at_birth=sex_at_birth,
        gender=gender,
    )
    try:
        with transaction.atomic():
            patient.save()
            _add_rows(patient, phone, email)
            # In one order, so that two intakes never wait for each other's group.
            chosen = sorted(groups, key=lambda group: group.pk)
            for group in chosen:
                group.add(patient, by=creator)
            trail.done(
                creator,
                "patient.create",
                access.paths_to(creator, [patient]),
                request=request,
                subject=f"patient/{patient.key}",
                groups=[str(group.externally_exposable_id) for group in chosen],
            )
    except IntegrityError:
        refuse_second_saving(creator, form_token)
        raise
    return patient


def refuse_second_saving(creator: Any, form_token: str) -> None:
    """Raises SavedAlready when this person's form has made a patient before."""
    key = key_from_form(Patient, creator, form_token)
    if earlier := Patient.objects.filter(key=key).first():
        raise SavedAlready(earlier)


def _compared(given: str, family: str) -> tuple[str, str]:
    """The folded last name, and the first word of the folded given names."""
    return fold(family), fold(given).partition(" ")[0]


def _add_rows(patient: Patient, phone: str, email: str) -> None:
    PatientName.objects.create(
        patient=patient,
        given=f"{patient.first_name} {patient.middle_name}".strip(),
        family=patient.last_name,
    )
    kinds = PatientContactPoint.System
    ways = [(kinds.PHONE, phone), (kinds.EMAIL, email)]
    for rank, (system, value) in enumerate([way for way in ways if way[1]], start=1):
        PatientContactPoint.objects.create(
            patient=patient,
            system=system,
            value=value,
            use=PatientContactPoint.Use.HOME,
            rank=rank,
        )
