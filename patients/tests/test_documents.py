"""Administrative documents: who reads and writes them, which files are taken, what stays."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_staff
from patients import uploads
from patients.models import AdministrativeDocument
from patients.views.documents import PAGE

PDF = b"%PDF-1.4 about Ada %%EOF"
PNG = b"\x89PNG\r\n\x1a\n picture IEND"
READ, WRITE = "Document read", "Document write"


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def clinic(cast):
    give(cast.nora, READ, WRITE)
    return cast


def base(patient):
    return f"/patient/{patient.key}/documents/"


def form_of(client, address):
    page = client.get(address).content.decode()
    return {
        name: page.partition(f'name="{name}" value="')[2].partition('"')[0]
        for name in ("form_token", "form_version")
    }


def file(client, patient, content=PDF, name="card.pdf", **fields):
    address = f"{base(patient)}new/"
    data = form_of(client, address) | {
        "title": "Insurance card",
        "kind": "insurance",
        "document_date": "",
        "comment": "",
        "upload": SimpleUploadedFile(name, content),
    }
    return client.post(address, data | fields)


def filed(clinic, signed_in, **fields):
    file(signed_in("nora"), clinic.ada, **fields)
    return AdministrativeDocument.objects.latest("pk")


def test_a_document_is_filed_listed_and_read(clinic, signed_in):
    client = signed_in("nora")
    assert file(client, clinic.ada)["Location"] == base(clinic.ada)
    row = AdministrativeDocument.objects.get()
    assert (row.media_type, row.size, row.filed_by) == (
        "application/pdf",
        len(PDF),
        clinic.nora,
    )
    assert "card" not in row.file.name
    address = f"{base(clinic.ada)}{row.key}/file/"
    page = client.get(base(clinic.ada)).content.decode()
    assert "Insurance card" in page
    assert f'href="{address}"' in page
    answer = client.get(address)
    assert b"".join(answer.streaming_content) == PDF
    assert answer["Content-Type"] == "application/pdf"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert answer["Content-Disposition"] == 'inline; filename="document.pdf"'


@pytest.mark.parametrize(
    ("groups", "reads", "writes"),
    [
        ((READ,), True, False),
        ((WRITE,), False, False),
        ((READ, WRITE), True, True),
        (("Clinical read", "Profile read", "Profile write"), False, False),
        ((), False, False),
    ],
)
@pytest.mark.parametrize("reached", [True, False])
def test_who_may_do_what(clinic, client, signed_in, groups, reads, writes, reached):
    row = filed(clinic, signed_in)
    staff = make_staff("pat", *groups, *(["Patients: North"] if reached else []))
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    one = f"{base(clinic.ada)}{row.key}/"
    for address, allowed in (
        (base(clinic.ada), reads),
        (f"{one}file/", reads),
        (f"{base(clinic.ada)}new/", writes),
        (f"{one}change/", writes),
        (f"{one}remove/", writes),
    ):
        wanted = 200 if allowed and reached else 403
        assert client.get(address).status_code == wanted, address
    if not (writes and reached):
        for address in (f"{one}change/", f"{one}remove/", f"{one}restore/"):
            assert client.post(address, {"removed_reason": "x"}).status_code == 403
        assert file(client, clinic.ada).status_code == 403
        row.refresh_from_db()
        assert row.removed is None
        assert AdministrativeDocument.objects.count() == 1


@pytest.mark.parametrize("page", ["file/", "change/", "remove/", "restore/"])
def test_another_patient_s_document_is_no_document_here(clinic, signed_in, page):
    give(clinic.sam, READ, WRITE)
    file(signed_in("sam"), clinic.ben)
    foreign, client = AdministrativeDocument.objects.get(), signed_in("nora")
    got = []
    for key in (foreign.key, "0" * 32, "x"):
        address = f"{base(clinic.ada)}{key}/{page}"
        response = (client.post if page == "restore/" else client.get)(address)
        got.append((response.status_code, len(response.content)))
    assert got[0][0] == got[1][0] == got[2][0] == 403
    assert got[0][1] == got[1][1]


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"<script>alert(1)</script>", "card.pdf", "Only PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "picture.png", "Only PDF"),
        (b"PK\x03\x04", "card.docx", "Only PDF"),
        (b"", "card.pdf", "empty"),
        (PDF[:-5], "card.pdf", "end of this file is missing"),
        (PDF + b"x" * 64, "card.pdf", "larger than"),
    ],
)
def test_files_are_told_by_what_they_are(
    clinic, signed_in, monkeypatch, content, name, said
):
    monkeypatch.setattr(uploads, "LARGEST", 64)
    response = file(signed_in("nora"), clinic.ada, content, name)
    assert response.status_code == 200
    assert said in response.content.decode()
    assert not AdministrativeDocument.objects.exists()


def test_a_stored_file_is_the_site_s_alone(clinic, signed_in, settings):
    path = Path(filed(clinic, signed_in).file.path)
    assert path.is_relative_to(settings.MEDIA_ROOT)
    for one in (path, path.parent, path.parent.parent):
        assert not one.stat().st_mode & 0o077, one


def test_the_name_of_a_file_decides_nothing(clinic, signed_in):
    row = filed(clinic, signed_in, content=PNG, name="../../etc/passwd.html")
    assert row.media_type == "image/png"
    answer = signed_in("nora").get(f"{base(clinic.ada)}{row.key}/file/")
    assert answer["Content-Type"] == "image/png"
    assert "passwd" not in answer["Content-Disposition"]


def test_what_browsers_do_not_show_is_saved(clinic, signed_in):
    row = filed(clinic, signed_in, content=b"II*\x00 scan")
    answer = signed_in("nora").get(f"{base(clinic.ada)}{row.key}/file/")
    assert answer["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"title": ""}, "required"),
        ({"title": "x" * 201}, "at most 200"),
        ({"title": "a\u202eb"}, "cannot be saved"),
        ({"kind": "secret"}, "valid choice"),
        ({"document_date": "2030-02-30"}, "valid date"),
        ({"form_token": ""}, "damaged"),
    ],
)
def test_bad_input_says_what_is_wrong_and_saves_nothing(
    clinic, signed_in, fields, said
):
    response = file(signed_in("nora"), clinic.ada, **fields)
    assert response.status_code == 200
    assert said in response.content.decode()
    assert not AdministrativeDocument.objects.exists()


def test_a_removed_document_is_kept_and_can_be_put_back(clinic, signed_in):
    row, client = filed(clinic, signed_in), signed_in("nora")
    one = f"{base(clinic.ada)}{row.key}/"
    data = form_of(client, f"{one}remove/") | {"removed_reason": "wrong patient"}
    assert client.post(f"{one}remove/", data).status_code == 302
    assert "Insurance card" not in client.get(base(clinic.ada)).content.decode()
    removed = client.get(f"{base(clinic.ada)}?show=removed").content.decode()
    assert "wrong patient" in removed
    assert "Nora Example" in removed
    assert client.get(f"{one}file/").status_code == 200
    reader = make_staff("pat", READ, "Patients: North")
    client.force_login(reader.user, backend="staffing.backends.StaffBackend")
    page = client.get(f"{base(clinic.ada)}?show=removed").content.decode()
    assert "wrong patient" not in page
    assert client.get(f"{one}file/").status_code == 403
    signed_in("nora").post(f"{one}restore/")
    assert "Insurance card" in client.get(base(clinic.ada)).content.decode()


def test_a_removal_says_why(clinic, signed_in):
    row, client = filed(clinic, signed_in), signed_in("nora")
    address = f"{base(clinic.ada)}{row.key}/remove/"
    response = client.post(address, form_of(client, address) | {"removed_reason": " "})
    assert "required" in response.content.decode()
    row.refresh_from_db()
    assert row.removed is None


def test_a_change_by_another_is_not_overwritten(clinic, signed_in):
    row, client = filed(clinic, signed_in), signed_in("nora")
    address = f"{base(clinic.ada)}{row.key}/change/"
    data = form_of(client, address) | {"title": "Mine", "kind": "other"}
    row.title = "Theirs"
    row.save()
    assert "Somebody saved this" in client.post(address, data).content.decode()
    row.refresh_from_db()
    assert row.title == "Theirs"


def test_sending_a_form_twice_files_once(clinic, signed_in):
    client, address = signed_in("nora"), f"{base(clinic.ada)}new/"
    data = form_of(client, address) | {"title": "Card", "kind": "other"}
    for _time in range(2):
        upload = SimpleUploadedFile("card.pdf", PDF)
        assert client.post(address, data | {"upload": upload}).status_code == 302
    assert AdministrativeDocument.objects.count() == 1


def test_a_file_that_is_gone_is_no_page(clinic, signed_in):
    row = filed(clinic, signed_in)
    row.file.storage.delete(row.file.name)
    address = f"{base(clinic.ada)}{row.key}/file/"
    assert signed_in("nora").get(address).status_code == 404


def test_every_act_is_on_the_trail(clinic, signed_in):
    row, client = filed(clinic, signed_in), signed_in("nora")
    client.get(f"{base(clinic.ada)}{row.key}/file/")
    acts = AuditRow.objects.filter(patient=clinic.ada.key)
    assert {"document.file", "patient.document"} <= set(
        acts.values_list("action", flat=True)
    )
    told = str(list(AuditRow.objects.values()))
    for secret in ("Insurance card", "card.pdf"):
        assert secret not in told


def test_the_list_costs_the_same_whatever_it_shows(
    clinic, signed_in, django_assert_num_queries, django_assert_max_num_queries
):
    client = signed_in("nora")
    filed(clinic, signed_in)
    client.get(base(clinic.ada))
    with django_assert_max_num_queries(12) as few:
        client.get(base(clinic.ada))
    number = len(few)
    for _number in range(PAGE):
        filed(clinic, signed_in)
    with django_assert_num_queries(number):
        assert client.get(base(clinic.ada)).context["next"]
