"""Tasks within reach, labels in use, and the one task that is asked for."""

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.fhir.server import FhirView
from canvas_admin.testing import make_staff
from canvas_admin.tests.programs import Program, ids
from patients.tests.test_fhir_meanwhile import leaving
from tasks.api import task_writing
from tasks.models import Task, TaskComment, TaskLabel
from tasks.tests.asking import address, label_of, make, send
from tasks.tests.test_fhir_task import minimal

TASKING = ("Tasking access", "Patients: North")


@pytest.fixture
def program(cast):
    return Program(make_staff("bot", *TASKING))


def test_a_program_finds_tasks_within_reach(cast, program):
    own, other = make(patient=cast.ada), make(patient=cast.ben)
    assert ids(program.search("Task")) == [str(own.externally_exposable_id)]
    for task, status in ((own, 200), (other, 404)):
        path = f"Task/{task.externally_exposable_id}"
        assert program.get(path).status_code == status


def test_a_task_whose_patient_left_meanwhile_stays(cast, program, monkeypatch):
    task = make(patient=cast.ada)
    leaving(cast, monkeypatch, FhirView, "find")
    path = f"Task/{task.externally_exposable_id}"
    answer = program.send("PUT", path, minimal(cast, description="Other"))
    assert answer.status_code == 404
    assert Task.objects.get().title == "Call back"


def test_a_task_is_not_given_to_who_left_after_the_look_up(cast, program, monkeypatch):
    task = make()
    leaving(cast, monkeypatch, task_writing, "find_patient")
    path = f"Task/{task.externally_exposable_id}"
    about = {"for": {"reference": f"Patient/{cast.ada.key}"}}
    answer = program.send("PUT", path, minimal(cast, **about))
    assert answer.status_code == 404
    assert Task.objects.get().patient is None
    assert not AuditRow.objects.filter(action="task.change").exists()


@pytest.fixture
def pat(cast, signed_in):
    cast.pat = make_staff("pat", *TASKING)
    return signed_in("pat")


def test_a_label_that_was_given_up_is_not_put_on(cast, pat):
    given_up = TaskLabel.objects.create(name="Old", active=False)
    task = make(patient=cast.ada)
    response = send(pat, address(task, "change/"), title="Call", labels=given_up.key)
    assert "not one of the available choices" in str(response.context["form"].errors)
    assert not task.labels.exists()
    send(pat, address(task, "change/"), title="Call", labels=label_of("Urgent").key)
    assert [label.name for label in task.labels.all()] == ["Urgent"]


def test_a_task_is_shown_with_its_own_comments(cast, pat):
    task, other = make(patient=cast.ada), make(patient=cast.ada)
    for of, text in ((task, "Rang twice"), (other, "Left word")):
        TaskComment.objects.create(task=of, author=cast.nora, text=text)
    page = pat.get(address(task)).content.decode()
    assert "Rang twice" in page
    assert "Left word" not in page
