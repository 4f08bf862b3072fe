"""PatientProtocolInput: the kit's shape, within the rights of who asks (facts 7.2)."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from canvas_admin.events.models import ChangeEvent
from canvas_admin.protocols.patient_data import (
    EMPTY,
    RECORD_SETS,
    OutOfReach,
    patient_data,
)
from canvas_admin.protocols.patient_data.changes import field_changes
from canvas_admin.protocols.sandbox import Sandbox
from canvas_admin.records import clock
from canvas_admin.testing import give, make_staff
from canvas_admin.tests.protocols.running import job
from patients import areas
from patients.models import (
    AllergyIntolerance,
    CareTeamMembership,
    ClinicalDocument,
    Consent,
    ImagingReport,
    Instruction,
    Observation,
    PatientIdentifier,
    Prescription,
)
from patients.models.findings import LOINC, VITAL_SIGNS
from patients.models.patients import SSN
from patients.tests.notes import CONTENT, note_of, write
from patients.tests.test_fhir_records import book
from staffing.groups import BY_NAME, Kind
from staffing.models import User
from tasks.models import Task, TaskComment, TaskLabel

TWELVE = [name for name, group in BY_NAME.items() if group.kind is Kind.AREA]
# facts 7.2
NAMES = """
    administrativeDocuments allergyIntolerances appointments billingLineItems conditions
    consents externalEvents groups imagingReports immunizations inpatientStay instructions
    interviews labOrders labReports medications messages patient prescriptions procedures
    protocolOverrides protocols reasonForVisits referralReports referrals suspectHccs tasks
    upcomingAppointmentNotes upcomingAppointments vitalSigns
""".split()
OURS = [each.name for each in RECORD_SETS]


@pytest.fixture
def everything(cast):
    """An account with the twelve groups that reaches North."""
    return make_staff("all", *TWELVE, "Patients: North").user


CODES = {Instruction: {"code": "229065009"}, Prescription: {"code": "310965"}}
CODED = {
    AllergyIntolerance: {"clinical_status": "active", "recorded": clock.now()},
    ClinicalDocument: {"kind": "consult", "clinical_date": clock.now()},
    ImagingReport: {"status": "final", "reported": clock.now()},
    Observation: {"status": "final", "category": VITAL_SIGNS, "observed": clock.now()},
}


def fill(cast):
    """What the furnished chart has not."""
    coded = {"patient": cast.ada, "system": LOINC, "code": "8302-2", "display": "D"}
    for model, fields in CODED.items():
        model.objects.create(**coded, **fields)
    note = note_of(cast.ada, cast.nora)
    for model in CONTENT:
        write(note, model, **CODES.get(model, {})).commit(cast.nora.user)
    book(cast.ada, cast.nora)
    cast.protocol.overrides.create(patient=cast.ada, days=7, by=cast.nora.user)


def asked(account, patient):
    with CaptureQueriesContext(connection) as taken:
        found = patient_data(account, patient)
    return found, len(taken)


@pytest.mark.furnished
def test_all_recordsets_are_there_and_those_of_ours_are_filled(cast, everything):
    fill(cast)
    found = patient_data(everything, cast.ada)
    assert sorted(found) == sorted(NAMES)
    assert json.loads(json.dumps(found)) == found
    empty = {name for name in found if not found[name]}
    assert empty == set(EMPTY)
    assert all(isinstance(found[name], list) for name in NAMES if name != "patient")


@pytest.mark.furnished
def test_the_kit_takes_it_and_finds_what_is_there(cast, everything):
    body = """
