"""What import_fhir makes of DocumentReference: texts, PDFs, and what is left out."""

import base64
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from canvas_admin.fhir.bundles import BrokenBundle, Bundle
from patients.importing.bundle import plan
from patients.models import ClinicalDocument
from patients.tests.bundles_to_import import (
    Resource,
    a_care_team,
    a_patient,
    bundle_of,
    take_in,
)
from patients.tests.inbox import PDF, PNG

pytestmark = pytest.mark.django_db

PDF_TYPE = "application/pdf"
WHEN = "2024-05-06T07:08:09+00:00"
TEXT = "Seen for a cough.\n\nWent home well, señor."


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


def coded(code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": "s", "code": code, "display": display}]}


def attached(content: bytes, kind: str) -> dict[str, Any]:
    data = base64.b64encode(content).decode()
    return {"attachment": {"contentType": kind, "data": data}}


def a_document(*contents: dict[str, Any], **elements: Any) -> Resource:
    return {
        "resourceType": "DocumentReference",
        "id": "letter",
        "status": "current",
        "type": coded("34117-2", "History and physical note"),
        "category": [coded("clinical-note", "Clinical Note")],
        "subject": {"reference": "urn:uuid:ann"},
        "date": WHEN,
        "content": list(contents)
        or [attached(TEXT.encode(), "text/plain; charset=utf-8")],
    } | elements


def test_a_text_arrives_in_the_chart() -> None:
    result = take_in(a_patient(), a_document())
    assert result.counts["DocumentReference", "created"] == 1
    row = ClinicalDocument.objects.get()
    assert (row.display, row.text) == ("History and physical note", TEXT)
    assert row.clinical_date == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert (row.kind, row.status, row.file.name) == ("other", "final", "")
    # It is old: nobody has to review it here.
    assert row.reviewed


def test_a_pdf_is_kept_as_a_file() -> None:
    take_in(a_patient(), a_document(attached(PDF, PDF_TYPE)))
    row = ClinicalDocument.objects.get()
    assert row.file.read() == PDF
    assert (row.media_type, row.size, row.text) == ("application/pdf", len(PDF), "")


def test_the_same_again_changes_nothing_and_another_file_does() -> None:
    document = a_document(attached(PDF, PDF_TYPE))
    take_in(a_patient(), document)
    name = ClinicalDocument.objects.get().file.name
    result = take_in(a_patient(), document)
    assert result.counts["DocumentReference", "unchanged"] == 1
    assert ClinicalDocument.objects.get().file.name == name
    result = take_in(a_patient(), a_document(attached(b"%PDF-2 %%EOF", PDF_TYPE)))
    assert result.counts["DocumentReference", "updated"] == 1
    assert ClinicalDocument.objects.get().file.read() == b"%PDF-2 %%EOF"


EXTENSION = {
    "url": "http://schemas.canvasmedical.com/fhir/document-reference-clinical-date",
    "valueDate": "2023-01-02",
}


@pytest.mark.parametrize(
    ("elements", "field", "value"),
    [
        ({"type": coded("11488-4", "Consult note")}, "kind", "consult"),
        ({"docStatus": "preliminary"}, "status", "preliminary"),
        ({"status": "superseded"}, "status", "superseded"),
        ({"status": "entered-in-error"}, "entered_in_error", True),
        ({"docStatus": "entered-in-error"}, "entered_in_error", True),
        ({"type": None, "description": "A letter"}, "display", "A letter"),
        ({"content": [attached(PNG, "image/png")]}, "text", ""),
        (
            {"content": [attached(b"se\xf1or", "text/plain;charset=latin-1")]},
            "text",
            "señor",
        ),
    ],
)
def test_what_a_source_may_say(elements: Any, field: str, value: Any) -> None:
    given = {k: v for k, v in a_document(**elements).items() if v is not None}
    take_in(a_patient(), given)
    assert getattr(ClinicalDocument.objects.get(), field) == value


def test_the_clinical_date_is_the_one_of_the_care() -> None:
    period = {"context": {"period": {"start": "2023-03-04"}}}
    take_in(a_patient(), a_document(**period))
    assert ClinicalDocument.objects.get().clinical_date.date() == date(2023, 3, 4)
    take_in(a_patient(), a_document(extension=[EXTENSION], **period))
    assert ClinicalDocument.objects.get().clinical_date.date() == date(2023, 1, 2)


def test_what_is_new_waits_for_a_review() -> None:
    new = datetime.now(UTC) - timedelta(days=2)
    take_in(a_patient(), a_document(date=new.isoformat()))
    assert ClinicalDocument.objects.get().reviewed is None


def test_administrative_ones_are_left_out_and_counted() -> None:
    category = [coded("patientadministrativedocument", "Card")]
    document = a_document(category=category)
    take_in(a_patient(), document)
    assert not ClinicalDocument.objects.exists()
    content = json.dumps(bundle_of(a_patient(), document)).encode()
    assert plan(Bundle.parse(content)).left_out == {"DocumentReference": 1}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (a_document(attached(b"no pdf", PDF_TYPE)), "Only PDF"),
        (a_document(attached(PNG, PDF_TYPE)), "is no PDF"),
        (a_document(attached(PDF[:-5], PDF_TYPE)), "end of this file"),
        (a_document(attached(b"se\xf1or", "text/plain")), "not in its charset"),
        (a_document(attached(b"x", "text/plain; charset=klingon")), "charset"),
        (a_document(attached(b"a\x00b", "text/plain")), "NUL"),
        (a_document(attached(b"x" * 100_001, "text/plain")), "too many for text"),
        (a_document(subject={"reference": "urn:uuid:bob"}), "subject"),
        (a_document(type={}), "code: is missing"),
        (a_document(date="2024-02-30T00:00:00Z"), "date"),
    ],
)
def test_what_cannot_be_kept_is_refused_as_a_whole(
    document: Resource, said: str
) -> None:
    with pytest.raises(BrokenBundle, match=said):
        take_in(a_patient(), document)
    assert not ClinicalDocument.objects.exists()


def test_a_bundle_that_is_refused_leaves_no_file(settings) -> None:
    """Whoever is on the care team is neither in the bundle nor here."""
    nobody = "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|9999999999"
    team = a_care_team(("x", "RN", False))
    team["participant"][0]["member"]["reference"] = nobody
    with pytest.raises(BrokenBundle, match="neither in this bundle nor here"):
        take_in(a_patient(), a_document(attached(PDF, PDF_TYPE)), team)
    assert not ClinicalDocument.objects.exists()
    assert not [each for each in Path(settings.MEDIA_ROOT).rglob("*") if each.is_file()]
