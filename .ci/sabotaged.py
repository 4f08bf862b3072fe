"""What stands in the place of a guard that sabotage.py removed: each forgets one thing."""

from typing import Any

from django.contrib.auth.models import Group

from canvas_admin.records.models import find_row
from patients import access, gate
from patients.models import Patient


def any_patient(request: Any, key: str, *permissions: str) -> Patient:
    """gate.open_patient() without the rule: permissions alone."""
    patient = find_row(Patient.objects.all(), key)
    if patient is None or not request.user.has_perms(permissions):
        raise gate.Refused(key)
    return patient


def found_patient(_request: Any, key: str) -> Patient | None:
    """gate.find_patient() among all patients."""
    return find_row(Patient.objects.all(), key)


def found_patients(_request: Any, keys: Any) -> dict[str, Patient]:
    """gate.find_patients() among all patients."""
    return {each.key: each for each in Patient.objects.filter(key__in=list(keys))}


def any_row(rows: Any, key: str, patient: Patient) -> Any:
    """gate.open_row() among all rows of the model."""
    row = find_row(rows.model._base_manager.all(), key)
    if row is None:
        raise gate.Refused(patient.key)
    return row


def not_asked_anew(request: Any, *patients: Patient) -> Any:
    """gate.still_open() that refuses nobody."""
    return access.paths_to(request.user, patients)


def any_of(_account: Any, patients: Any) -> dict[Patient, str]:
    """access.opened() of whoever is asked about."""
    return dict.fromkeys(Patient.objects.filter(pk__in=list(patients)), "all-patients")


def rows_of(rows: Any, patient: Patient) -> Any:
    """rows.about() of the patient, whoever asks."""
    return rows.filter(patient=patient)


def chart_of(rows: Any, patient: Patient) -> Any:
    """rows.in_chart_of() of the patient, whoever asks."""
    found = rows_of(rows.all(), patient)
    if hasattr(found, "counting"):
        return found.counting()
    return found.filter(entered_in_error=False)


def any_choice(rows: Any) -> Any:
    """A form's choice among all rows of the model."""
    return rows.model._base_manager.all()


def any_group() -> Any:
    """staffing's grantable(): every auth group."""
    return Group.objects.all()
