"""Random searches find what a plain evaluator finds among what the caller may read (P25).

Every page is followed; totals are compared where there are any.
"""

import random
import time
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import parse_qsl

import pytest
from django.db import connection, transaction
from django.test import RequestFactory

from canvas_admin.fhir import searching
from canvas_admin.testing import give, make_group, make_patient, make_staff
from canvas_admin.tests import proof
from canvas_admin.tests.programs import FHIR_JSON, Program
from canvas_admin.tests.searches import evaluator
from patients.api.care_team import teams
from patients.api.care_team import to_fhir as care_team_to_fhir
from patients.api.consent import to_fhir as consent_to_fhir
from patients.api.document_reference import DocumentReferenceResource
from patients.api.patient import PatientResource
from patients.models import (
    AdministrativeDocument,
    CareTeamMembership,
    ClinicalDocument,
    Consent,
    ConsentCoding,
    ImagingReport,
    LabReport,
    Patient,
    PatientContactPoint,
    PatientIdentifier,
    PatientName,
)
from patients.search import narrow
from staffing.models import CareTeamRole
from tasks.api.task import to_fhir as task_to_fhir
from tasks.models import Task, TaskComment, TaskLabel

PARTS = proof.count(2, 20)
WORLDS = proof.count(2, 100) // PARTS
SEARCHES = proof.count(60, 200)
GIVEN = ("Ana", "Änne", "Bo", "José María", "mary ann", "Ng")
FAMILY = ("Smith", "Smith-Jones", "O’Brien", "Núñez", "Ångström", "Li", "von Berg")
TITLES = ("Call back", "call the lab", "Übermorgen", "Refer patient to X (TBD)", "")
SYSTEMS = ("urn:a", "urn:b", "")
DAYS = (date(1980, 1, 2), date(1980, 1, 31), date(1979, 12, 31), date(2000, 2, 29))
AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
MISSABLE = {"owner", "patient", "due", "priority"}
NEGATED = {"status", "label", "gender", "priority", "category", "type"}
REPORTS = (ClinicalDocument, LabReport, ImagingReport)
# What each sort of document needs.
DOCUMENTS = {
    "Clinical read": REPORTS,
    "Document read": (AdministrativeDocument,),
}
CATEGORIES = ("referralreport", "labreport", "patientadministrativedocument", "x")
TYPES = ("34109-9", "11488-4", "11502-2", "18748-4", "64290-0", "51852-2", "1-8", "x")


class Undone(Exception):
    """Rolls a world back."""


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_random_searches_find_what_they_should(db, part):
    started, first = time.monotonic(), proof.seed() + part * WORLDS
    found = sum(in_world(seed) for seed in range(first, first + WORLDS))
    assert found
    proof.record(
        "searches",
        connection.vendor,
        proof.SEED,
        WORLDS * SEARCHES,
        0,
        time.monotonic() - started,
        part=str(part),
        found=found,
    )


def in_world(seed: int) -> int:
    """Search in the world of this seed, which is rolled back; returns how much was found."""
    chance, found = random.Random(seed), 0  # noqa: S311
    # What is narrow is searched in another way; in every other world nothing is.
    most = narrow.NARROW if seed % 2 else 0
    some = searching.SOME if seed % 3 else 2
    try:
        with (
            transaction.atomic(),
            mock.patch.object(narrow, "NARROW", most),
            mock.patch.object(searching, "SOME", some),
        ):
            world = make_world(chance, seed)
            for _search in range(SEARCHES):
                found += one_search(world, chance)
            raise Undone
    except Undone:
        return found


def make_world(chance: random.Random, seed: Any) -> SimpleNamespace:
    """Some patients with names, numbers, tasks and care teams, and callers of every reach."""
    world = SimpleNamespace(tag=f"{seed}"[-12:])
    world.staff = [make_staff(f"s{world.tag}{n}") for n in range(3)]
    world.patients = [_patient(chance) for _n in range(chance.randint(3, 9))]
    world.groups = [
        make_group(f"G{world.tag}{n}", chance.sample(world.patients, 2))
        for n in range(3)
    ]
    world.labels = [TaskLabel.objects.get_or_create(name=n)[0] for n in ("A", "B", "c")]
    world.tasks = [_task(chance, world) for _n in range(chance.randint(3, 12))]
    _care(chance, world)
    world.consents = [c for p in world.patients for c in _consents(chance, p)]
    world.documents = [_document(chance, world) for _n in range(chance.randint(3, 12))]
    world.callers = [_caller(chance, world, n) for n in range(4)]
    return world


