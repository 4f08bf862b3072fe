"""Who leaves a program's reach between the look-up and the write is not written to."""

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.fhir.server import FhirView
from canvas_admin.testing import make_staff
from canvas_admin.tests.programs import Program
from patients.models import CareTeamMembership
from patients.tests.test_fhir_care_team import part, roles, team  # noqa: F401


@pytest.fixture
def program(cast):
    staff = make_staff("bot", "Profile read", "Profile write", "Patients: North")
    return Program(staff)


def leaving(cast, monkeypatch, place, name):
    """After this step ada is in North no more."""
    taken = getattr(place, name)

    def then_leaves(*arguments):
        found = taken(*arguments)
        cast.north.remove(cast.ada)
        return found

    monkeypatch.setattr(place, name, then_leaves)


def refused(cast, answer, kind):
    text = f"Unknown {kind} resource '{cast.ada.key}'"
    assert answer.status_code == 404
    assert answer.json()["issue"][0]["details"]["text"] == text
    (row,) = AuditRow.objects.filter(action=f"fhir:{kind}.update")
    assert row.outcome == AuditRow.Outcome.REFUSED


def test_a_patient_stays_as_it_was(cast, program, monkeypatch):
    sent = program.read(f"Patient/{cast.ada.key}") | {"birthDate": "1950-01-01"}
    version = cast.ada.version
    leaving(cast, monkeypatch, FhirView, "find")
    refused(cast, program.send("PUT", f"Patient/{cast.ada.key}", sent), "Patient")
    cast.ada.refresh_from_db()
    assert cast.ada.version == version


def test_a_care_team_stays_as_it_was(cast, program, roles, monkeypatch):  # noqa: F811
    sent = team(cast.ada, part(cast.nora, roles["pcp"]))
    leaving(cast, monkeypatch, FhirView, "find")
    refused(cast, program.send("PUT", f"CareTeam/{cast.ada.key}", sent), "CareTeam")
    assert not CareTeamMembership.objects.exists()
