"""A chart with a row of everything, for tests."""

from patients.models import (
    AllergyIntolerance,
    ClinicalDocument,
    Condition,
    ImagingReport,
    Immunization,
    LabReport,
    Medication,
    Observation,
    Patient,
)

CLINICAL_MODELS = (
    Condition,
    Medication,
    AllergyIntolerance,
    Immunization,
    LabReport,
    ImagingReport,
    ClinicalDocument,
)


def fill_the_chart(patient: Patient, code: str) -> None:
    """One row of everything that a chart has, with this code."""
    row = {"patient": patient, "code": code}
    Condition.objects.create(**row, display="Hypertension", clinical_status="active")
    Medication.objects.create(
        **row, display="Lisinopril", status="active", directions="Take one"
    )
    AllergyIntolerance.objects.create(
        **row, display="Peanut", clinical_status="active", reaction="Hives"
    )
    Immunization.objects.create(**row, display="Measles vaccine", status="completed")
    ClinicalDocument.objects.create(
        **row, display="Discharge summary", text="Went home well"
    )
    ImagingReport.objects.create(**row, display="Chest X-ray", status="final")
    report = LabReport.objects.create(**row, display="Metabolic panel", status="final")
    Observation.objects.create(
        **row,
        display="Glucose",
        report=report,
        status="final",
        value="7",
        unit="mmol/L",
        reference_range="4 – 6",
        interpretation="High",
        abnormal=True,
    )
    Observation.objects.create(**row, display="Pulse", status="final", value="60")
