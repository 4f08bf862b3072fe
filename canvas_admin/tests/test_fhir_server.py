"""The API's server: who is let in, what is told of it, and what is sent back."""

from io import StringIO
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_staff
from canvas_admin.tests.programs import FHIR_JSON, Program, said, valid
from tasks.tests.asking import make


@pytest.fixture
def program(cast):
    return Program(
        make_staff("bot", "Tasking access", "Profile read", "Patients: North")
    )


def test_what_the_api_can_do_is_told_to_anybody(client, db):
    answer = client.get("/fhir/metadata", headers={"accept": FHIR_JSON})
    assert answer.status_code == 200
    found = valid(answer.json())
    served = {each["type"]: each for each in found["rest"][0]["resource"]}
    assert {"Patient", "Practitioner", "Group", "CareTeam", "Task"} <= served.keys()
    task = served["Task"]
    assert [each["code"] for each in task["interaction"]] == [
        "read",
        "search-type",
        "create",
        "update",
    ]
    names = [each["name"] for each in task["searchParam"]]
    assert (
        names
        == (
            "_id description due label modified owner patient priority requester status"
        ).split()
    )
    assert AuditRow.objects.count() == 0


@pytest.mark.parametrize(
    "path", ["Task", "Task/x", "Nothing", "Patient/0", "Task/_search", "", "a/b/c/d"]
)
def test_without_a_token_everything_is_closed(client, signed_in, path):
    for asking in (client, signed_in("max")):
        method = asking.post if path.endswith("_search") else asking.get
        answer = method(f"/fhir/{path}")
        assert said(answer) == (401, "unknown", "Authentication failed")
        assert answer["fumage-correlation-id"]


def test_every_answer_names_its_request(cast, program):
    for path in ("metadata", "Task", "Task/none", "Nothing", "Task?due=x", "a/b/c/d"):
        answer = program.get(path)
        assert answer["fumage-correlation-id"] == answer["X-Correlation-Id"]
        assert answer["Cache-Control"] == "no-store"


def test_a_program_gets_no_session(cast, program):
    answer = program.get(f"Patient/{cast.ada.key}")
    assert answer.status_code == 200
    assert not answer.cookies
    assert not Session.objects.exists()


def test_what_is_not_served_is_said(cast, program):
    assert said(program.get("RiskAssessment"))[:2] == (404, "not-found")
    assert said(program.get("RiskAssessment/1"))[:2] == (404, "not-found")
    unsupported = (405, "not-supported", "Operation is not supported")
    for method in ("DELETE", "PATCH", "OPTIONS"):
        answer = program.send(method, "Task/0", {})
        assert said(answer) == unsupported
    assert said(program.send("POST", "CareTeam", {})) == unsupported
    assert said(program.send("PUT", "Task", {})) == unsupported


def test_a_body_is_json_whatever_it_is_called(cast, program):
    for body, text in [
        (b"{", "is not JSON"),
        (b"[]", "an object belongs here"),
        (b'{"a": 1, "a": 2}', "a name comes twice"),
        (b"\xff", "is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"resourceType": "Task", "id": NaN}', "no number"),
    ]:
        status, code, why = said(program.send("POST", "Task", body))
        assert (status, code) == (400, "invalid")
        assert text in why
    too_large = b'{"a": "' + b"x" * 3_000_000 + b'"}'
    assert said(program.send("POST", "Task", too_large))[:2] == (413, "too-long")
    answer = program.client.generic(
        "POST", "/fhir/Task", b"{}", content_type="", headers=program.headers
    )
    assert said(answer)[0] == 400


def test_a_search_may_come_in_the_body(cast, program):
    make(creator=cast.nora, title="Call")
    make(creator=cast.nora, title="Write")
    answer = program.client.post(
        "/fhir/Task/_search?status=requested",
        "description=call",
        content_type="application/x-www-form-urlencoded",
        headers=program.headers,
    )
    assert [e["resource"]["description"] for e in answer.json()["entry"]] == ["Call"]
    assert said(program.send("POST", "Task/_search", {}))[0] == 400


def test_media_types(cast, program):
    make(patient=cast.ada, creator=cast.nora)
    plain = program.bundle("Task")
    assert plain["link"][0]["url"].startswith("/Task?")
    assert plain["entry"][0].keys() == {"resource"}
    answer = program.get("Task", accept=FHIR_JSON)
    assert answer["Content-Type"] == FHIR_JSON
    bundle = valid(answer.json())
    assert bundle["link"][0]["url"].startswith("http://testserver/fhir/Task?")
    entry = bundle["entry"][0]
    assert entry["fullUrl"].endswith(f"/fhir/Task/{entry['resource']['id']}")
    assert entry["search"] == {"mode": "match"}
    assert said(program.get("Task", accept="text/csv"))[0] == 406
    assert program.get("Task", {"_format": "json"}).status_code == 200


def test_a_write_answers_with_nothing_unless_asked(cast, program):
    data = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "unknown",
        "requester": {"reference": f"Practitioner/{cast.nora.key}"},
    }
    answer = program.send("POST", "Task", data)
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer["Location"].startswith("http://testserver/fhir/Task/")
    answer = program.send("POST", "Task", data, prefer="return=representation")
    assert answer.status_code == 201
    assert valid(answer.json())["status"] == "requested"