from canvas_workflow_kit.patient import Patient
names = [c.PATIENT_FIELD for c in Patient.RECORDSET_CLASSES if hasattr(c, 'PATIENT_FIELD')]
counts = {name: len(getattr(self.patient, name)) for name in names}
result.add_narrative(repr(counts))
"""
    fill(cast)
    with Sandbox() as sandbox:
        ran = sandbox.run(job(body, patient=patient_data(everything, cast.ada)))
    assert ran.message["kind"] == "result", ran.message
    counts = eval(ran.message["narrative"])  # noqa: S307
    assert counts["tasks"] >= 1
    assert counts["consents"] >= 1
    assert sum(counts.values()) >= 15


@pytest.mark.furnished
@pytest.mark.parametrize("group", TWELVE)
def test_what_an_account_may_not_read_is_empty(cast, group):
    account = make_staff("one", group, "Patients: North").user
    found = patient_data(account, cast.ada)
    for each in RECORD_SETS:
        if not account.has_perms(each.permissions):
            assert found[each.name] == [], each.name
    if not account.has_perms(areas.OPEN_PROFILE):
        assert found["patient"] == {"id": cast.ada.pk, "key": cast.ada.key}
        assert found["groups"] == []


@pytest.mark.furnished
def test_of_a_patient_out_of_reach_there_is_nothing(cast, everything):
    with pytest.raises(OutOfReach):
        patient_data(everything, cast.ben)
    cast.north.remove(cast.ada)
    with pytest.raises(OutOfReach):
        patient_data(everything, cast.ada)


@pytest.mark.furnished
def test_each_record_is_of_the_patient_and_within_reach(cast, everything, monkeypatch):
    """Also where the first look at the reach would forget."""
    fill(cast)
    cast.north.add(cast.cyn)
    of_cyn = patient_data(everything, cast.cyn)
    other = make_staff("other", *TWELVE, "Patients: South").user
    monkeypatch.setattr("canvas_admin.protocols.patient_data.reaches", lambda *_: True)
    for found in (of_cyn, patient_data(other, cast.ada)):
        assert {each.name for each in RECORD_SETS if found[each.name]} == set()
        lists = {
            n: rows for n, rows in found["patient"].items() if isinstance(rows, list)
        }
        assert lists
        assert not any(lists.values()), lists


@pytest.mark.furnished
def test_it_costs_the_same_however_much_there_is(cast, everything):
    patient_data(everything, cast.ada)
    few, queries = asked(everything, cast.ada)
    for number in range(5):
        task = Task.objects.create(patient=cast.ada, title=f"T{number}")
        TaskComment.objects.create(task=task, author=cast.nora, text="x")
    many, more = asked(everything, cast.ada)
    assert len(many["tasks"]) == len(few["tasks"]) + 5
    assert more == queries <= 40


def test_a_task_is_told_as_the_protocols_of_s1_ask_for_it(cast, everything):
    task = Task.objects.create(
        patient=cast.ada, title="Refer patient to Psychiatry (TBD)", creator=cast.nora
    )
    task.add_labels([TaskLabel.objects.get_or_create(name="Urgent")[0]])
    for text in ("first", "second"):
        TaskComment.objects.create(task=task, author=cast.sam, text=text)
    Task.objects.create(patient=cast.ben, title="Another's")
    (told,) = patient_data(everything, cast.ada)["tasks"]
    assert told["externallyExposableId"] == str(task.externally_exposable_id)
    assert (told["title"], told["status"]) == (task.title, "OPEN")
    assert (told["creator"], told["assignee"], told["team"]) == (str(cast.nora), "", "")
    assert told["labels"] == ["Urgent"]
    assert [each["body"] for each in told["comments"]] == ["second", "first"]
    assert told["created"].endswith("Z")


def test_consents_groups_care_team_and_numbers_are_told(cast, everything):
    PatientIdentifier.objects.create(patient=cast.ada, system="urn:payer", value="P1")
    PatientIdentifier.objects.create(
        patient=cast.ada, type_code="SS", value="123456789"
    )
    found = patient_data(everything, cast.ada)
    north = {
        "id": cast.north.pk,
        "externallyExposableId": str(cast.north.externally_exposable_id),
        "name": "North",
    }
    assert found["groups"] == [north]
    numbers = found["patient"]["externalIdentifiers"]
    assert numbers == [
        {"system": "urn:payer", "value": "P1"},
        {"system": "", "value": "•••••6789"},
    ]
    teams = CareTeamMembership.objects.filter(patient=cast.ada, status="active")
    assert len(found["patient"]["careTeamMemberships"]) == teams.count()
    states = Consent.objects.filter(patient=cast.ada).values_list("state", flat=True)
    assert [each["state"] for each in found["consents"]] == list(states)


def test_groups_that_an_account_may_not_read_are_not_told(cast, everything):
    cast.south.add(cast.ada)
    names = [each["name"] for each in patient_data(everything, cast.ada)["groups"]]
    assert names == ["North"]
    give(cast.olga, "Profile read", "Patients: North", "Staff Permissions")
    told = patient_data(cast.olga.user, cast.ada)["groups"]
    assert [each["name"] for each in told] == ["North", "South"]


@pytest.mark.furnished
def test_the_reason_for_a_visit_is_clinical(cast):
    cast.appointment.reason = "Wants to talk about it"
    cast.appointment.save()
    for groups, told in (
        (("Profile read",), ""),
        (("Schedule write",), ""),
        (("Clinical read",), "Wants to talk about it"),
    ):
        staff = make_staff(
            groups[0].lower().replace(" ", ""), *groups, "Patients: North"
        )
        (visit,) = patient_data(staff.user, cast.ada)["upcomingAppointments"]
        assert visit["reasonForVisit"] == told


def event_of(row):
    """The event of the row's last change."""
    return ChangeEvent.objects.filter(
        record=row.pk, model_name=row._meta.model_name
    ).last()


