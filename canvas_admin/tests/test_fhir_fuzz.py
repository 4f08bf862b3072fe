"""Hostile requests: never an answer of 5xx, and nothing written by one that is refused."""

import copy
import json
import random
import time
from typing import Any

import pytest
from django.db import connection
from django.db.models import Max, Sum

from canvas_admin.fhir.resources import RESOURCES
from canvas_admin.fhir.searching import RESULTS
from canvas_admin.testing import give, make_staff
from canvas_admin.tests import proof
from canvas_admin.tests.programs import Program
from patients.models import (
    AdministrativeDocument,
    CareTeamMembership,
    Consent,
    Patient,
    PatientGroup,
    PatientGroupMember,
)
from patients.tests.test_fhir_care_team import part, team
from patients.tests.test_fhir_consent import answer, attached, coding
from patients.tests.test_fhir_document_reference import administrative, clinical
from patients.tests.test_fhir_group import patients_of, team_of
from patients.tests.test_fhir_patient import full
from patients.tests.test_fhir_records import book, condition, coverage, lab
from staffing.models import (
    CareTeamRole,
    GroupChange,
    Staff,
    StaffContactPoint,
    StaffRole,
    Team,
    TeamMember,
    TeamResponsibility,
    User,
)
from staffing.tests.test_fhir_practitioner import full as practitioner
from tasks.models import Task, TaskComment, TaskLabel
from tasks.tests.asking import make
from tasks.tests.test_fhir_task import minimal

PARTS = proof.count(1, 10)
CASES = proof.count(400, 50_000) // PARTS
WRITTEN = (
    Patient,
    Team,
    PatientGroup,
    CareTeamMembership,
    Task,
    Staff,
    Consent,
    AdministrativeDocument,
)
ROWS = (
    TeamMember,
    TeamResponsibility,
    PatientGroupMember,
    TaskComment,
    TaskLabel,
    StaffRole,
    StaffContactPoint,
    GroupChange,
    User,
)
JUNK = (
    "",
    " ",
    "\x00",
    "é" * 300,
    "x" * 1_500,
    "😀",
    "٣",
    "-1",
    "1e400",
    "9" * 40,
    "%",
    "|",
    ",",
    ":",
    "../..",
    "'; --",
    "null",
    "true",
    "2030-02-30",
    "9999-12-31",
    "0001-01-01",
    "ge",
    "Patient/",
    "Practitioner//",
    "urn:uuid:x",
)
FILES = ("sourceAttachment", "attachment", "text", "x")
VALUES = (*JUNK, None, True, -1, 10**30, 1.5, [], {}, [[]], [None], {"a": {"b": [1]}})


