"""A task about nobody, and a patient who leaves just after being looked up."""

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_staff
from canvas_admin.tests.programs import Program
from tasks.api import task_writing
from tasks.models import Task
from tasks.tests.asking import make
from tasks.tests.test_fhir_task import minimal
from tasks.tests.test_narrowness import TASKING, leaving


def test_a_task_is_not_given_to_who_left_after_the_look_up(cast, monkeypatch):
    program, task = Program(make_staff("bot", *TASKING)), make()
    leaving(cast, monkeypatch, task_writing, "find_patient")
    about = {"for": {"reference": f"Patient/{cast.ada.key}"}}
    path = f"Task/{task.externally_exposable_id}"
    answer = program.send("PUT", path, minimal(cast, **about))
    assert answer.status_code == 404
    assert Task.objects.get().patient is None
    assert not AuditRow.objects.filter(action="task.change").exists()