def test_what_goes_with_the_matches(cast, program):
    task = make(patient=cast.ada, creator=cast.nora, assignee=cast.sam)
    make(patient=cast.ben, creator=cast.nora)
    query = {"_include": ["Task:patient", "Task:owner"]}
    entries = program.bundle("Task", **query)["entry"]
    found = {(e["resource"]["resourceType"], e["resource"]["id"]) for e in entries}
    assert found == {
        ("Task", str(task.externally_exposable_id)),
        ("Patient", cast.ada.key),
        ("Practitioner", cast.sam.key),
    }
    entries = program.bundle("Patient", _revinclude="Task:patient")["entry"]
    kinds = [(e["resource"]["resourceType"], e.get("search")) for e in entries]
    assert kinds == [("Patient", None), ("Task", {"mode": "include"})]
    tasks_alone = Program(make_staff("t", "Tasking access", "Patients: North"))
    assert said(tasks_alone.get("Task", {"_include": "Task:patient"}))[0] == 403
    assert said(tasks_alone.get("Task", {"patient.family": "a"}))[0] == 403
    patients_alone = Program(make_staff("p", "Profile read", "Patients: North"))
    assert (
        said(patients_alone.get("Patient", {"_revinclude": "Task:patient"}))[0] == 403
    )


def test_a_chain_asks_among_what_the_caller_reads(cast, program):
    task = make(patient=cast.ada, creator=cast.nora)
    make(patient=cast.ben, creator=cast.nora)
    for query, wanted in [
        ({"patient.birthdate": "1980-01-02"}, [task]),
        ({"patient:Patient.birthdate": "1980-01-02"}, [task]),
        ({"patient.birthdate": "1975-03-04"}, []),
        ({"requester.name": "nora"}, [task]),
        ({"requester.name": "sam"}, []),
    ]:
        found = program.search("Task", **query)
        assert [each["id"] for each in found] == [
            str(each.externally_exposable_id) for each in wanted
        ], query


def test_unknown_parameters_are_refused_where_the_client_is_strict(cast, program):
    assert program.get("Task", {"colour": "red"}).status_code == 200
    answer = program.get("Task", {"colour": "red"}, prefer="handling=strict")
    assert said(answer) == (400, "invalid", "unknown parameters: colour")


def test_to_ignore_what_refers_here_would_find_too_much(cast, program):
    name = "_has:DocumentReference:patient:type"
    answer = program.get("Patient", {name: "x"})
    assert said(answer) == (400, "invalid", f"{name}: is not supported")


def test_what_is_shown_is_on_the_trail(cast, program):
    make(patient=cast.ada, creator=cast.nora)
    AuditRow.objects.all().delete()
    program.bundle("Task")
    rows = AuditRow.objects.filter(action="fhir:Task.search", outcome="shown")
    assert sorted(rows.values_list("patient", flat=True)) == ["", cast.ada.key]
    program.get("Patient/" + cast.ben.key)
    refused = AuditRow.objects.get(action="fhir:Patient.read")
    assert (refused.outcome, refused.patient) == ("refused", "")


def test_the_openapi_document_is_of_now():
    page = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
    found = StringIO()
    call_command("api_doc", stdout=found)
    assert page.read_text() == found.getvalue(), "manage.py api_doc > docs/openapi.json"


def test_a_token_may_be_for_less_than_its_account(cast):
    make(patient=cast.ada, creator=cast.nora)
    reader = Program(cast.nora, scope="user/Task.rs")
    assert reader.bundle("Task")["total"] == 1
    forbidden = (403, "forbidden", "Authorization failed")
    assert said(reader.send("POST", "Task", {})) == forbidden
    assert said(reader.get("Patient")) == forbidden
    assert said(reader.get("Task", {"_include": "Task:patient"})) == forbidden


def test_what_is_broken_is_told_without_a_word_of_it(cast, program, monkeypatch):
    def broken(*args):
        raise RuntimeError("Ada Alvarez")

    monkeypatch.setattr("tasks.api.task.to_fhir", broken)
    make(patient=cast.ada, creator=cast.nora)
    program.client.raise_request_exception = False
    answer = program.get("Task")
    assert said(answer) == (500, "exception", "Internal server error")
    assert answer["fumage-correlation-id"]
