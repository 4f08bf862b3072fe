"""The demo clinic's notes: signed ones of visits that are over, and an open one of today."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from canvas_admin.records import clock
from patients.models import (
    Appointment,
    Diagnosis,
    ImagingOrder,
    Instruction,
    LabOrder,
    Note,
    Patient,
    Plan,
    Prescription,
    ReasonForVisit,
    Referral,
    VitalSigns,
)
from staffing.models import Location, Staff

Content = list[tuple[type, dict[str, Any]]]

VITALS = {
    "height": Decimal("66"),
    "weight": Decimal("154.5"),
    "temperature": Decimal("98.4"),
    "pulse": Decimal("72"),
    "respiration_rate": Decimal("14"),
    "oxygen_saturation": Decimal("98"),
    "systolic": Decimal("128"),
    "diastolic": Decimal("82"),
}
# What is in the signed notes, by turns.
VISITS: tuple[Content, ...] = (
    [
        (VitalSigns, VITALS),
        (
            Plan,
            {"narrative": "Blood pressure at home, twice a week.\nBack in a month."},
        ),
    ],
    [
        (
            Instruction,
            {
                "display": "Exercise",
                "narrative": "Half an hour a day, such as walking.",
            },
        ),
        (Plan, {"narrative": "No change of medication."}),
    ],
)
# A signed note with something of most kinds, and the open one.
LONG_VISIT: Content = [
    (ReasonForVisit, {"comment": "Headaches for three weeks, worse in the evening."}),
    (VitalSigns, VITALS),
    (
        Diagnosis,
        {
            "code": "G44.209",
            "display": "Tension-type headache",
            "assessment": "Most evenings, no nausea. No warning signs.",
        },
    ),
    (
        Prescription,
        {
            "display": "Naproxen 250 mg tablet",
            "sig": "One tablet with food when it begins, at most three a day.",
            "quantity": Decimal(20),
            "quantity_unit": "tablets",
            "refills": 2,
            "pharmacy": "Main Street Pharmacy",
        },
    ),
    (
        LabOrder,
        {
            "tests": "Metabolic panel\nComplete blood count",
            "lab": "City Lab",
            "specimen": LabOrder.Specimen.HERE,
        },
    ),
    (
        Referral,
        {
            "refer_to": "Psychiatry",
            "clinical_question": "Sleeps badly since the spring. Is it depression?",
            "delegated": True,
            "internal_comment": "Prefers the morning.",
        },
    ),
    (Plan, {"narrative": "Keep a diary of the headaches.\nBack in four weeks."}),
]
TODAY: Content = [
    (VitalSigns, VITALS),
    (ImagingOrder, {"study": "Chest X-ray", "centre": "North Imaging"}),
    (Plan, {"narrative": "Wait for the picture."}),
]


@transaction.atomic
def make_notes(people: dict[Patient, Staff]) -> None:
    """Notes for these patients, of the person who sees each, and for visits of this week."""
    if Note.objects.filter(source_id="").exists():
        return
    for patient, provider in people.items():
        start = clock.now() - timedelta(days=30)
        note = _note(patient, provider, started=start, title="Headaches")
        write(note, LONG_VISIT, provider)
        note.sign(provider.user)
    over = Appointment.objects.filter(status=Appointment.Status.FULFILLED)
    for number, visit in enumerate(over.select_related("provider__user")[:8]):
        note = _of_visit(visit)
        write(note, VISITS[number % len(VISITS)], visit.provider)
        note.sign(visit.provider.user)
    _begin_one_today()


def place_imported_notes(patients: dict[str, list[Patient]]) -> None:
    """Say where what was imported took place; `patients` are by the place they go to.

    The bundles name hospitals that are no place of this clinic.
    """
    for name, people in patients.items():
        notes = Note.objects.filter(patient__in=people, location=None)
        place = Location.objects.get(name=name)
        notes.exclude(source_id="").update(location=place)


def write(note: Note, content: Content, by: Staff, drafts: int = 0) -> None:
    """Write commands into a note and commit them, but for the last `drafts`."""
    for number, (model, fields) in enumerate(content):
        command = model(note=note, originator=by, **fields)
        command.save()
        if number < len(content) - drafts:
            command.commit(by.user)


def _begin_one_today() -> None:
    """The first visit that is still to come today is in the room, its note begun."""
    now = clock.now()
    coming = Appointment.objects.filter(
        start__gte=now,
        start__lt=now + timedelta(hours=12),
        provider__user__isnull=False,
    )
    if visit := coming.select_related("provider__user").first():
        visit.status = Appointment.Status.CHECKED_IN
        visit.save()
        write(_of_visit(visit), TODAY, visit.provider, drafts=2)


def _of_visit(visit: Appointment) -> Note:
    note = _note(
        visit.patient,
        visit.provider,
        appointment=visit,
        started=visit.start,
        location=visit.location,
        visit_type=visit.visit_type,
    )
    if visit.reason:
        write(note, [(ReasonForVisit, {"comment": visit.reason})], visit.provider)
    return note


def _note(patient: Patient, provider: Staff, **fields: Any) -> Note:
    given = {"location": provider.primary_location, "originator": provider}
    note = Note(patient=patient, provider=provider, **given | fields)
    note.save(by=provider.user)
    return note
