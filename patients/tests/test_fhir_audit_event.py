"""FHIR AuditEvent: the trail for "Audit read", without a way to patients out of reach."""

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_application, make_staff
from canvas_admin.tests.programs import Program, ids, said
from patients.api import audit_event


@pytest.fixture
def acts(cast):
    """Two acts that somebody did, of which one was refused."""
    AuditRow.objects.all().delete()
    Program(make_staff("all", "Profile read", "All Patients")).search("Patient")
    Program(make_staff("north", "Profile read", "Patients: North")).get(
        f"Patient/{cast.ben.key}"
    )
    shown = AuditRow.objects.get(action="fhir:Patient.search", patient="")
    refused = AuditRow.objects.get(action="fhir:Patient.read", patient="")
    return shown, refused


def reader(cast, *groups):
    """A program that reads the trail."""
    return Program(make_application("Watch", "Audit read", *groups).staff)


def test_an_act_is_told_with_whom_it_was_about(cast, acts):
    shown, _refused = acts
    found = reader(cast, "Patients: North").read(f"AuditEvent/{shown.event}")
    assert (found["action"], found["outcome"]) == ("R", "0")
    assert found["agent"][0]["name"] == "all"
    entities = [each["what"] for each in found["entity"]]
    names = sorted(each["display"] for each in entities)
    assert names == ["Ada Alvarez", "Ben Brandt", "Cyn Castillo"]
    referred = [each["reference"] for each in entities if "reference" in each]
    assert referred == [f"Patient/{cast.ada.key}"]


def test_trail_and_answer_ask_once(cast, acts, monkeypatch):
    asked, told = [], audit_event.Told
    monkeypatch.setattr(audit_event, "Told", lambda *of: asked.append(of) or told(*of))
    shown, _refused = acts
    reader(cast).read(f"AuditEvent/{shown.event}")
    assert len(asked) == 1


def test_acts_are_found(cast, acts):
    shown, refused = acts
    program = reader(cast)
    for query, wanted in [
        ({"outcome": "4"}, [refused]),
        ({"agent-name": "all", "outcome": "0"}, [shown]),
        ({"subtype": "fhir:Patient.read"}, [refused]),
        ({"patient": f"Patient/{cast.cyn.key}", "agent-name": "all"}, [shown]),
        ({"patient": cast.cyn.key, "outcome": "4"}, []),
        ({"date": "lt2020"}, []),
        ({"_id": shown.event}, [shown]),
    ]:
        found = ids(program.search("AuditEvent", **query))
        assert found == [each.event for each in wanted], query
    latest = ids(program.search("AuditEvent", _count="100"))
    assert latest.index(refused.event) < latest.index(shown.event)


def test_the_trail_is_for_audit_read_and_is_not_written(cast, acts):
    shown, _refused = acts
    desk = Program(make_staff("desk", "Profile read", "All Patients"))
    for path in ("AuditEvent", f"AuditEvent/{shown.event}"):
        assert said(desk.get(path))[:2] == (403, "forbidden")
    program = reader(cast)
    assert said(program.send("POST", "AuditEvent", {}))[0] == 405
    assert said(program.send("PUT", f"AuditEvent/{shown.event}", {}))[0] == 405
    assert said(program.get(f"AuditEvent/{'0' * 32}"))[0] == 404


def test_reading_the_trail_is_on_the_trail(cast, acts):
    program = reader(cast)
    program.search("AuditEvent")
    rows = AuditRow.objects.filter(action="fhir:AuditEvent.search")
    assert {row.patient for row in rows} >= {"", cast.ben.key}
