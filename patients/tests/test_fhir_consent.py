"""FHIR Consent: an answer for each kind, with its signed form (facts 5.1)."""

import base64
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import give, make_staff
from canvas_admin.tests.programs import FHIR_JSON, Program, ids, said
from patients import gate
from patients.models import AdministrativeDocument, Consent, ConsentCoding

PDF = b"%PDF-1.4 signed by Ada %%EOF"
GROUPS = ("Profile read", "Profile write", "Patients: North")
DOCUMENTS = ("Document read", "Document write")


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def photo(db):
    """A kind of consent that ends after a year."""
    return coding(expiration_rule="in_one_year")


@pytest.fixture
def program(cast):
    """A program that may write profiles and documents, and reaches North."""
    return Program(make_staff("bot", *GROUPS, *DOCUMENTS))


def coding(code="photo", **fields):
    return ConsentCoding.objects.create(code=code, display=code.title(), **fields)


def answer(patient, code="photo", end=None, **elements):
    """A consent as a client writes it."""
    period = {"start": "2026-01-02"} | ({"end": end} if end else {})
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {},
        "category": [{"coding": [{"system": "INTERNAL", "code": code}]}],
        "patient": {"reference": f"Patient/{patient.key}"},
        "provision": {"period": period},
    } | elements


def attached(content=PDF, **elements):
    """A signed form as a client sends it."""
    data = base64.b64encode(content).decode()
    return {"contentType": "application/pdf", "data": data, "title": "Form"} | elements


def file_of(program, key, **headers):
    return program.get(f"Consent/{key}/files/sourceAttachment", **headers)


def rows():
    """How many consents and documents there are."""
    return Consent.objects.count(), AdministrativeDocument.objects.count()


def test_an_answer_is_recorded_and_read(cast, program, photo):
    key = program.create("Consent", answer(cast.ada))
    row = Consent.objects.get(key=key)
    assert (row.patient, row.coding, row.state) == (cast.ada, photo, "accepted")
    assert (row.effective_date, row.expired_date) == (
        date(2026, 1, 2),
        date(2027, 1, 2),
    )
    assert program.read(f"Consent/{key}") == {
        "resourceType": "Consent",
        "id": key,
        "status": "active",
        "scope": {"text": "Unknown"},
        "category": [
            {"coding": [{"system": "INTERNAL", "code": "photo", "display": "Photo"}]}
        ],
        "patient": {"reference": f"Patient/{cast.ada.key}", "type": "Patient"},
        "dateTime": row.modified.isoformat(),
        "policyRule": {"text": "Photo"},
        "provision": {"period": {"start": "2026-01-02", "end": "2027-01-02"}},
    }
    done = AuditRow.objects.get(action="consent.record", patient=cast.ada.key)
    assert (done.actor_name, done.subject) == ("bot", f"consent/{key}")


def test_the_next_answer_keeps_the_id(cast, program, photo):
    first = program.create("Consent", answer(cast.ada, end="2026-12-24"))
    assert Consent.objects.get().expired_date == date(2026, 12, 24)
    other = program.create("Consent", answer(cast.ada, coding("privacy").code))
    Consent.objects.filter(key=first).update(entered_in_error=True)
    assert said(program.get(f"Consent/{first}"))[0] == 404
    named = [{"coding": [{"system": "INTERNAL", "display": "Photo"}]}]
    again = answer(cast.ada, status="rejected", category=named)
    assert program.create("Consent", again) == first != other
    assert program.read(f"Consent/{first}")["status"] == "rejected"
    assert Consent.objects.get(key=first).expired_date == date(2027, 1, 2)
    assert Consent.objects.count() == 2


def test_what_has_ended_is_inactive(cast, program, photo):
    yesterday, today = clock.today() - timedelta(days=1), clock.today()
    for end, status in [(yesterday, "inactive"), (today, "active")]:
        key = program.create("Consent", answer(cast.ada, end=end.isoformat()))
        assert program.read(f"Consent/{key}")["status"] == status


def test_the_signed_form_is_filed_and_read(cast, program, photo):
    sent = answer(cast.ada, sourceAttachment=attached())
    key = program.create("Consent", sent)
    form = AdministrativeDocument.objects.get()
    assert (form.patient, form.kind, form.title) == (cast.ada, "consent", "Form")
    assert form.filed_by.user.username == "bot"
    assert Consent.objects.get(key=key).form == form
    assert AuditRow.objects.filter(action="document.file", patient=cast.ada.key)
    url = program.read(f"Consent/{key}")["sourceAttachment"]["url"]
    assert url == f"http://testserver/fhir/Consent/{key}/files/sourceAttachment"
    for accept in ("application/pdf", "*/*", FHIR_JSON):
        found = file_of(program, key, accept=accept)
        assert found.status_code == 200
        assert b"".join(found.streaming_content) == PDF
    assert found["Content-Type"] == "application/pdf"
    assert found["Content-Security-Policy"].startswith("default-src 'none'")
    assert found["X-Content-Type-Options"] == "nosniff"
    assert found["Cache-Control"] == "no-store"
    shown = AuditRow.objects.filter(action="fhir:Consent.read", outcome="shown")
    assert shown.filter(detail__file="sourceAttachment").count() == 3
    assert shown.filter(patient=cast.ada.key).count() == 4
    # The next answer comes without a form; what was signed stays among the documents.
    program.create("Consent", answer(cast.ada, status="rejected"))
    assert "sourceAttachment" not in program.read(f"Consent/{key}")
    assert said(file_of(program, key)) == (404, "not-found", "There is no such file")
    assert AdministrativeDocument.objects.get() == form


