"""Runs from a patient's data to what is done: S1's protocols, and the examples (S1, 2-3)."""

from pathlib import Path

import pytest
from django.conf import settings

from canvas_admin.protocols.effects import Wrong
from canvas_admin.protocols.runner import Kind, Protocol, read_result, run
from canvas_admin.protocols.sandbox import Sandbox
from canvas_admin.testing import give, make_application
from canvas_admin.tests.protocols.running import EXAMPLES, measure
from patients.models import (
    CareTeamMembership,
    Consent,
    PatientGroup,
    PatientIdentifier,
)
from patients.tests.test_consents import coding
from staffing.models import CareTeamRole, Team
from tasks.models import Task, TaskComment

S1 = Path(settings.BASE_DIR).parent / "shared" / "acceptance" / "protocols"
RIGHTS = ("Profile read", "Tasking access", "Staff Permissions", "Patients: North")


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as made:
        yield made


@pytest.fixture
def application(cast):
    return make_application("Protocol", *RIGHTS)


@pytest.fixture
def east(cast):
    """A group that nora holds, and ada is not in yet."""
    group = PatientGroup.objects.create(name="East", use_for_permissions=True)
    give(cast.nora, "Patients: East")
    return group


def example(application, name, **said):
    return Protocol((EXAMPLES / f"{name}.py").read_text(), application, "clinic", said)


def inside(group, patient):
    return group.memberships.in_force(member=patient).exists()


def computed(outcome):
    assert outcome.kind is Kind.COMPUTED, outcome
    return outcome


def test_a_consent_closes_and_opens_a_chart(
    cast, application, sandbox, east, signed_in
):
    """S1: the patient leaves the group, and who saw the patient through it the chart."""
    group = str(east.externally_exposable_id)
    protocol = example(application, "consent_group", CONSENT="A1", GROUP=group)
    give(application.staff, "All Patients")
    cast.north.remove(cast.ada)
    client, chart = signed_in("nora"), f"/patient/{cast.ada.key}/"
    consent = Consent.objects.create(
        patient=cast.ada, coding=coding("A1"), state="accepted"
    )
    for state, status in (("accepted", 200), ("rejected", 403), ("accepted", 200)):
        consent.state = state
        consent.save()
        for _again in range(2):
            computed(run(sandbox, protocol, cast.ada))
            assert inside(east, cast.ada) is (status == 200)
            assert client.get(chart).status_code == status


def test_a_number_of_a_program_puts_into_its_group(cast, application, sandbox, east):
    group = str(east.externally_exposable_id)
    protocol = example(application, "payer_program", SYSTEM="urn:payer", GROUP=group)
    outcome = computed(run(sandbox, protocol, cast.ada))
    assert (outcome.result["status"], outcome.done) == (
        "not_applicable",
        ["not in “East”"],
    )
    PatientIdentifier.objects.create(patient=cast.ada, system="urn:payer", value="1")
    outcome = computed(run(sandbox, protocol, cast.ada))
    assert (outcome.result["status"], outcome.done) == (
        "satisfied",
        ["put into “East”"],
    )
    assert outcome.result["narrative"] == "The patient has a number of the program."


def test_a_role_of_the_care_team_puts_into_a_group(cast, application, sandbox, east):
    group = str(east.externally_exposable_id)
    role = CareTeamRole.objects.create(code="coach", display="Coach")
    protocol = example(application, "care_team_group", ROLE="coach", GROUP=group)
    computed(run(sandbox, protocol, cast.ada))
    assert not inside(east, cast.ada)
    member = CareTeamMembership.objects.create(
        patient=cast.ada, staff=cast.nora, role=role, status="active"
    )
    computed(run(sandbox, protocol, cast.ada))
    assert inside(east, cast.ada)
    member.status = "inactive"
    member.save()
    computed(run(sandbox, protocol, cast.ada))
    assert not inside(east, cast.ada)


