"""Real clients against the running server: they read what they wrote, as it was."""

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from canvas_workflow_kit.fhir import FumageHelper
from canvas_workflow_kit.internal.attrdict import AttrDict
from fhirclient.client import FHIRClient
from fhirclient.models.careteam import CareTeam
from fhirclient.models.group import Group
from fhirclient.models.patient import Patient as TheirPatient
from fhirclient.models.task import Task as TheirTask
from fhirpy import SyncFHIRClient

from canvas_admin.testing import make_application, token_of
from staffing.models import CareTeamRole, Team
from tasks.models import Task, TaskComment

GROUPS = (
    "Tasking access",
    "Profile read",
    "Profile write",
    "Patient create",
    "Clinical read",
    "Staff Permissions",
    "All Patients",
)
GROUP = "http://schemas.canvasmedical.com/fhir/extensions/task-group"


@pytest.fixture
def clinic(transactional_db: None, cast: Any, live_server: Any) -> SimpleNamespace:
    """The running server, a program with its token, and something to find."""
    program = make_application("Helper", *GROUPS)
    before = Team.objects.create(name="Referrals")
    after = Team.objects.create(name="Behavioral Health Coordinators")
    task = Task.objects.create(
        title="Refer patient to Psychiatry (TBD)",
        patient=cast.ada,
        team=before,
        creator=cast.nora,
        due="2030-01-02T03:04:05Z",
    )
    TaskComment.objects.create(task=task, author=cast.nora, text="Please hurry")
    role, _made = CareTeamRole.objects.get_or_create(
        code="453231000124104", defaults={"display": "Primary care provider"}
    )
    return SimpleNamespace(
        url=live_server.url,
        base=f"{live_server.url}/fhir",
        program=program,
        token=token_of(program),
        task=task,
        team=after,
        role=role,
        cast=cast,
    )


def test_the_helper_of_the_workflow_kit(clinic):
    """S1: the group is found by search, a task is moved, a care team is read and set."""

    class Here(FumageHelper):
        """Unmodified but for its hosts."""

        def _set_base_urls(self, instance_name: str) -> None:
            self.base_url, self.base_fhir_url = clinic.url, clinic.base

    settings = {
        "CLIENT_ID": clinic.program.client_id,
        "CLIENT_SECRET": clinic.program.secret,
        "INSTANCE_NAME": "here",
    }
    fhir = Here(AttrDict(settings))
    found = fhir.search("Group", {"type": "practitioner"}).json()["entry"]
    named = {entry["resource"]["name"]: entry["resource"]["id"] for entry in found}
    task_id = str(clinic.task.externally_exposable_id)
    task = fhir.search("Task", {"_id": task_id}).json()["entry"][0]["resource"]
    group = {
        "url": GROUP,
        "valueReference": {
            "reference": f"Group/{named[clinic.team.name]}",
            "display": clinic.team.name,
        },
    }
    label = {"type": {"text": "label"}, "valueString": "Internal Referral"}
    changed = task | {
        "extension": [*task["extension"], group],
        "input": [*task.get("input", []), label],
    }
    changed = {k: v for k, v in changed.items() if k != "note"}
    assert fhir.update("Task", task_id, changed).status_code == 200
    moved = fhir.read("Task", task_id).json()
    assert moved["extension"][0]["valueReference"]["display"] == clinic.team.name
    assert [note["text"] for note in moved["note"]] == ["Please hurry"]
    assert moved["input"] == [label]
    made = {k: v for k, v in moved.items() if k not in ("id", "note", "extension")}
    answer = fhir.create("Task", made)
    assert answer.status_code == 201
    assert answer.headers["Location"].startswith(f"{clinic.base}/Task/")
    key = clinic.cast.ada.key
    care = fhir.read("CareTeam", key).json()
    coding = {
        "system": clinic.role.system,
        "code": clinic.role.code,
        "display": clinic.role.display,
    }
    care["participant"] = [
        {
            "member": {"reference": f"Practitioner/{clinic.cast.nora.key}"},
            "role": [{"coding": [coding]}],
        }
    ]
    assert fhir.update("CareTeam", key, care).status_code == 200
    there = fhir.read("CareTeam", key).json()["participant"]
    assert there[0]["role"][0]["coding"][0] == coding


def test_fhirclient(clinic):
    """The Python client of SMART Health IT; its models check what they read."""
    smart = FHIRClient(settings={"app_id": "tests", "api_base": clinic.base})
    smart.server.session.headers["Authorization"] = f"Bearer {clinic.token}"
    patient = TheirPatient.read(clinic.cast.ada.key, smart.server)
    assert patient.name[0].family == "Alvarez"
    patient.gender = "female"
    before = patient.as_json()
    patient.update(smart.server)
    again = TheirPatient.read(clinic.cast.ada.key, smart.server)
    assert again.gender == "female"
    assert [n["family"] for n in again.as_json()["name"]] == [
        n["family"] for n in before["name"]
    ]
    tasks = TheirTask.where({"patient": clinic.cast.ada.key}).perform_resources_iter(
        smart.server
    )
    tasks = list(tasks)
    assert [task.description for task in tasks] == [clinic.task.title]
    tasks[0].status = "completed"
    tasks[0].note = None
    tasks[0].update(smart.server)
    clinic.task.refresh_from_db()
    assert clinic.task.status == "COMPLETED"
    teams = Group.where({"type": "practitioner"}).perform_resources_iter(smart.server)
    assert {team.name for team in teams} == {"Referrals", clinic.team.name}
    assert CareTeam.read(clinic.cast.ada.key, smart.server).status == "active"


def test_fhirpy(clinic):
    """The Python client of Beda Software: it follows pages by their links."""
    client = SyncFHIRClient(clinic.base, authorization=f"Bearer {clinic.token}")
    for number in range(12):
        Task.objects.create(title=f"One of many {number}", creator=clinic.cast.nora)
    found = client.resources("Task").limit(5).fetch_all()
    assert len(found) == 13
    patient = client.reference("Patient", clinic.cast.ada.key).to_resource()
    assert patient["name"][0]["family"] == "Alvarez"
    patient["birthDate"] = "1980-01-03"
    patient.save()
    read = client.resources("Patient").search(birthdate="1980-01-03").first()
    assert read["id"] == clinic.cast.ada.key


def test_fhir_kit_client(clinic):
    """The JavaScript client of Vermonster."""
    script = Path(__file__).resolve().parents[2] / ".ci" / "clients" / "round_trip.js"
    asked = [clinic.base, clinic.token, clinic.cast.ada.key]
    asked.append(str(clinic.task.externally_exposable_id))
    command = ["node", str(script), *asked]
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "version": "4.0.1",
        "same": True,
        "found": ["Made again", clinic.task.title],
        "refused": 404,
    }
