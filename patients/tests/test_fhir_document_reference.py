"""FHIR DocumentReference: each sort for who may read it, and the files behind it."""

import secrets
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from canvas_admin.audit import trail
from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_staff
from canvas_admin.tests.programs import Program, ids, said
from patients import uploads
from patients.models import (
    AdministrativeDocument,
    ClinicalDocument,
    ImagingReport,
    IncomingFile,
    LabReport,
)
from patients.tests.inbox import PDF, PNG
from staffing.models import Team

KIND = "DocumentReference"
AT = datetime(2026, 3, 4, 3, 6, tzinfo=UTC)
URL = "http://schemas.canvasmedical.com/fhir/document-reference-"
NORTH = "Patients: North"


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


def kept(row, content):
    """The row, saved with this file."""
    file = ContentFile(content, name="upload")
    row.keep(file, uploads.accept(file))
    row.save()
    return row


def clinical(patient, content=PDF, **fields):
    usual = {"display": "Discharge summary", "clinical_date": AT}
    row = ClinicalDocument(patient=patient, **usual | fields)
    if content:
        return kept(row, content)
    row.save()
    return row


def report(model, patient, content=PDF, **fields):
    usual = {"display": "Lipids", "status": "corrected", "reported": AT}
    row = model(patient=patient, **usual | fields)
    if content:
        return kept(row, content)
    row.save()
    return row


def administrative(patient, content=PNG, **fields):
    usual = {"title": "Card", "kind": "insurance", "filed": AT}
    return kept(AdministrativeDocument(patient=patient, **usual | fields), content)


def reader(*groups):
    return Program(make_staff(f"bot{secrets.token_hex(4)}", NORTH, *groups))


def both():
    return reader("Clinical read", "Document read")


def extensions(resource):
    found = {}
    for each in resource.get("extension", []):
        (value,) = (v for name, v in each.items() if name.startswith("value"))
        found[each["url"].removeprefix(URL)] = value
    return found


def test_each_sort_is_for_who_may_read_it(cast):
    chart, paper = clinical(cast.ada), administrative(cast.ada)
    for groups, seen in [
        (["Clinical read"], [chart]),
        (["Document read"], [paper]),
        (["Clinical read", "Document read"], [chart, paper]),
    ]:
        program = reader(*groups)
        for query in ({}, {"_summary": "count"}, {"_total": "accurate"}):
            assert program.bundle(KIND, **query)["total"] == len(seen)
        assert ids(program.search(KIND)) == [row.key for row in seen]
        for row in (chart, paper):
            answers = [
                program.get(f"{KIND}/{row.key}{tail}")
                for tail in ("", "/files/attachment")
            ]
            if row in seen:
                assert [answer.status_code for answer in answers] == [200, 200]
                continue
            text = f"Unknown {KIND} resource '{row.key}'"
            for answer in answers:
                assert said(answer) == (404, "not-found", text)
    profile = reader("Profile read", "Tasking access")
    for path in ("", f"/{paper.key}", f"/{chart.key}/files/attachment"):
        assert said(profile.get(f"{KIND}{path}"))[:2] == (403, "forbidden")
    assert said(profile.get("Patient", {"_revinclude": f"{KIND}:patient"}))[0] == 403
    for method, path in [("POST", KIND), ("PUT", f"{KIND}/{chart.key}")]:
        assert said(both().send(method, path, {}))[0] == 405


def test_what_is_hidden_wrong_or_removed_is_missing(cast):
    rows = [
        clinical(cast.ben),
        administrative(cast.ben),
        clinical(cast.ada, entered_in_error=True),
        administrative(cast.ada, removed=AT),
        report(LabReport, cast.ada, entered_in_error=True),
        report(LabReport, cast.ada, content=b""),
    ]
    program = both()
    for key in [*(row.key for row in rows), "0" * 32, "x"]:
        text = f"Unknown {KIND} resource '{key}'"
        for tail in ("", "/files/attachment"):
            answer = program.get(f"{KIND}/{key}{tail}")
            assert said(answer) == (404, "not-found", text)
    assert program.bundle(KIND)["total"] == 0
    assert program.search(KIND, patient=cast.ben.key) == []
    refused = AuditRow.objects.filter(action=f"fhir:{KIND}.read", outcome="refused")
    assert refused.count() == 2 * (len(rows) + 2)


