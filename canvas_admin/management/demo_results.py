"""The demo clinic's panels: fresh results and refill requests, some with somebody."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from canvas_admin.records import clock
from patients.models import (
    ClinicalDocument,
    Communication,
    ImagingReport,
    LabReport,
    Medication,
    Observation,
    Patient,
    RefillRequest,
)
from staffing.models import Staff, Team

RESULTS = 4
LABS: tuple[tuple[str, tuple[tuple[str, str, str, str, bool], ...]], ...] = (
    (
        "Basic metabolic panel",
        (
            ("Glucose", "112", "mg/dL", "70 – 99", True),
            ("Potassium", "4.1", "mmol/L", "3.5 – 5.1", False),
            ("Creatinine", "0.9", "mg/dL", "0.6 – 1.3", False),
        ),
    ),
    (
        "Complete blood count",
        (
            ("Hemoglobin", "13.9", "g/dL", "12.0 – 16.0", False),
            ("White blood cells", "6.2", "10*3/uL", "4.0 – 11.0", False),
        ),
    ),
    (
        "Lipid panel",
        (
            ("Total cholesterol", "231", "mg/dL", "below 200", True),
            ("HDL cholesterol", "48", "mg/dL", "above 40", False),
        ),
    ),
    ("Thyroid stimulating hormone", (("TSH", "2.3", "mIU/L", "0.4 – 4.5", False),)),
)
IMAGING = (
    ("Chest X-ray, two views", "Digital radiography", "Chest", "No acute finding."),
    ("Knee X-ray", "Digital radiography", "Knee", "Mild joint space narrowing."),
)
LETTER = (
    "Letter of the cardiologist",
    "Seen for palpitations. The rhythm over 24 hours was normal. No treatment is needed; "
    "please see the patient again in six months.",
)
PHARMACY = "Main Street Pharmacy"
PROPOSAL = "Not in stock. May it be the same in half the strength, two at a time?"
MESSAGE = "The thyroid is fine, the dose stays. Is the tiredness any better?"


@transaction.atomic
def make_results(by_holder: dict[str, list[Patient]]) -> None:
    """Results of the last days, unless there are some; `by_holder` are patients by the
    user name of whoever sees them.

    One is with somebody who has left, so that “Stranded work” has something to show.
    """
    if RefillRequest.objects.exists():
        return
    team, now = Team.objects.order_by("pk").first(), clock.now()
    for turn, (username, patients) in enumerate(by_holder.items()):
        staff = Staff.objects.select_related("user").get(user__username=username)
        holders = _holders(staff, team)
        for number, patient in enumerate(patients[:RESULTS]):
            since = now - timedelta(hours=5 + 19 * number + 7 * turn)
            _lab(patient, LABS[(number + turn) % len(LABS)], since, next(holders))
        for patient, study in zip(patients, IMAGING, strict=False):
            since -= timedelta(hours=9)
            _imaging(patient, study, since, next(holders))
        for patient in patients[:1]:
            since -= timedelta(hours=2)
            _letter(patient, since, next(holders))
            _reviewed(patient, since, staff)
        for number, patient in enumerate(patients[:3]):
            since -= timedelta(hours=3)
            _refill(patient, since, "" if number else PROPOSAL)
    gone = Staff.objects.filter(active=False).order_by("pk").first()
    left = LabReport.objects.filter(LabReport.OPEN, assignee=None, team=None).first()
    if gone and left:
        left.hand_to(assignee=gone)
        left.save()


def _holders(staff: Staff, team: Team | None) -> Iterator[dict[str, Any]]:
    """In turn: the person, nobody, the team."""
    while True:
        yield {"assignee": staff, "assigned_at": clock.now()}
        yield {}
        yield {"team": team, "assigned_at": clock.now()}


def _reviewed(patient: Patient, reported: datetime, staff: Staff) -> None:
    """A result that somebody has looked at, and that others are to tell of."""
    report = _lab(patient, LABS[-1], reported, {"assignee": staff})
    report.review(staff, "", Communication.DELEGATED)
    report.save()
    report.delegate(staff.user, MESSAGE)


def _lab(
    patient: Patient, panel: Any, reported: datetime, who: dict[str, Any]
) -> LabReport:
    name, values = panel
    row = {"patient": patient, "status": "final"}
    report = LabReport.objects.create(**row, display=name, reported=reported, **who)
    for title, value, unit, usual, abnormal in values:
        Observation.objects.create(
            **row,
            report=report,
            category="laboratory",
            display=title,
            value=value,
            unit=unit,
            reference_range=usual,
            interpretation="High" if abnormal else "",
            abnormal=abnormal,
            observed=reported,
        )
    return report


def _imaging(
    patient: Patient, study: Any, reported: datetime, who: dict[str, Any]
) -> None:
    name, modality, site, conclusion = study
    ImagingReport.objects.create(
        patient=patient,
        status="final",
        display=name,
        modality=modality,
        body_site=site,
        conclusion=conclusion,
        reported=reported,
        **who,
    )


def _letter(patient: Patient, dated: datetime, who: dict[str, Any]) -> None:
    title, text = LETTER
    ClinicalDocument.objects.create(
        patient=patient,
        kind=ClinicalDocument.Kind.CONSULT,
        display=title,
        text=text,
        clinical_date=dated,
        **who,
    )


def _refill(patient: Patient, requested: datetime, proposal: str) -> None:
    medicines = Medication.objects.filter(patient=patient, entered_in_error=False)
    if medicine := medicines.order_by("status", "-started", "pk").first():
        RefillRequest.objects.create(
            patient=patient,
            medication=medicine,
            kind=RefillRequest.Kind.CHANGE if proposal else RefillRequest.Kind.REFILL,
            proposal=proposal,
            pharmacy=PHARMACY,
            requested=requested,
        )
