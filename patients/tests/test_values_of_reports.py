"""The values of a report are within reach by themselves, not because the report is."""

from importlib import import_module
from types import SimpleNamespace

import pytest

from canvas_admin.testing import make_staff
from patients import access
from patients.models import LabReport, Observation
from patients.tests.work import make_lab

results = import_module("patients.views.results")


@pytest.fixture
def forgetful(monkeypatch):
    """Reports are everybody's."""
    rows = SimpleNamespace(
        in_chart_of=lambda patient, account: LabReport.objects.filter(patient=patient)
    )
    monkeypatch.setattr(results, "LabReport", SimpleNamespace(objects=rows))


@pytest.mark.usefixtures("forgetful")
def test_values_are_narrowed_once_more(cast):
    reach = access.Reach.of(make_staff("pat", "Patients: North").user)
    for patient, shown in ((cast.ada, 1), (cast.ben, 0)):
        report = make_lab(patient)
        Observation.objects.create(patient=patient, report=report, display="Iron")
        (row,) = results.KINDS["labs"].rows(patient, reach)
        assert len(row.values.all()) == shown