def test_a_clinical_document_as_it_is_read(cast, settings):
    settings.TIME_ZONE = "America/New_York"
    row = clinical(cast.ada, kind="consult", text="Señor is well.", assignee=cast.sam)
    IncomingFile.objects.create(
        **{
            name: getattr(row, name)
            for name in ("file", "media_type", "size", "sha256")
        },
        source="fax",
        state="linked",
        patient=cast.ada,
        linked_as="consult",
        linked_row=row.key,
        linked_by=cast.nora,
    )
    program = both()
    found = program.read(f"{KIND}/{row.key}")
    at = f"http://testserver/fhir/{KIND}/{row.key}/files"
    told = {"title": "Discharge summary", "creation": AT.isoformat()}
    assert found == {
        "resourceType": KIND,
        "id": row.key,
        "extension": found["extension"],
        "status": "current",
        "docStatus": "final",
        "type": {
            "coding": [
                {
                    "system": "http://loinc.org",
                    "code": "11488-4",
                    "display": "Consult note",
                }
            ],
            "text": "Consult note",
        },
        "category": [
            {"coding": [{"system": f"{URL}category", "code": "referralreport"}]}
        ],
        "subject": {"reference": f"Patient/{cast.ada.key}", "type": "Patient"},
        "date": AT.isoformat(),
        "author": [
            {"reference": f"Practitioner/{cast.nora.key}", "type": "Practitioner"}
        ],
        "description": "Discharge summary",
        "content": [
            {
                "attachment": {
                    "contentType": "application/pdf",
                    "url": f"{at}/attachment",
                    "size": len(PDF),
                    **told,
                }
            },
            {
                "attachment": {
                    "contentType": "text/plain; charset=utf-8",
                    "url": f"{at}/text",
                    "size": 15,
                    **told,
                }
            },
        ],
    }
    assert extensions(found) == {
        # The day of the clinic, which is behind UTC.
        "clinical-date": "2026-03-03",
        "review-mode": "RR",
        "reviewer": {
            "reference": f"Practitioner/{cast.sam.key}",
            "type": "Practitioner",
        },
    }
    row.hand_to(team=Team.objects.create(name="Charts"))
    row.save()
    team = extensions(program.read(f"{KIND}/{row.key}"))["reviewer-group"]
    assert team["reference"] == f"Group/{row.team.externally_exposable_id}"
    row.review(cast.nora, "Seen")
    row.status = "superseded"
    row.save()
    found = program.read(f"{KIND}/{row.key}")
    assert (found["status"], found.get("docStatus")) == ("superseded", None)
    told = extensions(found)
    assert (told["review-mode"], told["comment"]) == ("AR", "Seen")
    assert told["reviewer"]["reference"] == f"Practitioner/{cast.nora.key}"
    assert "reviewer-group" not in told
    bare = clinical(cast.ada, b"", clinical_date=None, reviewed=AT)
    found = program.read(f"{KIND}/{bare.key}")
    assert found["content"] == [{"attachment": {"title": "Discharge summary"}}]
    assert extensions(found) == {"review-mode": "RN"}


def test_an_administrative_document_as_it_is_read(cast):
    row = administrative(
        cast.ada, document_date=date(2024, 2, 3), comment="Front", filed_by=cast.olga
    )
    found = both().read(f"{KIND}/{row.key}")
    assert (found["status"], found["description"]) == ("current", "Card")
    assert found["date"] == AT.isoformat()
    assert found["type"]["coding"][0]["code"] == "64290-0"
    assert found["type"]["text"] == "Insurance card"
    assert found["category"][0]["coding"][0]["code"] == "patientadministrativedocument"
    assert found["author"][0]["reference"] == f"Practitioner/{cast.olga.key}"
    assert extensions(found) == {"clinical-date": "2024-02-03", "comment": "Front"}
    assert found["content"] == [
        {
            "attachment": {
                "contentType": "image/png",
                "url": f"http://testserver/fhir/{KIND}/{row.key}/files/attachment",
                "size": len(PNG),
                "title": "Card",
                "creation": "2024-02-03",
            }
        }
    ]
    other = administrative(cast.ada, kind="legal")
    assert both().read(f"{KIND}/{other.key}")["type"] == {"text": "Legal document"}


