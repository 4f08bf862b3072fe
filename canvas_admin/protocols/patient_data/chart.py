"""What the chart tells: conditions, medicines, results and the like (facts 7.2)."""

from datetime import datetime

from django.db.models import Prefetch

from canvas_admin.protocols.patient_data.shapes import (
    Json,
    codings,
    day,
    instant,
    person,
)
from patients.access import Reach
from patients.models import (
    AllergyIntolerance,
    ClinicalDocument,
    Condition,
    ImagingReport,
    Immunization,
    Instruction,
    LabOrder,
    LabReport,
    Medication,
    Observation,
    Patient,
    Prescription,
    ReasonForVisit,
    Referral,
)
from patients.models.commands import Command
from patients.models.findings import LOINC, VITAL_SIGNS

SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
COUNTS = {"entered_in_error": False}
GIVEN, CONSULT = Immunization.Status.COMPLETED, ClinicalDocument.Kind.CONSULT


def _rows(model: type, patient: Patient, reach: Reach, **only: str) -> list:
    rows = model.objects.in_chart_of(patient, reach).filter(**only)
    return list(rows.order_by("pk"))


def _committed(model: type[Command], patient: Patient, reach: Reach) -> list:
    """Commands that count, with their note and who committed them."""
    rows = model.objects.about(patient, reach).filter(state=Command.State.COMMITTED)
    return list(rows.select_related("note", "committer").order_by("pk"))


def conditions(patient: Patient, reach: Reach) -> list[Json]:
    """Problems and diagnoses, each with the time in which it was there, if that is known."""
    return [
        {
            "id": row.pk,
            "noteTimestamp": instant(row.onset),
            "created": instant(row.onset),
            "clinicalStatus": "active" if row.ongoing else "resolved",
            "committer": 1,
            "coding": codings(row),
            "lastTimestamps": {
                "assessed": None,
                "billed": None,
                "assessedAndBilled": None,
            },
            "periods": _period(row.onset, row.abatement),
        }
        for row in _rows(Condition, patient, reach)
    ]


def _period(begin: datetime | None, end: datetime | None) -> list[Json]:
    return [{"from": instant(begin), "to": instant(end)}] if begin else []


def medications(patient: Patient, reach: Reach) -> list[Json]:
    """Medicines; one that is taken no more ended when that was written."""
    return [
        {
            "id": row.pk,
            "status": row.status,
            "coding": codings(row),
            "periods": _period(row.started, None if row.ongoing else row.modified),
        }
        for row in _rows(Medication, patient, reach)
    ]


def allergies(patient: Patient, reach: Reach) -> list[Json]:
    """Allergies and intolerances."""
    return [
        {
            "id": row.pk,
            "status": row.clinical_status,
            "coding": codings(row),
            "severity": row.criticality,
            "narrative": row.reaction,
            "onsetDate": instant(row.onset or row.recorded),
        }
        for row in _rows(AllergyIntolerance, patient, reach)
    ]


def immunizations(patient: Patient, reach: Reach) -> list[Json]:
    """Vaccines that were given."""
    return [
        {"id": row.pk, "coding": codings(row), "dateOrdered": instant(row.given)}
        for row in _rows(Immunization, patient, reach, status=GIVEN)
    ]


def vital_signs(patient: Patient, reach: Reach) -> list[Json]:
    """Each measured value by itself."""
    return [
        {
            "id": row.pk,
            "dateRecorded": instant(row.observed),
            "loincNum": row.code,
            "display": row.display,
            "value": row.value,
            "units": row.unit,
        }
        for row in _rows(Observation, patient, reach, category=VITAL_SIGNS)
    ]


def lab_reports(patient: Patient, reach: Reach) -> list[Json]:
    """What laboratories reported: a record for each value, as the kit's measures expect."""
    values = Observation.objects.filter(**COUNTS, system=LOINC).order_by("pk")
    rows = LabReport.objects.in_chart_of(patient, reach).select_related("reviewed_by")
    rows = rows.prefetch_related(Prefetch("values", values))
    return [
        _lab_value(row, value)
        for row in rows.order_by("pk")
        for value in row.values.all() or [None]
    ]