def test_a_form_without_a_title_has_the_name_of_the_consent(cast, program):
    ConsentCoding.objects.create(code="photo", display="P" * 255)
    sent = answer(cast.ada, sourceAttachment=attached(title=" "))
    program.create("Consent", sent)
    assert AdministrativeDocument.objects.get().title == "P" * 200


def test_a_removed_form_and_a_lost_file_are_missing(cast, program, photo):
    key = program.create("Consent", answer(cast.ada, sourceAttachment=attached()))
    form = AdministrativeDocument.objects.get()
    Path(form.file.path).unlink()
    assert said(file_of(program, key))[0] == 404
    form.removed = clock.now()
    form.save()
    assert "sourceAttachment" not in program.read(f"Consent/{key}")
    assert said(file_of(program, key))[0] == 404
    refused = AuditRow.objects.filter(action="fhir:Consent.read", outcome="refused")
    assert refused.count() == 2


def test_reach_and_permission_are_both_needed(cast, program, photo):
    for patient in (cast.ada, cast.ben):
        Consent.record(patient, photo, "accepted", date(2026, 1, 2))
    mine, hidden = (p.consents.get().key for p in (cast.ada, cast.ben))
    for key in (hidden, "0" * 32, "x"):
        wanted = (404, "not-found", f"Unknown Consent resource '{key}'")
        assert said(program.get(f"Consent/{key}")) == wanted
        assert said(file_of(program, key)) == wanted
    assert ids(program.search("Consent")) == [mine]
    assert program.search("Consent", patient=cast.ben.key) == []
    for key in (cast.ben.key, "0" * 32):
        sent = answer(cast.ada) | {"patient": {"reference": f"Patient/{key}"}}
        assert said(program.send("POST", "Consent", sent)) == (
            422,
            "business-rule",
            f"Unknown Patient resource '{key}'",
        )
    forbidden = (403, "forbidden", "Authorization failed")
    reader = Program(make_staff("reader", "Profile read", "Patients: North"))
    assert reader.read(f"Consent/{mine}")["id"] == mine
    assert said(reader.send("POST", "Consent", answer(cast.ada))) == forbidden
    desk = Program(make_staff("desk", *DOCUMENTS, "Patients: North"))
    assert said(desk.get(f"Consent/{mine}")) == forbidden
    assert said(file_of(desk, mine)) == forbidden
    full = Program(make_staff("full", *GROUPS), scope="user/Consent.rs")
    assert said(full.send("POST", "Consent", answer(cast.ada))) == forbidden
    assert said(program.update(f"Consent/{mine}", answer(cast.ada)))[0] == 405


def test_the_form_asks_for_what_documents_ask_for(cast, program, photo):
    """S2: "Document Read: Allows the user the see patient's administrative documents"."""
    forbidden, staff = (403, "forbidden", "Authorization failed"), make_staff("pen")
    pen = Program(give(staff, *GROUPS))
    sent = answer(cast.ada, sourceAttachment=attached())
    assert said(pen.send("POST", "Consent", sent)) == forbidden
    assert AuditRow.objects.get(action="fhir:Consent.create", patient=cast.ada.key)
    assert rows() == (0, 0)
    key = program.create("Consent", sent)
    assert "sourceAttachment" not in pen.read(f"Consent/{key}")
    assert said(file_of(pen, key)) == forbidden
    give(staff, "Document read")
    assert pen.read(f"Consent/{key}")["sourceAttachment"]["title"] == "Form"
    assert file_of(pen, key).status_code == 200


def test_only_the_files_that_there_are_have_an_address(cast, program, photo):
    key = program.create("Consent", answer(cast.ada, sourceAttachment=attached()))
    for path in (
        f"Consent/{key}/files/other",
        f"Patient/{cast.ada.key}/files/sourceAttachment",
        f"Consent/{key}/files/",
    ):
        assert said(program.get(path)) == (404, "not-found", "Unknown address")
    path = f"Consent/{key}/files/sourceAttachment"
    assert said(program.send("POST", path, {}))[0] == 405
    assert program.client.get(f"/fhir/{path}").status_code == 401


