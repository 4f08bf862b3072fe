"""Tasks that notes raise: delegated referrals and imaging orders, and the task command."""

from datetime import date

import pytest

from patients.models import ImagingOrder, NoteTask, Referral
from patients.tests.note_pages import FORM, at, of, post
from patients.tests.notes import note_of, write
from staffing.models import Team, TeamResponsibility
from staffing.tests.pages import fields_of
from tasks.models import Task


@pytest.fixture
def note(cast):
    return note_of(cast.ada, cast.nora)


def coordinators():
    team = Team.objects.create(name="Care coordination")
    code = TeamResponsibility.Code.REFERRALS
    TeamResponsibility.objects.create(team=team, code=code)
    return team


@pytest.mark.parametrize(
    ("model", "fields", "title", "origin"),
    [
        (Referral, {}, "Refer patient to Psychiatry (TBD)", "REF_CMD"),
        (
            Referral,
            {"contact": "Dr. Wu"},
            "Refer patient to Psychiatry (Dr. Wu)",
            "REF_CMD",
        ),
        (
            ImagingOrder,
            {},
            "Order imaging: Chest X-ray (North Imaging)",
            "CMP_IMG_ORD",
        ),
    ],
)
def test_a_delegated_order_raises_a_task_for_the_responsible_team(
    cast, note, model, fields, title, origin
):
    team = coordinators()
    given = {"delegated": True, "priority": "urgent", "internal_comment": "Call first"}
    order = write(note, model, **given | fields)
    assert not Task.objects.exists()
    order.commit(cast.nora.user)
    task = order.tasks.get()
    assert (task.title, task.origin, task.team, task.assignee) == (
        title,
        origin,
        team,
        None,
    )
    assert (task.patient, task.creator, task.priority) == (
        cast.ada,
        cast.nora,
        "urgent",
    )
    assert [each.text for each in task.comments.all()] == ["Call first"]


def test_without_a_responsible_team_the_task_is_unassigned(cast, note):
    order = write(note, Referral, delegated=True)
    order.commit(cast.nora.user)
    task = order.tasks.get()
    assert (task.team, task.assignee, task.status) == (None, None, "OPEN")


def test_what_is_not_delegated_raises_no_task(cast, note):
    for model in (Referral, ImagingOrder):
        write(note, model).commit(cast.nora.user)
    assert not Task.objects.exists()


def test_a_command_is_completed_once_its_task_is(cast, note, signed_in):
    client = signed_in("nora")
    url = at(cast.ada, note.key, "commands", "refer")
    post(client, url, refer_to="Psychiatry", delegated="on", then="commit")
    page = client.get(at(cast.ada, note.key)).content.decode()
    assert "Completed" not in page
    task = Task.objects.get()
    task.set_status("COMPLETED", cast.nora)
    task.save()
    assert "Completed" in client.get(at(cast.ada, note.key)).content.decode()
    order = Referral.objects.get()
    post(client, of(order, "refer", "error"), error_reason="wrong patient")
    task.refresh_from_db()
    assert task.status == "COMPLETED"


def test_entering_an_order_in_error_closes_its_open_task(cast, note):
    order = write(note, Referral, delegated=True)
    order.commit(cast.nora.user)
    order.enter_in_error("wrong patient", cast.nora.user)
    task = order.tasks.get()
    assert (task.status, task.ended_by) == ("CLOSED", cast.nora)
    assert "wrong patient" not in str([each.text for each in task.comments.all()])


def test_who_will_see_it_is_said_before(cast, note, signed_in):
    client, team = signed_in("nora"), coordinators()
    for staff in (cast.nora, cast.sam):
        team.members.create(staff=staff)
    form = client.get(at(cast.ada, note.key, "commands", "refer")).content.decode()
    assert "“Care coordination” (1 of 2 will see it)" in form
    url = at(cast.ada, note.key, "commands", "task")
    asked = post(client, url, title="Call", assignee=cast.sam.key, then="commit")
    assert "will not see this" in asked.content.decode()
    assert not NoteTask.objects.exists()
    fields = fields_of(asked, FORM)
    confirmation = asked.context["form"].confirmation
    client.post(url, fields | {"confirmation": confirmation, "then": "commit"})
    task = Task.objects.get()
    assert (task.assignee, task.title) == (cast.sam, "Call")
    page = client.get(at(cast.ada, note.key)).content.decode()
    assert f"/task/{task.key}/" in page


def test_the_task_command_makes_a_task(cast, note):
    team = Team.objects.create(name="Front desk")
    command = write(note, NoteTask, team=team, due=date(2026, 3, 9), comment="Soon")
    command.commit(cast.nora.user)
    task = command.tasks.get()
    assert (task.title, task.team, task.origin) == ("Call the patient", team, "")
    assert task.due.astimezone().date() == date(2026, 3, 9)
