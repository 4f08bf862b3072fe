"""What programs ask the API about: a row of each type about ada, and how it is asked."""

import json
from dataclasses import asdict, dataclass, field
from types import SimpleNamespace
from typing import Any

from django.contrib.auth.models import Group
from django.utils.http import urlencode

from canvas_admin.audit import trail
from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_application, make_cast, make_staff
from canvas_admin.tests.addresses import furnish
from canvas_admin.tests.kept_rows import Keeper
from canvas_admin.tests.matrix.clinic import hold
from canvas_admin.tests.matrix.expected_fhir import PROGRAM, type_of
from canvas_admin.tests.matrix.observing import Observed, Observer
from canvas_admin.tests.programs import Program
from patients.models import ClinicalDocument, ConsentCoding, ImagingReport
from patients.tests.test_fhir_care_team import part, team
from patients.tests.test_fhir_group import patients_of, team_of
from patients.tests.test_fhir_patient import full
from patients.tests.test_fhir_records import wanted
from staffing.groups import managed_group
from staffing.models import CareTeamRole, Staff
from tasks.models import Task
from tasks.tests.test_fhir_task import minimal

Json = dict[str, Any]
NOBODY = "0123456789abcdef" * 2
NO_ROW = "01234567-89ab-4def-8123-456789abcdef"


@dataclass(frozen=True)
class Subject:
    """A row that is asked for: its id, its patient's key, and what is sent about it."""

    id: str
    patient: str = ""
    create: Json = field(default_factory=dict)
    update: Json = field(default_factory=dict)
    # By what a search by patient asks.
    by_patient: Json = field(default_factory=dict)


def without(subject: Subject, key: str) -> Subject:
    """The same about somebody, or a row, who is not there."""
    nobody = NOBODY if len(key) == len(NOBODY) else NO_ROW
    return Subject(**json.loads(json.dumps(asdict(subject)).replace(key, nobody)))


def make_clinic() -> SimpleNamespace:
    """The cast with a row of everything; pat is a person, and bot is a program."""
    cast = furnish(make_cast())
    cast.pat = make_staff("pat")
    cast.bot = make_application("For tests").staff
    cast.subjects = subjects(cast)
    return cast


kept_clinic = Keeper(make_clinic)


def subjects(cast: SimpleNamespace) -> dict[str, Subject]:
    """By the word for it in expected_fhir.py."""
    ada, rows = cast.ada, cast.belongings
    loose = Task.objects.create(title="Order paper", creator=cast.nora)
    coach = CareTeamRole.objects.create(code="x2", display="Other")
    photo = ConsentCoding.objects.create(code="photo", display="Photo")
    trail.done(cast.nora.user, "note.sign", [(ada.key, "north")])
    event = AuditRow.objects.get(action="note.sign", patient="").event
    about_ada = {"for": {"reference": f"Patient/{ada.key}"}}
    visit, later = wanted(ada, cast.sam), {"start": "2030-01-03T15:00:00Z"}
    visit["start"], visit["end"] = "2030-01-02T16:00:00Z", "2030-01-02T16:30:00Z"
    moved = {**visit, **later, "end": "2030-01-03T15:30:00Z"}
    image = ImagingReport.objects.create(
        patient=ada, display="X-ray", status="available", file="nowhere"
    )
    paper = ClinicalDocument.objects.create(patient=ada, display="Letter", file="none")
    of_ada = {"patient": ada.key, "by_patient": {"patient": ada.key}}
    task, team_id = cast.task.externally_exposable_id, cast.team.externally_exposable_id
    return {
        "Patient": Subject(
            ada.key, ada.key, full(), full(), by_patient={"identifier": ada.mrn}
        ),
        "Coverage": Subject(rows["coverages"].key, **of_ada),
        "Consent": Subject(rows["consents"].key, **of_ada, create=answer(ada, photo)),
        "CareTeam": Subject(
            ada.key, **of_ada, update=team(ada, part(cast.nora, coach, True))
        ),
        "Appointment": Subject(
            cast.appointment.key, **of_ada, create=visit, update=moved
        ),
        "Task:ada": Subject(
            str(task),
            **of_ada,
            create=minimal(cast, **about_ada),
            update=minimal(cast, **about_ada),
        ),
        "Task:nobody": Subject(
            str(loose.externally_exposable_id),
            create=minimal(cast),
            update=minimal(cast),
        ),
        "Condition": Subject(cast.chart_rows["conditions"].key, **of_ada),
        "DiagnosticReport:lab": Subject(cast.lab.key, **of_ada),
        "DiagnosticReport:imaging": Subject(image.key, **of_ada),
        "DocumentReference:clinical": Subject(paper.key, **of_ada),
        "DocumentReference:administrative": Subject(cast.document.key, **of_ada),
        "Practitioner": Subject(
            cast.nora.key,
            create=practitioner("Maria", "maria"),
            update=practitioner("Nora", "nora"),
        ),
        "Group:team": Subject(
            str(team_id),
            create=team_of("Referrals", cast.nora),
            update=team_of("Triage", cast.sam),
        ),
        "Group:person": Subject(
            str(cast.north.externally_exposable_id),
            ada.key,
            create=patients_of("West", (ada, False)),
            update=patients_of("North", (ada, True)),
        ),
        "AuditEvent": Subject(event, **of_ada),
    }