def _patient(chance: random.Random) -> Patient:
    given, family = chance.choice(GIVEN), chance.choice(FAMILY)
    first, _gap, middle = given.partition(" ")
    known = chance.choice(["day", "day", "month", "year"])
    unknown = {"month": {"day": 1}, "year": {"month": 1, "day": 1}}.get(known, {})
    patient = make_patient(
        first,
        family,
        chance.choice(DAYS).replace(**unknown),
        middle_name=middle,
        gender=chance.choice(Patient.Gender.values),
        active=chance.random() < 0.8,
        birth_date_precision=known,
    )
    PatientName.objects.create(patient=patient, given=given, family=family)
    for use in chance.sample(["nickname", "maiden", "old"], chance.randint(0, 2)):
        PatientName.objects.create(
            patient=patient,
            use=use,
            given=chance.choice((*GIVEN, "")),
            family=chance.choice(FAMILY),
            entered_in_error=chance.random() < 0.2,
        )
    for _n in range(chance.randint(0, 2)):
        PatientIdentifier.objects.create(
            patient=patient,
            system=chance.choice(SYSTEMS),
            value=chance.choice("12"),
            entered_in_error=chance.random() < 0.2,
        )
    for system in chance.sample(["email", "phone", "fax"], chance.randint(0, 2)):
        PatientContactPoint.objects.create(
            patient=patient, system=system, value=chance.choice(["1", "x@y.example"])
        )
    return patient


def _task(chance: random.Random, world: SimpleNamespace) -> Task:
    due = AT + timedelta(minutes=chance.randint(-90_000, 90_000))
    task = Task.objects.create(
        title=chance.choice(TITLES),
        patient=chance.choice([None, *world.patients]),
        assignee=chance.choice([None, *world.staff]),
        creator=chance.choice(world.staff),
        priority=chance.choice(["", *Task.Priority.values]),
        due=chance.choice([None, due, AT]),
        created=AT,
    )
    task.set_labels(chance.sample(world.labels, chance.randint(0, 2)))
    if chance.random() < 0.5:
        task.set_status(chance.choice(["COMPLETED", "CLOSED"]), world.staff[0])
        task.save()
    if chance.random() < 0.3:
        TaskComment.objects.create(task=task, author=world.staff[0], text="So")
    return task


def _care(chance: random.Random, world: SimpleNamespace) -> None:
    roles = [
        CareTeamRole.objects.get_or_create(code=code, defaults={"display": code})[0]
        for code in ("r1", "r2", "r3")
    ]
    for patient in world.patients:
        pairs = zip(chance.sample(world.staff, 3), roles, strict=True)
        for staff, role in list(pairs)[: chance.randint(0, 3)]:
            CareTeamMembership.objects.create(
                patient=patient,
                staff=staff,
                role=role,
                status=chance.choice(["active", "active", "inactive", "proposed"]),
            )


def _consents(chance: random.Random, patient: Patient) -> list[Consent]:
    codings = [
        ConsentCoding.objects.get_or_create(code=code, defaults={"display": code})[0]
        for code in ("c1", "c2")
    ]
    return [
        Consent.objects.create(
            patient=patient,
            coding=coding,
            state=chance.choice(Consent.State.values),
            effective_date=chance.choice(DAYS),
            entered_in_error=chance.random() < 0.2,
        )
        for coding in chance.sample(codings, chance.randint(0, 2))
    ]


def _document(chance: random.Random, world: SimpleNamespace) -> Any:
    model = chance.choice([*REPORTS, AdministrativeDocument, AdministrativeDocument])
    moment = chance.choice(
        [AT, AT + timedelta(minutes=chance.randint(-90_000, 90_000))]
    )
    hidden = chance.random() < 0.2
    told = {"file": "documents/x", "media_type": "application/pdf", "size": 1}
    told["patient"] = chance.choice(world.patients)
    if model is AdministrativeDocument:
        return model.objects.create(
            title="Card",
            kind=chance.choice(AdministrativeDocument.Kind.values),
            filed=moment,
            removed=AT if hidden else None,
            **told,
        )
    told |= {"display": "Letter", "code": chance.choice(["", "", "1-8", "34109-9"])}
    told |= {"entered_in_error": hidden, "status": "final"}
    told[model.dated_by] = chance.choice([moment, moment, None])
    if model is ClinicalDocument:
        told["kind"] = chance.choice(ClinicalDocument.Kind.values)
        told["status"] = chance.choice(ClinicalDocument.Status.values)
    elif chance.random() < 0.3:
        told |= {"file": "", "media_type": "", "size": 0}
    return model.objects.create(**told)


