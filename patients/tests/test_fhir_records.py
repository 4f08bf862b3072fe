"""FHIR Condition, Coverage and DiagnosticReport: read and searched within reach."""

from datetime import UTC, date, datetime

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_staff
from canvas_admin.tests.programs import Program, ids, said
from patients import access
from patients.models import (
    Appointment,
    Condition,
    Coverage,
    ImagingReport,
    LabReport,
    Observation,
)
from staffing.models import Location, VisitType

AT = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)


def condition(patient, **fields):
    usual = {
        "system": "http://snomed.info/sct",
        "code": "38341003",
        "display": "Hypertension",
        "clinical_status": "active",
        "verification_status": "confirmed",
        "category": "problem-list-item",
        "onset": AT,
    }
    return Condition.objects.create(patient=patient, **usual | fields)


def coverage(patient, **fields):
    usual = {"payer_name": "Blue", "member_id": "M1", "plan": "Gold"}
    row = Coverage(patient=patient, **usual | fields)
    row.save()
    return row


def lab(patient, **fields):
    usual = {"code": "24331-1", "system": "http://loinc.org", "display": "Lipids"}
    usual |= {"status": "final", "reported": AT, "conclusion": "High"}
    return LabReport.objects.create(patient=patient, **usual | fields)


def image(patient, **fields):
    usual = {"display": "Chest X-ray", "status": "available", "reported": AT}
    return ImagingReport.objects.create(patient=patient, **usual | fields)


