"""Two people at once: one task has one holder, and one change counts."""

from datetime import date

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_patient
from patients.tests.test_access_request_races import at_once
from tasks import campaigns
from tasks.models import Campaign, Task
from tasks.tests.asking import address, campaign_page, form_of, make, together

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_two_who_take_a_task_at_once_the_second_is_told_who_has_it(cast, signed_in):
    give(cast.sam, "Patients: North")
    task = make(patient=cast.ada)
    clients = {name: signed_in(name) for name in ("nora", "sam")}
    claims = [
        lambda c=client: c.post(address(task, "claim/")) for client in clients.values()
    ]
    answers = dict(zip(clients, at_once(*claims), strict=True))
    task.refresh_from_db()
    first = task.assignee.first_name.lower()
    (second,) = {"nora", "sam"} - {first}
    assert answers[first]["Location"] == address(task)
    assert answers[second].status_code == 409
    assert f"{task.assignee.name} has this task." in answers[second].content.decode()


def test_of_two_changes_at_once_one_counts(cast, signed_in):
    task = make(patient=cast.ada)
    page = address(task, "change/")
    nora = signed_in("nora")
    data = form_of(nora, page)
    posts = [
        lambda t=title: signed_in("nora").post(page, data | {"title": t})
        for title in ("Mine", "Theirs")
    ]
    answers = at_once(*posts)
    assert sorted(answer.status_code for answer in answers) == [200, 302]
    task.refresh_from_db()
    (told,) = (a.content.decode() for a in answers if a.status_code == 200)
    assert f"saved is “{task.title}”" in told


def test_one_form_sent_twice_at_once_makes_one_task(cast, signed_in):
    data = form_of(signed_in("nora"), "/tasks/new/") | {"title": "Order gloves"}
    answers = at_once(
        *[lambda: signed_in("nora").post("/tasks/new/", data) for _time in range(2)]
    )
    task = Task.objects.get()
    for answer in answers:
        if answer.status_code == 200:
            assert "Somebody saved something alike" in answer.content.decode()
            answer = signed_in("nora").post("/tasks/new/", data)
        assert answer["Location"] == address(task)


def test_of_two_who_end_the_same_tasks_at_once_each_task_ends_once(cast, signed_in):
    give(cast.sam, "Patients: North")
    tasks = [make(patient=cast.ada) for _number in range(2)] + [make()]
    clients = [signed_in(name) for name in ("nora", "sam")]
    acts = [
        lambda: together(clients[0], "complete", *tasks, decided="yes"),
        lambda: together(clients[1], "close", *reversed(tasks), decided="yes"),
    ]
    pages = [answer.content.decode() for answer in at_once(*acts)]
    assert len([page for page in pages if "3 tasks are " in page]) == 1
    assert len([p for p in pages if p.count("It has ended meanwhile.") == 3]) == 1
    assert len({task.status for task in Task.objects.all()}) == 1
    done = AuditRow.objects.filter(action="task.status", patient="", outcome="done")
    assert done.count() == 3


def test_two_who_go_on_with_a_campaign_at_once_make_each_task_once(
    cast, signed_in, monkeypatch
):
    give(cast.sam, "Patients: North")
    for number in range(8):
        cast.north.add(make_patient("Pat", f"Number{number}", date(1980, 1, 1)))
    campaign = Campaign.objects.create(
        patient_group=cast.north, title="Flu shot", creator=cast.nora
    )
    monkeypatch.setattr(campaigns, "PART", 0)
    monkeypatch.setattr(campaigns, "PAUSE", 0.01)
    page = campaign_page(campaign, "go-on/")
    at_once(*[lambda n=name: signed_in(n).post(page) for name in ("nora", "sam")])
    for _time in range(5):
        signed_in("nora").post(page)
    campaign.refresh_from_db()
    assert campaign.state == "running"
    patients = list(campaign.tasks.values_list("patient", flat=True))
    assert len(patients) == len(set(patients)) == 9
    told = AuditRow.objects.filter(action="campaign.tasks").exclude(patient="")
    assert told.count() == 9