def _caller(chance: random.Random, world: SimpleNamespace, number: int) -> Any:
    groups = chance.sample(world.groups, chance.randint(0, 2))
    staff = make_staff(f"c{world.tag}{number}", "Tasking access", "Profile read")
    give(staff, *(f"Patients: {group.name}" for group in groups))
    sorts = chance.sample(list(DOCUMENTS), chance.randint(0, 2))
    give(staff, *sorts)
    reached = {
        membership.member
        for group in groups
        for membership in group.memberships.select_related("member")
    }
    if number == 0:
        give(staff, "All Patients")
        reached = set(Patient.objects.all())
    program = Program(staff, chance.choice(["application/json", FHIR_JSON]))
    return SimpleNamespace(
        program=program, readable=_readable(reached, sorts), documents=bool(sorts)
    )


def _readable(reached: set[Patient], sorts: list[str]) -> dict[str, Any]:
    """Every resource of these patients, and of nobody, by type and id."""
    documents = [
        row
        for sort in sorts
        for model in DOCUMENTS[sort]
        for row in model.objects.filter(patient__in=reached)
        if not (row.removed if sort == "Document read" else row.entered_in_error)
        if row.file or model is ClinicalDocument
    ]
    tasks = [t for t in Task.objects.all() if t.patient is None or t.patient in reached]
    pairs = {
        (row.patient_id, row.status): (row.patient, row.status)
        for row in CareTeamMembership.objects.select_related("patient")
        if row.patient in reached
    }
    from_teams = teams(list(pairs.values()))
    consents = Consent.objects.filter(entered_in_error=False)
    program = [
        *(consent_to_fhir(row) for row in consents if row.patient in reached),
        *(task_to_fhir(task, "http://testserver{}".format) for task in tasks),
        *PatientResource().to_fhir(None, list(reached)),
        *map(care_team_to_fhir, from_teams),
        *DocumentReferenceResource().to_fhir(RequestFactory().get("/"), documents),
    ]
    return {f"{each['resourceType']}/{each['id']}": each for each in program}


def one_search(world: SimpleNamespace, chance: random.Random) -> int:
    """Ask once, and follow the pages; returns how many were found."""
    caller = chance.choice(world.callers)
    kinds = ["Task", "Task", "Patient", "Patient", "CareTeam", "Consent"]
    kinds += ["DocumentReference"] * 2 if caller.documents else []
    kind = chance.choice(kinds)
    query = [
        random_parameter(kind, world, chance) for _n in range(chance.randint(0, 3))
    ]
    wanted = {
        each["id"]
        for each in caller.readable.values()
        if each["resourceType"] == kind
        and evaluator.matches(each, query, caller.readable)
    }
    sort = random_sort(kind, chance)
    size = [("_count", str(chance.choice([1, 2, 7, 100])))]
    found, totals = everything(caller.program, kind, [*query, *sort, *size])
    about = (world.tag, kind, query, sort)
    named = [each["id"] for each in found]
    if kind == "CareTeam":
        # Whoever is asked for by name, and reached, has a care team without anybody in it.
        empty = {
            each["id"]
            for each in caller.readable.values()
            if each["resourceType"] == "Patient"
            and f"CareTeam/{each['id']}" not in caller.readable
        }
        named = [i for i in named if i not in empty]
    assert sorted(named) == sorted(wanted), about
    for each in found:
        known = caller.readable.get(f"{kind}/{each['id']}")
        assert known is None or each == known, about
    assert totals <= {len(found)}, about
    in_order(found, sort, about)
    return len(found)


def everything(
    program: Program, kind: str, query: list[tuple[str, str]]
) -> tuple[list[Any], set[int]]:
    """The resources of all pages, and what they said the total is."""
    found, totals = [], set()
    while True:
        asked: dict[str, list[str]] = {}
        for name, value in query:
            asked.setdefault(name, []).append(value)
        bundle = program.bundle(kind, **asked)
        found += [entry["resource"] for entry in bundle["entry"]]
        totals |= {bundle["total"]} if "total" in bundle else set()
        links = {link["relation"]: link["url"] for link in bundle.get("link", [])}
        if "next" not in links:
            return found, totals
        query = parse_qsl(links["next"].partition("?")[2])


def in_order(found: list[Any], sort: list[Any], about: Any) -> None:
    """The resources lie in the order that was asked for; what has no value comes last."""
    if not sort:
        return
    name = sort[0][1].removeprefix("-")
    keys = (
        [SORTED[found[0]["resourceType"], name](each) for each in found]
        if found
        else []
    )
    there = [key for key in keys if key is not None]
    assert keys[: len(there)] == there, about
    backwards = sort[0][1].startswith("-")
    assert there == sorted(there, reverse=backwards), about