def answer(patient: Any, coding: ConsentCoding) -> Json:
    """A Consent as a client writes it."""
    kind = {"system": coding.system, "code": coding.code}
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {},
        "category": [{"coding": [kind]}],
        "patient": {"reference": f"Patient/{patient.key}"},
        "provision": {"period": {"start": "2026-01-02"}},
    }


def practitioner(name: str, account: str) -> Json:
    """A Practitioner as a client writes it, with nora's role."""
    extensions = "http://schemas.canvasmedical.com/fhir/extensions/"
    roles = "http://schemas.canvasmedical.com/fhir/roles"
    role = {"url": "code", "valueCoding": {"system": roles, "code": "RN"}}
    username = f"{extensions}practitioner-user-username"
    return {
        "resourceType": "Practitioner",
        "extension": [
            {"url": f"{extensions}roles", "extension": [role]},
            {"url": username, "valueString": account},
        ],
        "name": [{"use": "usual", "family": "Example", "given": [name]}],
        "telecom": [
            {"system": "phone", "value": "5550100", "use": "work", "rank": 1},
            {"system": "email", "value": "m@clinic.example", "use": "work", "rank": 1},
        ],
        "birthDate": "1984-05-06",
    }


class Caller:
    """A program that acts for whoever holds exactly these groups, each act undone."""

    def __init__(self, cast: Any, groups: frozenset[str], *, reached: bool) -> None:
        staff = cast.bot if PROGRAM in groups else cast.pat
        north = [cast.north.auth_group] if reached else []
        hold(staff, [*_managed(groups - {PROGRAM}), *north])
        # As another request would find the account.
        program = Program(Staff.objects.get(pk=staff.pk))
        self.headers = program.headers
        self.observer = Observer(program.client, marks(cast))

    def ask(self, cell: str, about: str, subject: Subject) -> Observed:
        """Ask a cell of expected_fhir.py."""
        method, path, data, media_type = request(cell, type_of(about), subject)
        more = {"content_type": media_type} if media_type else {}
        return self.observer.ask(
            method, f"/fhir/{path}", data, headers=self.headers, **more
        )


def _managed(groups: frozenset[str]) -> list[Group]:
    return [managed_group(code) for code in groups]


def marks(cast: Any) -> dict[str, str]:
    """By what an answer shows a patient: by name, or by a reference."""
    found = {}
    for patient in (cast.ada, cast.ben, cast.cyn):
        found[patient.last_name] = patient.key
        found[f'"reference":"Patient/{patient.key}"'] = patient.key
    return found


def request(cell: str, kind: str, subject: Subject) -> tuple[str, str, Any, str]:
    """Method, path below the API's, query or body, and the body's media type."""
    one = f"{kind}/{subject.id}"
    if cell in ("read", "head"):
        return {"read": "get", "head": "head"}[cell], one, None, ""
    if cell == "by-id":
        return "get", kind, {"_id": subject.id}, ""
    if cell == "by-patient":
        return "get", kind, subject.by_patient, ""
    if cell == "posted":
        form = urlencode({"_id": subject.id})
        return "post", f"{kind}/_search", form, "application/x-www-form-urlencoded"
    method, _dash, place = {"create": "post-type", "update": "put-instance"}.get(
        cell, cell
    ).partition("-")
    body = subject.update if method == "put" else subject.create
    text = json.dumps(body or {"resourceType": kind})
    return method, one if place == "instance" else kind, text, "application/json"
