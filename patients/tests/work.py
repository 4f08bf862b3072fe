"""Work for the cast, for tests."""

from typing import Any

from canvas_admin.records import clock
from patients.models import LabReport, Patient


def make_lab(patient: Patient, **fields: Any) -> LabReport:
    """A lab report that waits for a review; reported now unless told."""
    values = {"display": "Blood count", "status": "final", "reported": clock.now()}
    return LabReport.objects.create(patient=patient, **(values | fields))
