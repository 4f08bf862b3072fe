"""Documents in print: the file itself, or its pictures on paper."""

from io import BytesIO

import pytest
from django.contrib.auth.models import Group
from PIL import Image

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_staff
from patients.models import AdministrativeDocument, LabReport
from patients.printing import pictures
from patients.tests.printed import reader, text_of

PDF = b"%PDF-1.4 about Ada"
READ, PRINT = "Document read", "Printing access"


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def clinic(cast):
    give(cast.nora, READ, PRINT)
    return cast


def filed(patient, content, media_type, **fields):
    row = AdministrativeDocument(
        patient=patient, title="Insurance card", kind="insurance", size=len(content)
    )
    row.media_type = media_type
    for name, value in fields.items():
        setattr(row, name, value)
    row.file.save("x", BytesIO(content), save=False)
    row.save()
    return row


def picture(kind, mode="RGB", size=(300, 200), **options):
    found = BytesIO()
    Image.new(mode, size, "white").save(found, kind, **options)
    return found.getvalue()


def printed(client, row, patient=None):
    key = (patient or row.patient).key
    return client.get(f"/patient/{key}/print/documents/{row.key}/")


def test_a_pdf_is_printed_as_it_is(clinic, signed_in):
    row = filed(clinic.ada, PDF, "application/pdf")
    response = printed(signed_in("nora"), row)
    assert response.getvalue() == PDF
    assert response["Content-Disposition"] == 'inline; filename="document.pdf"'
    assert response["Content-Type"] == "application/pdf"
    act = AuditRow.objects.get(action="patient.document.printed", patient="")
    assert act.detail == {"document": row.key}
    page = signed_in("nora").get(f"/patient/{clinic.ada.key}/documents/").content
    assert f"/print/documents/{row.key}/" in page.decode()


@pytest.mark.parametrize(
    ("content", "media_type", "pages"),
    [
        (picture("PNG", "RGBA"), "image/png", 1),
        (picture("PNG", "P"), "image/png", 1),
        (picture("JPEG", size=(4000, 3000)), "image/jpeg", 1),
        (
            picture(
                "TIFF", "1", save_all=True, append_images=[Image.new("1", (9, 9))] * 2
            ),
            "image/tiff",
            3,
        ),
    ],
    ids=["see-through", "palette", "photograph", "fax"],
)
def test_a_picture_is_put_on_paper(clinic, signed_in, content, media_type, pages):
    response = printed(
        signed_in("nora"), filed(clinic.ada, content, media_type, comment="private")
    )
    pdf = reader(response)
    assert [len(page.images) for page in pdf.pages] == [1] * pages
    text = text_of(response)
    assert "Insurance card" in text
    assert "Ada Alvarez" in text


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n picture",
        picture("PNG")[:60],
        b"\xff\xd8\xff damaged",
        b"II*\x00 scan",
        picture("PNG", "1", size=(8000, 8000)),
    ],
    ids=["text", "half", "damaged", "empty", "huge"],
)
def test_what_is_no_picture_says_so(clinic, signed_in, content):
    row = filed(clinic.ada, content, "image/png")
    text = text_of(printed(signed_in("nora"), row))
    assert "cannot be shown as a picture" in text


def test_a_long_fax_says_what_is_left_out(clinic, signed_in, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_PICTURES", 1)
    more = {"save_all": True, "append_images": [Image.new("1", (9, 9))]}
    row = filed(clinic.ada, picture("TIFF", "1", **more), "image/tiff")
    assert "Only the first 1" in text_of(printed(signed_in("nora"), row))


def test_who_prints_documents(clinic, client, signed_in):
    row, foreign = (filed(p, PDF, "application/pdf") for p in (clinic.ada, clinic.ben))
    removed = filed(clinic.ada, PDF, "application/pdf", removed=row.filed)
    nora = signed_in("nora")
    answers = [printed(nora, foreign, clinic.ada), printed(nora, foreign)]
    answers += [printed(nora, removed)]
    for number, groups in enumerate([(READ,), (PRINT,), (READ, PRINT)]):
        staff = make_staff(f"pat{number}", *groups)
        if len(groups) == 1:
            give(staff, "Patients: North")
        client.force_login(staff.user, backend="staffing.backends.StaffBackend")
        answers.append(printed(client, row))
    assert [answer.status_code for answer in answers] == [403] * 6
    row.file.storage.delete(row.file.name)
    assert printed(nora, row).status_code == 404


def result(patient, content, media_type):
    """A lab report that came as a file."""
    row = LabReport(patient=patient, display="Metabolic panel", status="final")
    row.media_type, row.size = media_type, len(content)
    row.file.save("x", BytesIO(content), save=False)
    row.save()
    return row


def test_the_file_of_a_result_is_printed_by_who_reads_the_chart(clinic, signed_in):
    nora, ada = signed_in("nora"), clinic.ada
    scan = result(ada, picture("PNG"), "image/png")
    whole = result(ada, PDF, "application/pdf")
    foreign = result(clinic.ben, PDF, "application/pdf")
    empty = LabReport.objects.create(patient=ada, display="Told by phone")

    def got(row, kind="labs", key=ada.key):
        return nora.get(f"/patient/{key}/print/results/{kind}/{row.key}/")

    assert "Metabolic panel" in text_of(got(scan))
    assert got(whole).getvalue() == PDF
    rows = AuditRow.objects.filter(action="patient.result_file.printed", patient="")
    assert {row.detail["row"] for row in rows} == {scan.key, whole.key}
    assert [got(foreign).status_code, got(scan, "imaging").status_code] == [403] * 2
    assert got(foreign, key=clinic.ben.key).status_code == 403
    assert [got(empty).status_code, got(scan, "observations").status_code] == [404] * 2
    address = f"/print/results/labs/{scan.key}/"
    for page in ("", "results/labs/"):
        assert address in nora.get(f"/patient/{ada.key}/{page}").content.decode()
    clinic.nora.revoke(Group.objects.get(name=PRINT))
    assert got(scan).status_code == 403
    assert address not in nora.get(f"/patient/{ada.key}/").content.decode()