def _lab_value(row: LabReport, value: Observation | None) -> Json:
    """A value of a report, or a report of which no value is known."""
    said = {"value": value.value, "units": value.unit} if value else {}
    code = value and {
        "id": value.pk,
        "created": instant(value.observed),
        "modified": instant(value.observed),
        "code": value.code,
        "name": value.display,
        **said,
    }
    return {
        "id": value.pk if value else row.pk,
        "report": row.pk,
        "originalDate": instant(row.reported),
        "loincCodes": [code] if code else [],
        "value": "",
        "units": "",
        "reviewers": [{"key": row.reviewed_by.key}] if row.reviewed_by else [],
        **said,
    }


def imaging_reports(patient: Patient, reach: Reach) -> list[Json]:
    """Imaging reports."""
    return [
        {
            "id": row.pk,
            "resultDate": instant(row.reported),
            "originalDate": instant(row.reported),
            "codings": codings(row, value=row.conclusion),
        }
        for row in _rows(ImagingReport, patient, reach)
    ]


def referral_reports(patient: Patient, reach: Reach) -> list[Json]:
    """Consult reports."""
    return [
        {
            "id": row.pk,
            "originalDate": instant(row.clinical_date),
            "specialty": "",
            "codings": codings(row, value=""),
        }
        for row in _rows(ClinicalDocument, patient, reach, kind=CONSULT)
    ]


def lab_orders(patient: Patient, reach: Reach) -> list[Json]:
    """Committed laboratory orders."""
    return [
        {
            "id": row.pk,
            "dateOrdered": instant(row.committed_at),
            "noteTimestamp": instant(row.note.started),
            "ontologyLabPartner": row.lab,
            "orderingProvider": person(row.committer),
            "tests": [
                {"id": n, "ontologyTestName": name, "ontologyTestCode": ""}
                for n, name in enumerate(row.test_names, 1)
            ],
            "indications": [],
            "comment": row.comment,
        }
        for row in _committed(LabOrder, patient, reach)
    ]


def instructions(patient: Patient, reach: Reach) -> list[Json]:
    """Committed instructions."""
    return [
        {
            "id": row.pk,
            "coding": codings(row, SNOMED),
            "noteTimestamp": instant(row.note.started),
        }
        for row in _committed(Instruction, patient, reach)
    ]


def prescriptions(patient: Patient, reach: Reach) -> list[Json]:
    """Committed prescriptions."""
    return [
        {
            "externallyExposableId": row.key,
            "sig": row.sig,
            "medicationId": row.medication_id,
            "dispenseQuantity": None if row.quantity is None else float(row.quantity),
            "unit": row.quantity_unit,
            "durationInDays": None,
            "countOfRefillsAllowed": row.refills,
            "genericSubstitutionsAllowed": True,
            "coding": codings(row, RXNORM),
            "status": "active",
            "prescriber": str(row.committer or ""),
        }
        for row in _committed(Prescription, patient, reach)
    ]


def referrals(patient: Patient, reach: Reach) -> list[Json]:
    """Committed referrals."""
    return [
        {
            "report": None,
            "order": {
                "id": row.pk,
                "status": "NEW",
                "task": None,
                "serviceProvider": {"specialty": row.refer_to, "notes": row.contact},
                "assessments": [],
                "clinicalQuestion": row.clinical_question,
                "priority": row.priority,
                "forwarded": row.delegated,
                "internalComment": row.internal_comment,
                "dateReferred": day(row.committed_at),
                "created": instant(row.created),
                "deleted": False,
                "ignored": False,
                "originator": row.originator_id,
                "committer": row.committer_id,
                "note": row.note_id,
                "patient": row.patient_id,
            },
            "timestamp": instant(row.committed_at),
        }
        for row in _committed(Referral, patient, reach)
    ]


def reasons(patient: Patient, reach: Reach) -> list[Json]:
    """Committed reasons for visits."""
    return [
        {
            "id": row.pk,
            "comment": row.comment,
            "coding": [],
            "datetimeOfService": instant(row.note.started),
        }
        for row in _committed(ReasonForVisit, patient, reach)
    ]