SORTED = {
    ("Task", "_id"): lambda r: r["id"],
    ("Task", "due-date"): lambda r: (
        r.get("restriction", {}).get("period", {}).get("end")
    ),
    ("Patient", "_id"): lambda r: r["id"],
    ("Patient", "birthdate"): lambda r: (r["birthDate"] + "-01-01")[:10],
}


def random_sort(kind: str, chance: random.Random) -> list[tuple[str, str]]:
    names = [name for of, name in SORTED if of == kind]
    if not names or chance.random() < 0.5:
        return []
    return [("_sort", chance.choice(["", "-"]) + chance.choice(names))]


def random_parameter(
    kind: str, world: SimpleNamespace, chance: random.Random
) -> tuple[str, str]:
    """A parameter with a value that may or may not be found, now and then modified."""
    name = chance.choice(sorted(evaluator.MEANT[kind]))
    if kind in ("Task", "DocumentReference") and chance.random() < 0.1:
        inner, value = random_parameter("Patient", world, chance)
        return f"patient.{inner}", value
    if kind == "Task" and name in MISSABLE and chance.random() < 0.2:
        return f"{name}:missing", chance.choice(["true", "false"])
    values = [
        random_value(kind, name, world, chance) for _n in range(chance.randint(1, 2))
    ]
    if name in NEGATED and chance.random() < 0.2:
        return f"{name}:not", ",".join(values)
    if (kind, name) in evaluator.EXACT and chance.random() < 0.2:
        return f"{name}:exact", values[0]
    return name, ",".join(values)


def random_value(
    kind: str, name: str, world: SimpleNamespace, chance: random.Random
) -> str:
    staff, patient = chance.choice(world.staff), chance.choice(world.patients)
    word = chance.choice((*GIVEN, *FAMILY))
    prefix = chance.choice(["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"])
    team = chance.choice(["", ".inactive", ".proposed"])
    return {
        "_id": {
            "Task": str(chance.choice(world.tasks).externally_exposable_id),
            "Patient": chance.choice([patient.key, f"Patient/{patient.key}", "none"]),
            "CareTeam": f"{patient.key}{team}",
            "Consent": chance.choice([c.key for c in world.consents] or ["none"]),
            "DocumentReference": chance.choice(world.documents).key,
        }[kind],
        "category": chance.choice(CATEGORIES),
        "date": prefix + _moment(chance),
        "type": chance.choice(TYPES),
        "subject": chance.choice([patient.key, f"Patient/{patient.key}", "Group/1"]),
        "description": chance.choice(
            ["call", "CALL B", "uber", "refer patient", "x", "("]
        ),
        "due": prefix + _moment(chance),
        "modified": prefix + _moment(chance),
        "label": chance.choice(["A", "B", "c", "C"]),
        "owner": chance.choice([staff.key, f"Practitioner/{staff.key}", "x"]),
        "requester": f"Practitioner/{staff.key}",
        "participant": f"Practitioner/{staff.key}",
        "patient": chance.choice([patient.key, f"Patient/{patient.key}", "Group/1"]),
        "priority": chance.choice(["stat", "urgent", "asap"]),
        "status": chance.choice(
            ["requested", "completed", "cancelled", "draft"]
            if kind == "Task"
            else ["active", "inactive", "proposed", "current", "superseded"]
        ),
        "active": chance.choice(["true", "false", "yes"]),
        "birthdate": prefix + _day(chance),
        "period": prefix + _day(chance),
        "email": chance.choice(["x@y.example", "1"]),
        "phone": chance.choice(["x@y.example", "1"]),
        "gender": chance.choice(["male", "female", "neither"]),
        "family": word[: chance.randint(1, 5)],
        "given": word[: chance.randint(1, 5)],
        "name": word[: chance.randint(1, 5)],
        "nickname": word[: chance.randint(1, 3)],
        "identifier": _identifier(patient, chance),
    }[name]


def _identifier(patient: Patient, chance: random.Random) -> str:
    system = chance.choice((*SYSTEMS, evaluator.MRN))
    number = chance.choice(["1", "2", "", patient.mrn])
    return number or "1" if chance.random() < 0.3 else f"{system}|{number}"


def _day(chance: random.Random) -> str:
    day = chance.choice(DAYS).isoformat()
    at = f"{day}T{chance.choice(['00:00', '12:30'])}:00Z"
    return chance.choice([day, day[:7], day[:4], at])


def _moment(chance: random.Random) -> str:
    moment = AT + timedelta(minutes=chance.randint(-90_000, 90_000))
    text = chance.choice([moment, AT, datetime.now(UTC)]).isoformat()[:19]
    zone = chance.choice(["", "Z", "+02:00"])
    return chance.choice([text[:4], text[:7], text[:10], text[:16] + zone, text + zone])