def test_searches(cast):
    note = clinical(cast.ada, status="superseded")
    consult = clinical(
        cast.ada, kind="consult", code="34140-4", system="http://loinc.org"
    )
    labs, images = report(LabReport, cast.ada), report(ImagingReport, cast.ada)
    card = administrative(cast.ada, filed=datetime(2020, 1, 2, tzinfo=UTC))
    letter = administrative(cast.ada, kind="letter")
    legal = administrative(cast.ada, kind="legal")
    files, papers = [note, consult, labs, images], [card, letter, legal]
    program = reader("Clinical read", "Document read", "Profile read")
    for query, wanted in [
        ({}, [*files, *papers]),
        ({"patient": cast.ada.key}, [*files, *papers]),
        ({"subject": f"Patient/{cast.ada.key}"}, [*files, *papers]),
        ({"subject": cast.ben.key}, []),
        ({"_id": f"{letter.key},{labs.key}"}, [labs, letter]),
        ({"category": "patientadministrativedocument"}, papers),
        ({"category": f"{URL}category|labreport,referralreport"}, [consult, labs]),
        ({"category:not": "patientadministrativedocument"}, files),
        ({"category": "x"}, []),
        ({"type": "34109-9"}, [note]),
        ({"type": "http://loinc.org|34140-4"}, [consult]),
        ({"type": "11488-4"}, []),
        ({"type": "11502-2,51852-2"}, [labs, letter]),
        ({"type:not": "64290-0,18748-4"}, [note, consult, labs, letter, legal]),
        ({"type": "|"}, []),
        ({"status": "superseded"}, [note]),
        ({"status": "current"}, [consult, labs, images, *papers]),
        ({"status:not": "current"}, [note]),
        ({"status": "entered-in-error"}, []),
        ({"date": "2026-03-04"}, [*files, letter, legal]),
        ({"date": "lt2026"}, [card]),
        ({"patient.birthdate": "1980-01-02", "status": "superseded"}, [note]),
        ({"subject:Patient.birthdate": "1975-03-04"}, []),
        ({"_count": "2", "_offset": "3"}, [images, card]),
    ]:
        found = ids(program.search(KIND, **query))
        assert found == [row.key for row in wanted], query
    assert said(program.get(KIND, {"date": "x"}))[0] == 400
    papers_only = reader("Document read")
    assert said(papers_only.get(KIND, {"patient.family": "al"}))[0] == 403
    assert said(papers_only.get(KIND, {"_include": f"{KIND}:patient"}))[0] == 403


def test_what_goes_with_the_matches_is_of_the_sorts_that_are_read(cast):
    chart, paper = clinical(cast.ada), administrative(cast.ada)
    report(LabReport, cast.ada)
    report(ImagingReport, cast.ada)
    clinical(cast.ben)
    for groups, wanted in [
        (["Clinical read"], {chart.key}),
        (["Profile read", "Document read"], {paper.key}),
        (["Clinical read", "Document read"], {chart.key, paper.key}),
    ]:
        program = reader(*groups)
        entries = program.bundle("Patient", _revinclude=f"{KIND}:subject")["entry"]
        found = {
            e["resource"]["id"]
            for e in entries
            if e["resource"]["resourceType"] == KIND
            and e["resource"]["description"] != "Lipids"
        }
        assert found == wanted, groups
        entries = program.bundle(KIND, _include=f"{KIND}:patient")["entry"]
        assert entries[-1]["resource"]["id"] == cast.ada.key
    nurse = reader("Clinical read")
    entries = nurse.bundle("Patient", _revinclude="DiagnosticReport:patient")["entry"]
    assert [e["resource"]["resourceType"] for e in entries] == [
        "Patient",
        "DiagnosticReport",
        "DiagnosticReport",
    ]


