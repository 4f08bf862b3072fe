"""Effects: what a run may have done, and what is refused (facts 7.4, security P55)."""

from datetime import UTC, datetime

import pytest
from canvas_workflow_kit.internal.integration_messages import (
    create_task_payload,
    ensure_patient_in_group,
    ensure_patient_not_in_group,
)

from canvas_admin.audit.models import AuditRow
from canvas_admin.protocols.effects import Wrong, apply, read
from canvas_admin.testing import make_staff
from patients.models import PatientGroupExclusion, PatientGroupMember
from staffing.models import Team
from tasks.models import Task


@pytest.fixture
def account(cast):
    groups = ("Staff Permissions", "Tasking access", "Patients: North")
    return make_staff("protocol", *groups).user


def do(account, patient, *messages):
    return [
        done.words for done in apply(read(list(messages), patient, account), account)
    ]


def group_message(cast, group, inside):
    make = ensure_patient_in_group if inside else ensure_patient_not_in_group
    return make(cast.ada.key, str(group.externally_exposable_id))


def inside(group, patient):
    return group.memberships.in_force(member=patient).exists()


def test_a_patient_is_put_into_a_group_and_taken_out_however_often(cast, account):
    into, out = (group_message(cast, cast.south, said) for said in (True, False))
    assert do(account, cast.ada, into) == ["put into “South”"]
    assert do(account, cast.ada, into, into) == ["in “South” already"] * 2
    assert inside(cast.south, cast.ada)
    assert do(account, cast.ada, out) == ["taken out of “South”"]
    assert do(account, cast.ada, out) == ["not in “South”"]
    assert not inside(cast.south, cast.ada)
    assert PatientGroupMember.objects.filter(member=cast.ada).count() == 2
    rows = AuditRow.objects.filter(action="patient_group.member_added")
    assert rows.filter(patient=cast.ada.key, actor=account.key).exists()


def test_locked_members_stay_in_and_excluded_patients_out(cast, account):
    cast.north.memberships.update(locked=True)
    PatientGroupExclusion.objects.create(
        patient_group=cast.south, patient=cast.ada, reason="x"
    )
    out = group_message(cast, cast.north, False)
    into = group_message(cast, cast.south, True)
    assert do(account, cast.ada, out, into) == [
        "stays in “North”: the membership is locked",
        "stays out of “South”: excluded from it",
    ]
    assert inside(cast.north, cast.ada)
    assert not inside(cast.south, cast.ada)


def test_a_lock_and_an_exclusion_are_one_patients(cast, account):
    cast.north.add(cast.cyn)
    cast.north.memberships.filter(member=cast.cyn).update(locked=True)
    PatientGroupExclusion.objects.create(
        patient_group=cast.south, patient=cast.cyn, reason="x"
    )
    out = group_message(cast, cast.north, False)
    into = group_message(cast, cast.south, True)
    assert do(account, cast.ada, into, out) == [
        "put into “South”",
        "taken out of “North”",
    ]


def test_a_task_is_made_whole(cast, account):
    team = Team.objects.create(name="Referrals")
    message = create_task_payload(
        patient_key=cast.ada.key,
        created_by_key=cast.nora.key,
        title="  Call   back ",
        assignee_identifier=cast.sam.key,
        team_identifier=str(team.externally_exposable_id),
        due="2030-01-02T03:04:05Z",
        created="2029-01-02T03:04:05",
        labels=["Urgent", "New one", "Urgent"],
    )
    assert do(account, cast.ada, message) == ["task “Call back” made"]
    task = Task.objects.get()
    assert (task.patient, task.creator) == (cast.ada, cast.nora)
    assert (task.assignee, task.team) == (cast.sam, team)
    assert task.due == datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert task.created.year == 2029
    assert {label.name for label in task.labels.all()} == {"Urgent", "New one"}
    assert AuditRow.objects.get(action="task.create", patient=cast.ada.key)


def test_the_least_of_a_task_is_the_accounts(cast, account):
    do(account, cast.ada, create_task_payload(cast.ada.key, "", title="T"))
    task = Task.objects.get()
    assert (task.creator, task.assignee, task.team) == (account.staff, None, None)
    assert task.is_open