def test_what_cannot_be_changes_nothing(cast, program, photo):
    coding("resting", active=False)
    for version in ("1", "2"):
        coding("twice", system_version=version)
    of = [{"system": "INTERNAL", "code": "twice", "version": "2"}]
    program.create("Consent", answer(cast.ada, category=[{"coding": of}]))
    ahead = (clock.today() + timedelta(days=367)).isoformat()
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n picture IEND").decode()
    before = list(Consent.objects.values()), rows()
    for status, change in [
        (400, {"status": "inactive"}),
        (400, {"status": None}),
        (400, {"scope": None}),
        (400, {"patient": None}),
        (400, {"patient": {"reference": f"Group/{cast.ada.key}"}}),
        (400, {"category": []}),
        (400, {"category": [{"text": "Photo"}]}),
        (400, {"category": [{"coding": [{"code": "photo"}]}]}),
        (400, {"category": [{"coding": [{"system": "INTERNAL"}]}]}),
        (422, {"category": [{"coding": [{"system": "urn:x", "code": "photo"}]}]}),
        (422, answer(cast.ada, "resting")),
        (422, answer(cast.ada, "twice")),
        (422, answer(cast.ada, "none")),
        (400, {"provision": None}),
        (400, {"provision": {"period": {"end": "2026-01-02"}}}),
        (400, {"provision": {"period": {"start": "2026-01"}}}),
        (400, {"provision": {"period": {"start": "2026-02-30"}}}),
        (400, answer(cast.ada, end="2026-01-01")),
        (400, answer(cast.ada, end="2027")),
        (422, {"provision": {"period": {"start": ahead}}}),
        (400, {"sourceAttachment": attached(contentType="image/png")}),
        (400, {"sourceAttachment": attached(data=png)}),
        (400, {"sourceAttachment": attached(b"%PDF-1.4 cut")}),
        (400, {"sourceAttachment": attached(b"<html>")}),
        (400, {"sourceAttachment": attached(data="A")}),
        (400, {"sourceAttachment": attached(data="")}),
        (400, {"sourceAttachment": attached(title="x" * 201)}),
        (413, {"sourceAttachment": attached(PDF.ljust(3_000_000))}),
    ]:
        sent = {k: v for k, v in (answer(cast.ada) | change).items() if v is not None}
        found = said(program.send("POST", "Consent", sent))
        assert found[0] == status, (change, found)
        assert (list(Consent.objects.values()), rows()) == before, change


@pytest.mark.parametrize("form", [{}, {"sourceAttachment": attached()}])
def test_who_leaves_meanwhile_is_refused(
    cast, program, photo, monkeypatch, tmp_path, form
):
    def leaves(request, key):
        cast.north.remove(cast.ada)
        return cast.ada

    monkeypatch.setattr(gate, "find_patient", leaves)
    sent = answer(cast.ada, **form)
    assert said(program.send("POST", "Consent", sent))[0] == 403
    assert rows() == (0, 0)
    assert not list(tmp_path.iterdir())
    told = AuditRow.objects.filter(action="fhir:Consent.create").get()
    assert told.outcome == AuditRow.Outcome.REFUSED


def test_searches(cast, photo):
    program = Program(give(make_staff("all", *GROUPS), "All Patients"))
    for patient, day in [(cast.ada, 2), (cast.ben, 31), (cast.cyn, 3)]:
        Consent.record(patient, photo, "accepted", date(2026, 1, day))
    ada, ben, cyn = (p.consents.get().key for p in (cast.ada, cast.ben, cast.cyn))
    for query, wanted in [
        ({}, [ada, ben, cyn]),
        ({"_id": ada}, [ada]),
        ({"patient": f"Patient/{cast.ben.key}"}, [ben]),
        ({"patient.birthdate": "1980-01-02"}, [ada]),
        ({"period": "2026-01-03"}, [cyn]),
        ({"period": "2026-01"}, [ada, ben, cyn]),
        ({"period": "ge2026-01-03"}, [ben, cyn]),
        ({"period": ["ge2026-01-03", "lt2026-01-31"]}, [cyn]),
        ({"period": "le2026-01-02"}, [ada]),
        ({"period": "gt2027"}, []),
    ]:
        assert sorted(ids(program.search("Consent", **query))) == sorted(wanted), query
    found = program.bundle("Consent", _include="Consent:patient", _id=ada)
    assert len(found["entry"]) == 2


def test_a_search_asks_the_same_however_many_it_finds(cast, photo):
    program = Program(give(make_staff("all", *GROUPS, *DOCUMENTS), "All Patients"))
    numbers = []
    for patient in (cast.ada, cast.ben, cast.cyn):
        program.create("Consent", answer(patient, sourceAttachment=attached()))
        with CaptureQueriesContext(connection) as queries:
            program.search("Consent")
        numbers.append(len(queries))
    assert numbers[0] == numbers[1] == numbers[2]