def test_a_file_is_sent_as_the_pages_send_it(cast, signed_in):
    row = administrative(cast.ada, PDF)
    chart = clinical(cast.ada, b"II*\x00 a fax", text="<script>alert(1)</script>")
    give(cast.nora, "Document read")
    page = signed_in("nora").get(f"/patient/{cast.ada.key}/documents/{row.key}/file/")
    program = both()
    AuditRow.objects.all().delete()
    answer = program.get(f"{KIND}/{row.key}/files/attachment", accept="application/pdf")
    assert (answer.status_code, b"".join(answer)) == (200, PDF)
    for name in (
        "Content-Type",
        "Content-Disposition",
        "Content-Length",
        "Content-Security-Policy",
        "Cache-Control",
        "X-Content-Type-Options",
    ):
        assert answer[name] == page[name], name
    assert answer["Content-Security-Policy"] == (
        "default-src 'none'; frame-ancestors 'none'; sandbox"
    )
    assert answer["fumage-correlation-id"]
    told = AuditRow.objects.filter(action=f"fhir:{KIND}.read", outcome="shown")
    assert sorted(told.values_list("patient", flat=True)) == ["", cast.ada.key]
    about = told.get(patient="").detail
    assert about["about"] == f"{KIND}/{row.key}"[:64]
    assert about["file"] == "attachment"
    fax = program.get(f"{KIND}/{chart.key}/files/attachment")
    assert fax["Content-Type"] == "image/tiff"
    assert fax["Content-Disposition"].startswith("attachment")
    text = program.get(f"{KIND}/{chart.key}/files/text")
    assert b"".join(text).decode() == chart.text
    assert text["Content-Type"] == "text/plain; charset=utf-8"
    assert text["Content-Disposition"].startswith("attachment")
    assert text["X-Content-Type-Options"] == "nosniff"
    assert text["Content-Security-Policy"] == answer["Content-Security-Policy"]


def test_a_file_that_is_not_there(cast):
    row, bare = administrative(cast.ada), clinical(cast.ada, b"", text="So")
    program = both()
    for key, name in [(row.key, "text"), (bare.key, "x"), (bare.key, "attachment")]:
        answer = program.get(f"{KIND}/{key}/files/{name}")
        assert said(answer)[:2] == (404, "not-found")
    for path in (
        f"{KIND}/{row.key}/files/",
        f"{KIND}/{row.key}/files/attachment/",
        f"{KIND}/{row.key}/files/..%2Fattachment",
        f"Nothing/{row.key}/files/attachment",
    ):
        assert said(program.get(path))[0] == 404
    answer = program.send("POST", f"{KIND}/{row.key}/files/attachment", {})
    assert said(answer)[0] == 405
    Path(row.file.path).unlink()
    answer = program.get(f"{KIND}/{row.key}/files/attachment")
    assert said(answer) == (404, "not-found", "There is no such file")
    assert said(program.get(f"Patient/{cast.ada.key}/files/photo"))[0] == 404


def test_a_file_needs_a_token_that_reads(cast, client, signed_in):
    row = administrative(cast.ada)
    path = f"{KIND}/{row.key}/files/attachment"
    give(cast.nora, "Document read")
    for asking in (client, signed_in("nora")):
        assert said(asking.get(f"/fhir/{path}"))[0] == 401
    for scope, status in [
        ("user/DocumentReference.s", 403),
        ("user/Patient.rs", 403),
        ("user/DocumentReference.r", 200),
    ]:
        assert Program(cast.nora, scope=scope).get(path).status_code == status


def test_nothing_leaves_unless_it_is_on_the_trail(cast, monkeypatch):
    row, program = administrative(cast.ada), both()

    def fail(*_args, **_kwargs):
        raise trail.AuditUnavailable

    monkeypatch.setattr(trail, "shown", fail)
    answer = program.get(f"{KIND}/{row.key}/files/attachment")
    assert said(answer)[:2] == (503, "transient")


def test_a_search_asks_the_same_number_of_queries_for_any_number_of_rows(cast):
    program, counted = both(), []
    for _n in range(3):
        clinical(cast.ada, assignee=cast.sam)
        report(LabReport, cast.ada)
        administrative(cast.ada, filed_by=cast.nora)
        program.search(KIND, _count="100")
        with CaptureQueriesContext(connection) as queries:
            program.search(KIND, _count="100")
        counted.append(len(queries))
    assert counted[0] == counted[1] == counted[2]
