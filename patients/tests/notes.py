"""Notes and commands, for tests."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from patients.models import (
    Diagnosis,
    ImagingOrder,
    Instruction,
    LabOrder,
    Note,
    NoteTask,
    Patient,
    Plan,
    Prescription,
    ReasonForVisit,
    Referral,
    VitalSigns,
)
from staffing.models import Location, VisitType

# A valid command of each kind.
CONTENT: dict[type, dict[str, Any]] = {
    ReasonForVisit: {"comment": "Headache"},
    Plan: {"narrative": "Rest for a week"},
    Instruction: {"display": "Drink water"},
    VitalSigns: {
        "weight": Decimal(154),
        "height": Decimal(70),
        "systolic": Decimal(120),
        "diastolic": Decimal(80),
    },
    Diagnosis: {"code": "G43.909", "display": "Migraine", "assessment": "Stable"},
    Prescription: {"display": "Ibuprofen 400 mg", "sig": "Take one", "refills": 2},
    LabOrder: {"tests": "Metabolic panel\nLipid panel", "lab": "Quest"},
    ImagingOrder: {"study": "Chest X-ray", "centre": "North Imaging"},
    Referral: {"refer_to": "Psychiatry", "clinical_question": "Adjust treatment?"},
    NoteTask: {"title": "Call the patient"},
}


def note_of(patient: Patient, provider: Any, **fields: Any) -> Note:
    """An open note about a patient, which this staff member began."""
    location, _made = Location.objects.get_or_create(name="Main street")
    visit_type, _made = VisitType.objects.get_or_create(
        name="Check-up", defaults={"code": "308335008"}
    )
    given = {
        "title": "Follow-up",
        "provider": provider,
        "originator": provider,
        "location": location,
        "visit_type": visit_type,
        "started": datetime(2026, 3, 2, 15, tzinfo=UTC),
    }
    note = Note(patient=patient, **given | fields)
    note.save(by=provider.user)
    return note


def write(note: Note, model: type, **fields: Any) -> Any:
    """A staged command of this kind in a note."""
    command = model(note=note, **CONTENT[model] | fields)
    command.save()
    return command


def signed_note(patient: Patient, provider: Any, *models: type) -> Note:
    """A signed note with a committed command of each of these kinds, or a plan."""
    note = note_of(patient, provider)
    for model in models or (Plan,):
        write(note, model).commit(provider.user)
    note.sign(provider.user)
    return note