def changed(message, *path, to):
    """A message in which one thing is another."""
    if not path:
        return to
    return message | {path[0]: changed(message.get(path[0], {}), *path[1:], to=to)}


GROUP = ("integration_payload",)
WRONG_GROUPS = {
    "neither Group nor Task": (
        (("integration_type",), "Consent"),
        (("integration_type",), [1]),
    ),
    "no integration_payload": ((GROUP, None), (GROUP, [])),
    "group_type": (((*GROUP, "group_type"), "team"),),
    "no such patient group": (
        ((*GROUP, "externally_exposable_id"), "0" * 32),
        ((*GROUP, "externally_exposable_id"), "x"),
        ((*GROUP, "externally_exposable_id"), None),
        ((*GROUP, "externally_exposable_id"), {"a": 1}),
    ),
    "appendOrRemove": (
        ((*GROUP, "members", "mode"), "replace"),
        ((*GROUP, "members"), []),
    ),
    "no entries": (
        ((*GROUP, "members", "entries"), []),
        ((*GROUP, "members", "entries"), 1),
    ),
    "another than the patient": (
        ((*GROUP, "members", "entries"), [{"uuid": "ben"}]),
        ((*GROUP, "members", "entries"), ["x"]),
    ),
}
WRONG_TASKS = {
    "another than the patient": (
        (("patient_identifier",), None),
        (("patient_identifier", "identifier", "key"), "ben"),
    ),
    "no text": (
        (("patient_identifier", "identifier", "key"), 3),
        ((*GROUP, "title"), 5),
        ((*GROUP, "labels"), [3]),
    ),
    "its status": (((*GROUP, "status"), "DONE"), ((*GROUP, "status"), [])),
    "no title": (((*GROUP, "title"), "  "), ((*GROUP, "title"), None)),
    "more than": (((*GROUP, "title"), "x" * 5_000),),
    "no list": (((*GROUP, "labels"), "x"), ((*GROUP, "labels"), ["x"] * 21)),
    "no active staff member": (
        ((*GROUP, "creator", "identifier", "key"), "0" * 32),
        ((*GROUP, "assignee"), {"identifier": {"key": "protocol"}}),
    ),
    "no such team": (
        ((*GROUP, "team_identifier"), "0" * 32),
        ((*GROUP, "team_identifier"), 7),
    ),
    "no date and time": (
        ((*GROUP, "due"), "soon"),
        ((*GROUP, "due"), 5),
        ((*GROUP, "created"), "2026-13-01T00:00:00Z"),
    ),
}


@pytest.mark.parametrize(
    ("kind", "told", "path", "to"),
    [
        pytest.param(kind, told, path, to, id=f"{kind} {told} {at}")
        for kind, wrong in (("group", WRONG_GROUPS), ("task", WRONG_TASKS))
        for told, changes in wrong.items()
        for at, (path, to) in enumerate(changes)
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_done(cast, account, kind, told, path, to):
    good = group_message(cast, cast.south, True)
    task = create_task_payload(cast.ada.key, cast.nora.key, title="T", labels=["a"])
    keys = {"ben": cast.ben.key, "protocol": account.staff.key}
    if isinstance(to, str):
        to = keys.get(to, to)
    bad = changed(good if kind == "group" else task, *path, to=to)
    with pytest.raises(Wrong, match=f"Update 2: .*{told}"):
        do(account, cast.ada, good, bad)
    assert not inside(cast.south, cast.ada)
    assert not Task.objects.exists()


@pytest.mark.parametrize("messages", [None, {}, "x", [1], [None], [[]]])
def test_what_are_no_messages_is_told(cast, account, messages):
    with pytest.raises(Wrong):
        read(messages, cast.ada, account)


def test_there_is_an_end_of_messages(cast, account):
    with pytest.raises(Wrong, match="at most 50"):
        read([group_message(cast, cast.south, True)] * 51, cast.ada, account)


def test_an_effect_needs_the_permissions_of_the_same_change(cast):
    weak = make_staff("weak", "Profile read", "Patients: North").user
    task = create_task_payload(cast.ada.key, cast.nora.key, title="T")
    for message in (group_message(cast, cast.south, True), task):
        with pytest.raises(Wrong, match="permissions"):
            read([message], cast.ada, weak)
