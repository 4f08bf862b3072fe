"""Two people at once: one task has one holder, and one change counts."""

import pytest

from canvas_admin.testing import give
from patients.tests.test_access_request_races import at_once
from tasks.models import Task
from tasks.tests.asking import address, form_of, make

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