@pytest.mark.parametrize(
    ("group", "types"),
    [
        ("Profile read", {"patient", "consent", "coverage", "appointment"}),
        ("Document read", {"appointment"}),
        ("Tasking access", {"appointment", "task"}),
        ("Revenue access", {"appointment", "billing_line_item"}),
        (
            "Clinical read",
            {"appointment", "patient", "consent", "coverage"}
            | {"condition", "allergy_intolerance", "medication", "immunization"}
            | {"lab_report", "encounter", "protocol_override"},
        ),
    ],
)
@pytest.mark.furnished
def test_of_a_change_is_told_what_may_be_read(cast, group, types):
    """Whoever may not read a row learns that it changed, and nothing of it."""
    cast.protocol.overrides.create(patient=cast.ada, days=7, by=cast.nora.user)
    account = make_staff("one", group, "Patients: North").user
    told = {}
    for event in ChangeEvent.objects.filter(patient=cast.ada.pk).exclude(fields={}):
        changes = field_changes(account, event)
        assert changes["external_id"] == event.external_id
        told.setdefault(event.change_type, set()).add(bool(changes["fields"]))
    assert {kind for kind, fields in told.items() if fields == {True}} == types
    assert {frozenset(fields) for fields in told.values()} == {
        frozenset({True}),
        frozenset({False}),
    }


def test_of_a_change_too_the_reason_is_clinical_and_a_number_secret(cast):
    account = make_staff("one", "Profile read", "Patients: North").user
    visit = book(cast.ada, cast.nora)
    visit.reason = "Wants to talk about it"
    visit.save()
    assert field_changes(account, event_of(visit))["fields"] == {}
    give(account.staff, "Clinical read")
    account = User.objects.get(pk=account.pk)
    assert "reason" in field_changes(account, event_of(visit))["fields"]
    number = PatientIdentifier.objects.create(
        patient=cast.ada, system=SSN, value="999-12-3456"
    )
    assert field_changes(account, event_of(number))["fields"]["value"] == [
        None,
        "•••••••3456",
    ]
    number.value = "999-12-9999"
    number.save()
    fields = field_changes(account, event_of(number))["fields"]
    assert fields == {"value": ["•••••••3456", "•••••••9999"]}