MAKERS = {
    "Condition": (condition, "Clinical read"),
    "Coverage": (coverage, "Profile read"),
    "DiagnosticReport": (lab, "Clinical read"),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_reach_and_permission_are_both_needed(cast, kind):
    make, group = MAKERS[kind]
    mine, hidden = make(cast.ada), make(cast.ben)
    wrong = make(
        cast.ada, entered_in_error=True, **({"rank": 2} if kind == "Coverage" else {})
    )
    program = Program(make_staff("bot", group, "Patients: North"))
    assert program.read(f"{kind}/{mine.key}")["id"] == mine.key
    for key in (hidden.key, wrong.key, "0" * 32, "x"):
        text = f"Unknown {kind} resource '{key}'"
        assert said(program.get(f"{kind}/{key}")) == (404, "not-found", text)
    assert program.bundle(kind)["total"] == 1
    assert ids(program.search(kind, patient=cast.ada.key)) == [mine.key]
    assert program.search(kind, patient=cast.ben.key) == []
    other = Program(make_staff("desk", "Document read", "Patients: North"))
    assert said(other.get(f"{kind}/{mine.key}")) == (
        403,
        "forbidden",
        "Authorization failed",
    )
    assert said(program.send("POST", kind, {}))[0] == 405


def test_a_condition_as_it_is_read(cast):
    row = condition(cast.ada)
    program = Program(make_staff("bot", "Clinical read", "Patients: North"))
    found = program.read(f"Condition/{row.key}")
    assert found["clinicalStatus"]["coding"][0]["code"] == "active"
    assert found["code"]["coding"][0]["code"] == "38341003"
    assert found["subject"]["reference"] == f"Patient/{cast.ada.key}"
    assert found["onsetDateTime"] == "2026-03-04T05:06:00+00:00"
    for query, there in [
        ({"code": "http://snomed.info/sct|38341003"}, True),
        ({"code": "1"}, False),
        ({"clinical-status": "active,remission"}, True),
        ({"clinical-status:not": "active"}, False),
        ({"category": "problem-list-item"}, True),
        ({"onset-date": "2026-03-04"}, True),
        ({"onset-date": "lt2026"}, False),
        ({"patient.family": "alv"}, False),
    ]:
        assert (ids(program.search("Condition", **query)) == [row.key]) is there, query


def test_a_coverage_as_it_is_read(cast):
    row = coverage(cast.ada, payer_id="P9", start=date(2020, 1, 1))
    ended = coverage(cast.ada, end=date(2020, 1, 1))
    program = Program(make_staff("bot", "Profile read", "Patients: North"))
    found = program.read(f"Coverage/{row.key}")
    assert (found["status"], found["subscriberId"], found["order"]) == (
        "active",
        "M1",
        1,
    )
    assert found["payor"] == [{"display": "Blue", "identifier": {"value": "P9"}}]
    assert found["class"][0]["value"] == "Gold"
    assert program.read(f"Coverage/{ended.key}")["status"] == "cancelled"
    assert ids(program.search("Coverage", status="active")) == [row.key]
    assert ids(program.search("Coverage", status="cancelled")) == [ended.key]
    assert len(program.search("Coverage", **{"subscriber-id": "M1"})) == 2


def test_reports_of_both_kinds_are_one_type(cast):
    labs, images = lab(cast.ada), image(cast.ada)
    Observation.objects.create(
        patient=cast.ada,
        report=labs,
        display="LDL",
        status="final",
        value="4.1",
        unit="mmol/L",
    )
    Observation.objects.create(
        patient=cast.ada, report=labs, display="Note", status="final", value="cloudy"
    )
    program = Program(make_staff("bot", "Clinical read", "Patients: North"))
    found = program.read(f"DiagnosticReport/{labs.key}")
    values = [
        each.get("valueQuantity") or each["valueString"] for each in found["contained"]
    ]
    assert values == [{"value": 4.1, "unit": "mmol/L"}, "cloudy"]
    assert len(found["result"]) == 2
    assert program.read(f"DiagnosticReport/{images.key}")["status"] == "final"
    both = [labs.key, images.key]
    for query, wanted in [
        ({}, both),
        ({"category": "LAB"}, both[:1]),
        ({"category:not": "LAB"}, both[1:]),
        ({"status": "final"}, both),
        ({"status": "amended"}, []),
        ({"code": "24331-1"}, both[:1]),
        ({"date": "2026-03-04"}, both),
        ({"_count": "1", "_offset": "1"}, both[1:]),
        ({"_id": images.key}, both[1:]),
    ]:
        assert ids(program.search("DiagnosticReport", **query)) == wanted, query


def test_appointments_of_others_show_what_the_schedule_shows(cast):
    mine = book(cast.ada, cast.sam, reason="Chest pain")
    others = book(cast.ben, cast.sam, hour=16, reason="Secret")
    desk = Program(make_staff("desk", "Schedule write", "Patients: North"))
    found = {each["id"]: each for each in desk.search("Appointment")}
    assert found.keys() == {mine.key, others.key}
    actors = [each["actor"] for each in found[others.key]["participant"]]
    assert actors[0] == {"display": "Ben Brandt"}
    assert actors[1]["reference"] == f"Practitioner/{cast.sam.key}"
    assert found[others.key].keys() == {
        "resourceType",
        "id",
        "status",
        "appointmentType",
        "start",
        "end",
        "minutesDuration",
        "participant",
    }
    ada = {"reference": f"Patient/{cast.ada.key}", "type": "Patient"}
    assert found[mine.key]["participant"][0]["actor"] == ada | {
        "display": "Ada Alvarez"
    }
    assert "reasonCode" not in found[mine.key]
    for query, wanted in [
        ({"patient": cast.ada.key}, [mine]),
        ({"patient": f"Patient/{cast.ben.key}"}, []),
        ({"date": "2030-01-02"}, [mine, others]),
        ({"date": "ge2030-01-02T15:30"}, [others]),
        ({"practitioner": cast.sam.key}, [mine, others]),
        ({"status": "booked"}, []),
        ({"appointment-type": "308335008"}, [mine, others]),
    ]:
        keys = ids(desk.search("Appointment", **query))
        assert sorted(keys) == sorted(each.key for each in wanted), query
    assert said(desk.get("Appointment", {"patient.family": "br"}))[0] == 403
    nurse = Program(make_staff("nurse", "Clinical read", "Patients: North"))
    assert nurse.read(f"Appointment/{mine.key}")["reasonCode"] == [
        {"text": "Chest pain"}
    ]
    assert "reasonCode" not in nurse.read(f"Appointment/{others.key}")
    assert ids(nurse.search("Appointment", **{"patient.family": "br"})) == []
    office = Program(make_staff("office", "Staff Permissions"))
    assert said(office.get("Appointment"))[0] == 403


def test_the_trail_and_the_answer_ask_the_rule_once(cast, monkeypatch):
    booked = book(cast.ada, cast.sam)
    desk = Program(make_staff("desk", "Schedule write", "Patients: North"))
    asked, opened = [], access.opened
    monkeypatch.setattr(access, "opened", lambda *of: asked.append(of) or opened(*of))
    desk.read(f"Appointment/{booked.key}")
    assert len(asked) == 1
    row = AuditRow.objects.get(action="fhir:Appointment.read", patient=cast.ada.key)
    assert row.access_path == "patient-group"


def book(patient, provider, hour=15, **fields):
    """An appointment on 2 January 2030."""
    return Appointment.objects.create(
        patient=patient,
        provider=provider,
        location=Location.objects.get_or_create(name="Main street")[0],
        visit_type=VisitType.objects.get_or_create(name="Check-up", code="308335008")[
            0
        ],
        start=datetime(2030, 1, 2, hour, tzinfo=UTC),
        minutes=20,
        **fields,
    )


def wanted(patient, provider, **elements):
    """An appointment as a client writes it."""
    place = Location.objects.get_or_create(name="Main street")[0]
    VisitType.objects.get_or_create(name="Check-up", code="308335008")
    kind = {"system": "http://snomed.info/sct", "code": "308335008"}
    people = [f"Patient/{patient.key}", f"Practitioner/{provider.key}"]
    return {
        "resourceType": "Appointment",
        "status": "proposed",
        "appointmentType": {"coding": [kind]},
        "start": "2030-01-02T15:00:00Z",
        "end": "2030-01-02T15:30:00Z",
        "participant": [
            {"actor": {"reference": each}, "status": "accepted"} for each in people
        ],
        "supportingInformation": [{"reference": f"Location/{place.key}"}],
    } | elements


def test_an_appointment_is_booked_moved_and_cancelled(cast):
    groups = ("Schedule write", "Profile read", "Patients: North")
    desk = Program(make_staff("desk", *groups))
    key = desk.create("Appointment", wanted(cast.ada, cast.sam))
    row = Appointment.objects.get(key=key)
    assert (row.patient, row.provider, row.minutes) == (cast.ada, cast.sam, 30)
    found = desk.read(f"Appointment/{key}")
    sent = found | {"start": "2030-01-03T15:00:00+00:00", "minutesDuration": 45}
    assert desk.update(f"Appointment/{key}", sent).status_code == 200
    row.refresh_from_db()
    assert (row.start.day, row.minutes) == (3, 45)
    cancelled = wanted(cast.ada, cast.sam, status="cancelled")
    assert desk.update(f"Appointment/{key}", cancelled).status_code == 200
    again = desk.update(f"Appointment/{key}", wanted(cast.ada, cast.sam))
    assert said(again)[:2] == (422, "business-rule")
    assert AuditRow.objects.filter(
        action="appointment.book", patient=cast.ada.key
    ).exists()


def test_a_time_is_given_away_once(cast):
    desk = Program(make_staff("desk", "Schedule write", "Patients: North"))
    desk.create("Appointment", wanted(cast.ada, cast.sam))
    answer = desk.send("POST", "Appointment", wanted(cast.ada, cast.sam))
    text = "This appointment time is no longer available."
    assert said(answer) == (422, "business-rule", text)


def test_booking_needs_reach_and_what_is_offered(cast):
    desk = Program(make_staff("desk", "Schedule write", "Patients: North"))
    row, hidden = wanted(cast.ada, cast.sam), book(cast.ben, cast.sam, hour=9)
    for key in (cast.ben.key, "0" * 32):
        nobody = wanted(cast.ada, cast.sam)
        nobody["participant"][0]["actor"]["reference"] = f"Patient/{key}"
        text = f"Unknown Patient resource '{key}'"
        assert said(desk.send("POST", "Appointment", nobody)) == (
            422,
            "business-rule",
            text,
        )
    unknown = {"coding": [{"system": "urn:x", "code": "1"}]}
    for status, change in [
        (422, {"appointmentType": unknown}),
        (422, {"supportingInformation": [{"reference": f"Location/{'0' * 32}"}]}),
        (400, {"supportingInformation": []}),
        (400, {"status": "entered-in-error"}),
        (400, {"start": None}),
        (400, {"minutesDuration": 100_000}),
        (400, {"participant": row["participant"][:1]}),
        (422, wanted(cast.ada, cast.ruth)),
    ]:
        sent = {k: v for k, v in (row | change).items() if v not in (None, [])}
        assert said(desk.send("POST", "Appointment", sent))[0] == status, change
    moved = desk.update(f"Appointment/{hidden.key}", wanted(cast.ada, cast.sam))
    assert said(moved)[0] == 403
    told = AuditRow.objects.filter(action="fhir:Appointment.update", outcome="refused")
    assert told.filter(patient=cast.ben.key).count() == 1
    assert Appointment.objects.count() == 1
    looker = Program(make_staff("looker", "Profile read", "Patients: North"))
    assert said(looker.send("POST", "Appointment", row))[0] == 403


def test_an_appointment_stays_with_its_patient(cast):
    full = Program(make_staff("full", "Schedule write", "All Patients"))
    mine = book(cast.ada, cast.sam)
    answer = full.update(f"Appointment/{mine.key}", wanted(cast.ben, cast.sam))
    text = "An appointment stays with its patient"
    assert said(answer) == (422, "business-rule", text)