@pytest.mark.proof
@pytest.mark.parametrize("part_number", range(PARTS))
def test_no_request_breaks_the_api(cast, part_number, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    chance = random.Random(proof.seed() + part_number)  # noqa: S311
    staff = make_staff("bot", "Staff Permissions", "Tasking access", "Profile read")
    give(staff, "Profile write", "Patient create", "Clinical read", "Schedule write")
    give(staff, "Document read", "Document write", "Patients: North")
    program, started = Program(staff), time.monotonic()
    known, bodies = furnish(cast)
    answered = set()
    for number in range(CASES):
        method, path, body, headers = request(chance, known, bodies)
        before = state()
        answer = ask(program, method, path, body, headers)
        answered.add(answer.status_code)
        said = b"" if answer.streaming else answer.content[:300]
        about = (number, method, path, body and body[:2_000], said)
        assert answer.status_code < 500, about
        if answer.status_code >= 400:
            assert answer.json()["resourceType"] == "OperationOutcome", about
            assert state() == before, about
    assert {200, 201, 400, 404, 422} <= answered
    proof.record(
        "fuzz",
        connection.vendor,
        proof.SEED,
        CASES,
        0,
        time.monotonic() - started,
        part=str(part_number),
    )


def furnish(cast: Any) -> tuple[list[str], dict[str, Any]]:
    """Ids that there are, and a good body of each type that is written."""
    task, loose = make(patient=cast.ada, creator=cast.nora), make(creator=cast.nora)
    rows = [condition(cast.ada), coverage(cast.ada), lab(cast.ada)]
    rows.append(book(cast.ada, cast.sam))
    rows.append(
        Consent.objects.create(patient=cast.ada, coding=coding(), state="accepted")
    )
    rows += [clinical(cast.ada), administrative(cast.ada)]
    role = CareTeamRole.objects.create(code="r", display="Role")
    group = Team.objects.create(name="Referrals")
    ids = [cast.ada.key, cast.ben.key, cast.nora.key, *(row.key for row in rows)]
    ids += [str(task.externally_exposable_id), str(loose.externally_exposable_id)]
    ids += [str(group.externally_exposable_id)]
    ids += [str(cast.north.externally_exposable_id), "0" * 32]
    about = {"for": {"reference": f"Patient/{cast.ada.key}"}}
    note = {
        "authorReference": {"reference": f"Practitioner/{cast.nora.key}"},
        "text": "a",
    }
    label = {"type": {"text": "label"}, "valueString": "A"}
    bodies = {
        "Task": minimal(cast, **about, note=[note], input=[label], priority="stat"),
        "Patient": full(),
        "Group": team_of("Team", cast.nora, codes=["REVIEW_COVERAGES"]),
        "CareTeam": team(cast.ada, part(cast.nora, role, True)),
        "Consent": answer(cast.ada, end="2030-01-02", sourceAttachment=attached()),
        "Group of patients": patients_of("North", (cast.ada, False)),
        "Practitioner": practitioner(),
    }
    return ids, bodies


def state() -> list[Any]:
    """What a refused request must leave as it is."""
    told = [m.objects.aggregate(Sum("version"), Max("pk")) for m in WRITTEN]
    return told + [m.objects.aggregate(Max("pk")) for m in ROWS]


def request(
    chance: random.Random, known: list[str], bodies: dict[str, Any]
) -> tuple[str, str, bytes | None, dict[str, str]]:
    """One request, more often nearly right than not."""
    kind = chance.choice([*RESOURCES, *RESOURCES, "Nothing", "task", "%00"])
    headers = {}
    if chance.random() < 0.1:
        name = chance.choice(["accept", "prefer", "if-match", "if-unmodified-since"])
        headers[name] = chance.choice(
            ["text/xml", "handling=strict", "Sat", "W/x", "*/*"]
        )
    if chance.random() < 0.5:
        return "GET", f"{kind}?{query(kind, chance, known)}", None, headers
    if chance.random() < 0.3:
        path = f"{kind}/{chance.choice([*known, *JUNK])}"
        if chance.random() < 0.2:
            path += f"/files/{chance.choice([*FILES, *JUNK])}"
        return "GET", path, None, headers
    name = chance.choice(list(bodies))
    kind = name.partition(" ")[0]
    body = mutated(chance, copy.deepcopy(bodies[name]), known)
    text = json.dumps(body).encode()
    if chance.random() < 0.05:
        text = chance.choice([b"", b"[", text[:-3], b"\xff" + text, text * 2])
    if chance.random() < 0.05:
        path = f"Practitioner/{chance.choice(known)}/$send-reset-password-email"
        return "POST", path, text, headers
    if chance.random() < 0.5:
        return "POST", kind, text, headers
    return "PUT", f"{kind}/{chance.choice(known)}", text, headers


def query(kind: str, chance: random.Random, known: list[str]) -> str:
    """A query string of parameters that there are, with values that may be anything."""
    resource = RESOURCES.get(kind)
    names = [
        *(resource.parameters if resource else ()),
        *RESULTS,
        "patient.family",
        "x",
    ]
    pairs = []
    for _n in range(chance.randint(0, 4)):
        name = chance.choice(names)
        if chance.random() < 0.2:
            name += chance.choice(
                [":not", ":exact", ":missing", ":x", ".name", ":Patient"]
            )
        value = chance.choice([*known, *JUNK, "Task:patient", "1", "true", "2020-01"])
        pairs.append(f"{name}={quoted(value)}")
    return "&".join(pairs)


def quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def mutated(chance: random.Random, body: Any, known: list[str]) -> Any:
    """The body with up to three elements left out, doubled or put to something else."""
    for _n in range(chance.randint(0, 3)):
        places = list(spots(body))
        if not places:
            return body
        holder, key = chance.choice(places)
        act = chance.random()
        if act < 0.3:
            del holder[key]
        elif act < 0.4 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif act < 0.6:
            holder[key] = chance.choice([*known, *(f"Patient/{k}" for k in known)])
        else:
            holder[key] = copy.deepcopy(chance.choice(VALUES))
    return body


def spots(value: Any) -> Any:
    """Every place in a body, as what holds it and by which key."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from spots(inner)


def ask(
    program: Program, method: str, path: str, body: Any, headers: dict[str, str]
) -> Any:
    path = path.replace("\x00", "%00").replace(" ", "%20")
    if method == "GET":
        return program.get(path, None, **headers)
    return program.send(method, path, body, **headers)
