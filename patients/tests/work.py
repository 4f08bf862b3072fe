"""Work for the cast, for tests."""

from typing import Any

from canvas_admin.records import clock
from patients.models import LabReport, Medication, Patient, RefillRequest


def make_lab(patient: Patient, **fields: Any) -> LabReport:
    """A lab report that waits for a review; reported now unless told."""
    values = {"display": "Blood count", "status": "final", "reported": clock.now()}
    return LabReport.objects.create(patient=patient, **(values | fields))


def make_refill(patient: Patient, **fields: Any) -> RefillRequest:
    """A pharmacy's request that waits for an answer."""
    medicine = Medication(patient=patient, display="Lisinopril", status="active")
    medicine.save()
    return RefillRequest.objects.create(
        patient=patient, medication=medicine, pharmacy="Main Street Pharmacy", **fields
    )
