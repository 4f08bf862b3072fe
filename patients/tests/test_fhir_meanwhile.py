"""Who leaves a program's reach between the look-up and the write is not written to."""

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.fhir.server import FhirView
from canvas_admin.testing import make_staff
from canvas_admin.tests.programs import Program
from patients.models import CareTeamMembership
from patients.tests.test_fhir_care_team import part, roles, team  # noqa: F401


@pytest.fixture
def program(cast, monkeypatch):
    """A program that reaches North until it has found the resource which it updates."""
    found = FhirView.find

    def then_leaves(view, *arguments):
        row = found(view, *arguments)
        if view.request.method == "PUT":
            cast.north.remove(cast.ada)
        return row

    monkeypatch.setattr(FhirView, "find", then_leaves)
    staff = make_staff("bot", "Profile read", "Profile write", "Patients: North")
    return Program(staff)


def refused(cast, answer, kind):
    text = f"Unknown {kind} resource '{cast.ada.key}'"
    assert answer.status_code == 404
    assert answer.json()["issue"][0]["details"]["text"] == text
    (row,) = AuditRow.objects.filter(action=f"fhir:{kind}.update")
    assert row.outcome == AuditRow.Outcome.REFUSED


def test_a_patient_stays_as_it_was(cast, program):
    sent = program.read(f"Patient/{cast.ada.key}") | {"birthDate": "1950-01-01"}
    version = cast.ada.version
    refused(cast, program.send("PUT", f"Patient/{cast.ada.key}", sent), "Patient")
    cast.ada.refresh_from_db()
    assert cast.ada.version == version


def test_a_care_team_stays_as_it_was(cast, program, roles):  # noqa: F811
    sent = team(cast.ada, part(cast.nora, roles["pcp"]))
    refused(cast, program.send("PUT", f"CareTeam/{cast.ada.key}", sent), "CareTeam")
    assert not CareTeamMembership.objects.exists()