# S1 as it is printed lies beside the project where it is built; its own words are not ours.
if S1.exists():

    def test_s1s_protocols_run_as_they_are(cast, application, sandbox, east):
        source = (S1 / "patient_grouping.py").read_text()
        source = source.replace(
            "00000000-0000-0000-0000-000000000000", str(east.externally_exposable_id)
        )
        grouping = Protocol(source, application, "clinic")
        computed(run(sandbox, grouping, cast.ada))
        assert inside(east, cast.ada)
        Consent.objects.create(
            patient=cast.ada, coding=coding("A0001"), state="rejected"
        )
        computed(run(sandbox, grouping, cast.ada))
        assert not inside(east, cast.ada)

        team = Team.objects.create(name="Behavioral Health Coordinators")
        source = (S1 / "behavioral_referral_task_update.py").read_text()
        source = source.replace(
            "e3fabb40-1ccc-4bb4-9e64-e813f27bf2e2", str(team.externally_exposable_id)
        )
        referral = Protocol(source, application, "clinic")
        task = Task.objects.create(
            patient=cast.ada,
            title="Refer patient to Psychiatry (TBD)",
            creator=cast.nora,
        )
        TaskComment.objects.create(task=task, author=cast.nora, text="kept")
        change = {"created": True, "external_id": str(task.externally_exposable_id)}
        computed(run(sandbox, referral, cast.ada, ["task"], change))
        task.refresh_from_db()
        assert task.team == team
        assert [label.name for label in task.labels.all()] == ["Internal Referral"]
        assert task.comments.count() == 1


def test_out_of_reach_it_does_not_run(cast, application, sandbox):
    protocol = Protocol(measure("print('ran')"), application, "clinic")
    outcome = run(sandbox, protocol, cast.ben)
    assert (outcome.kind, outcome.log) == (Kind.OUT_OF_REACH, "")


def test_who_leaves_while_it_computes_is_not_written_to(
    cast, application, sandbox, east, monkeypatch
):
    taken = sandbox.run

    def then_leaves(*given):
        ran = taken(*given)
        cast.north.remove(cast.ada)
        return ran

    monkeypatch.setattr(sandbox, "run", then_leaves)
    group = str(east.externally_exposable_id)
    protocol = example(application, "consent_group", CONSENT="A1", GROUP=group)
    outcome = run(sandbox, protocol, cast.ada)
    assert (outcome.kind, outcome.done) == (Kind.OUT_OF_REACH, [])
    assert not inside(east, cast.ada)


def test_of_what_failed_nothing_is_done(cast, application, sandbox, east):
    into = f"""
from canvas_workflow_kit.internal.integration_messages import ensure_patient_in_group
into = ensure_patient_in_group(self.patient.patient['key'], '{east.externally_exposable_id}')
"""
    for body, told in (
        ("self.set_updates([into])\nraise Exception('late')", "late"),
        ("self.set_updates([into, {'integration_type': 'X'}])", "Update 2"),
        ("self.set_updates([into])\nresult.status = 'fine'", "status"),
        ("self.set_updates([into])\nresult.due_in = 1.5", "due_in"),
        ("self.set_updates([into])\nresult.recommendations = [3]", ""),
    ):
        outcome = run(
            sandbox, Protocol(measure(into + body), application, "a"), cast.ada
        )
        assert outcome.kind is Kind.FAILED
        assert told in outcome.error
    assert not inside(east, cast.ada)


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": None},
        {"status": []},
        {"narrative": 3},
        {"recommendations": None},
        {"recommendations": [1]},
        {"recommendations": [{"title": 3}]},
        {"recommendations": [{}] * 101},
        {"due_in": 10**9},
        {"days_of_notice": 1.5},
        {"next_review": {}},
    ],
)
def test_a_result_is_of_the_types_that_it_has_to_be(wrong):
    good = {"status": "due", "narrative": "", "recommendations": [{"title": "T"}]}
    assert read_result(good)["recommendations"][0]["title"] == "T"
    with pytest.raises(Wrong):
        read_result(good | wrong)
