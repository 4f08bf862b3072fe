"""Linking incoming files: by whom, to whom, as what, two people at once, and back."""

import threading

import pytest
from django.db import connection
from django.test import Client

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_staff
from patients import linking
from patients.forms.linking import LinkForm, UnlinkForm
from patients.models import (
    AdministrativeDocument,
    ChartChange,
    ClinicalDocument,
    ImagingReport,
    IncomingFile,
    LabReport,
)
from patients.models.work_keys import WorkKey
from patients.tests.inbox import (
    HOLDER,
    INBOX,
    LINKER,
    PDF,
    act,
    form_of,
    link,
    uploaded,
)

MODELS = {
    "lab": LabReport,
    "imaging": ImagingReport,
    "consult": ClinicalDocument,
    "other": ClinicalDocument,
    "document-insurance": AdministrativeDocument,
}


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def clinic(cast):
    """nora (North) and sam (South) link files; nora reads charts, pat holds one group."""
    give(cast.nora, *HOLDER, "Document read", "Document write")
    give(cast.sam, *HOLDER)
    cast.pat = make_staff("pat", *HOLDER)
    return cast


@pytest.fixture
def file(clinic, signed_in):
    return uploaded(signed_in("pat"))


def text(client, address=INBOX):
    return client.get(address).content.decode()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("lab", "labs"),
        ("imaging", "imaging"),
        ("consult", "clinical-documents"),
        ("other", "clinical-documents"),
    ],
)
def test_a_file_becomes_a_result_with_the_file_in_it(
    clinic, signed_in, file, kind, code
):
    client = signed_in("nora")
    assert link(client, file, clinic.ada, kind=kind)["Location"] == INBOX
    row = MODELS[kind].objects.get()
    assert (row.patient, row.display) == (clinic.ada, "Metabolic panel")
    assert (row.sha256, row.size) == (file.sha256, len(PDF))
    assert "2024-05-06" in str(getattr(row, row.dated_by))
    file.refresh_from_db()
    assert (file.state, file.patient, file.linked_row) == (
        "linked",
        clinic.ada,
        row.key,
    )
    chart = f"/patient/{clinic.ada.key}/"
    address = f"{chart}results/{code}/{row.key}/file/"
    for page in (chart, f"{chart}results/{code}/"):
        assert address in text(client, page)
    answer = client.get(address)
    assert b"".join(answer.streaming_content) == PDF
    assert answer["Content-Disposition"] == 'inline; filename="result.pdf"'
    assert "sandbox" in answer["Content-Security-Policy"]
    trail = AuditRow.objects.filter(patient=clinic.ada.key)
    assert {"file.link", "patient.result_file"} <= set(
        trail.values_list("action", flat=True)
    )
    assert "Metabolic" not in str(list(AuditRow.objects.values()))
    # Who may not open the chart opens no result of it, whichever key is asked for.
    reader = make_staff("rea", "Profile read", *LINKER, "Patients: North")
    for staff in (reader, clinic.sam):
        client.force_login(staff.user, backend="staffing.backends.StaffBackend")
        got = {
            (client.get(a).status_code, len(client.get(a).content))
            for a in (address, address.replace(row.key, "0" * 32))
        }
        assert len(got) == 1
        assert got.pop()[0] == 403


def test_an_administrative_document_is_filed(clinic, signed_in, file):
    client = signed_in("nora")
    link(client, file, clinic.ada, kind="document-insurance", title="Card")
    row = AdministrativeDocument.objects.get()
    assert (row.title, row.kind, row.filed_by) == ("Card", "insurance", clinic.nora)
    address = f"/patient/{clinic.ada.key}/documents/{row.key}/file/"
    assert b"".join(client.get(address).streaming_content) == PDF


@pytest.mark.parametrize(
    ("groups", "links", "files"),
    [
        (("Data integration access",), False, False),
        (("Clinical write",), False, False),
        (("Clinical read", "Clinical write", "Document write"), False, False),
        (("Data integration access", "Clinical read"), False, False),
        (("Data integration access", "Document write"), False, False),
        (LINKER, True, False),
        ((*LINKER, "Document write"), True, True),
    ],
)
@pytest.mark.parametrize("reached", [True, False])
def test_who_may_link(clinic, client, file, groups, links, files, reached):
    linked = {
        kind: IncomingFile.objects.create(
            source="fax", size=1, media_type="application/pdf", file="x"
        )
        for kind in ("lab", "document-other")
    }
    for kind, each in linked.items():
        day, what = clinic.ada.birth_date, linking.KINDS[kind]
        linking.link(each, clinic.ada, linking.Wanted(what, "Old", day), None)
    staff = make_staff("who", *groups, *(["Patients: North"] if reached else []))
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    start, ada = f"{INBOX}{file.key}/link/", f"{clinic.ada.key}/"
    may = links and reached
    assert client.get(start).status_code == (200 if links else 403)
    page = client.get(start + ada)
    assert page.status_code == (200 if may else 403)
    assert ("document-other" in page.content.decode()) == (files and reached)
    for kind, allowed in (("lab", links), ("document-other", files)):
        address = f"{INBOX}{linked[kind].key}/unlink/{ada}"
        wanted = 200 if allowed and reached else 403
        assert client.get(address).status_code == wanted
        if wanted == 403:
            data = {"reason": "x", "form_version": "2"}
            assert client.post(address, data).status_code == 403
    before = LabReport.objects.count(), AdministrativeDocument.objects.count()
    if not files:
        answer = link(client, file, clinic.ada, kind="document-other")
        assert answer.status_code == (200 if may else 403)
    if not may:
        assert link(client, file, clinic.ada).status_code == 403
    after = LabReport.objects.count(), AdministrativeDocument.objects.count()
    assert after == before
    assert IncomingFile.objects.get(pk=file.pk).state == "new"


def test_out_of_reach_and_missing_are_alike(clinic, signed_in, file):
    client, got = signed_in("nora"), set()
    for key in (clinic.ben.key, clinic.cyn.key, "0" * 32, "x"):
        address = f"{INBOX}{file.key}/link/{key}/"
        for answer in (client.get(address), client.post(address, {"kind": "lab"})):
            length = len(answer.content) if len(key) == 32 else None
            got.add((answer.status_code, length))
    assert {status for status, _length in got} == {403}
    assert len({length for _status, length in got if length}) == 1
    # A file that is linked to another patient is none of ada's.
    link(signed_in("sam"), file, clinic.ben)
    for key in (file.key, "0" * 32):
        address = f"{INBOX}{key}/unlink/{clinic.ada.key}/"
        got.add((client.get(address).status_code, len(client.get(address).content)))
    assert len({length for _status, length in got if length}) == 1


def test_the_patient_is_looked_for_within_reach(clinic, signed_in, file):
    client, address = signed_in("nora"), f"{INBOX}{file.key}/link/"
    AuditRow.objects.all().delete()
    found = client.post(address, {"q": "alv"}).content.decode()
    assert f"{address}{clinic.ada.key}/" in found
    assert AuditRow.objects.filter(patient=clinic.ada.key).exists()
    # Results come in after a patient has died.
    clinic.ada.deceased = True
    clinic.ada.save()
    found = client.post(address, {"q": "alv"}).content.decode()
    assert f"{address}{clinic.ada.key}/" in found
    assert "Deceased" in found
    page = client.post(address, {"q": "brandt", "see_all": "1"}).content.decode()
    assert "No patient within your reach" in page
    assert clinic.ben.key not in page
    assert "two letters" in client.post(address, {"q": "a"}).content.decode()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"title": ""}, "required"),
        ({"title": "x" * 201}, "at most 200"),
        ({"title": "a\u202eb"}, "cannot be saved"),
        ({"kind": "secret"}, "valid choice"),
        ({"kind": ""}, "required"),
        ({"day": ""}, "required"),
        ({"day": "2024-02-30"}, "Write a date"),
        ({"day": "2199-01-01"}, "future"),
        ({"assignee": "x"}, "valid choice"),
        ({"form_version": "99"}, "Somebody saved this"),
    ],
)
def test_bad_input_says_what_is_wrong_and_links_nothing(
    clinic, signed_in, file, fields, said
):
    response = link(signed_in("nora"), file, clinic.ada, **fields)
    assert response.status_code == 200
    assert said in response.content.decode()
    assert not LabReport.objects.exists()
    file.refresh_from_db()
    assert file.state == "new"


def test_the_second_of_two_is_told_and_makes_nothing(clinic, signed_in, file):
    client, address = signed_in("nora"), f"{INBOX}{file.key}/link/{clinic.ada.key}/"
    data = form_of(client, address) | {"kind": "lab", "title": "A", "day": "2024-05-06"}
    link(signed_in("nora"), file, clinic.ada)
    assert client.post(address, data)["Location"] == INBOX
    assert "Somebody else has worked on this file" in text(client)
    assert LabReport.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_people_who_link_at_once_link_once(clinic, signed_in, file):
    clients: list[Client] = [signed_in("nora"), signed_in("nora")]
    address = f"{INBOX}{file.key}/link/{clinic.ada.key}/"
    data = {"kind": "lab", "title": "A", "day": "2024-05-06"}
    forms = [form_of(client, address) | data for client in clients]
    gate, told = threading.Barrier(2), []

    def press(client, form):
        gate.wait()
        told.append(client.post(address, form).status_code)
        connection.close()

    threads = [
        threading.Thread(target=press, args=pair)
        for pair in zip(clients, forms, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 2
    assert LabReport.objects.count() == 1
    assert IncomingFile.objects.get().state == "linked"


@pytest.mark.parametrize("kind", ["lab", "other", "document-insurance"])
def test_a_linked_file_is_taken_back(clinic, signed_in, file, kind):
    client = signed_in("nora")
    link(client, file, clinic.ada, kind=kind, title="Zqx title")
    if kind != "document-insurance":
        MODELS[kind].objects.get().delegate(clinic.nora.user, "All is well.")
    page = f"unlink/{clinic.ada.key}/"
    assert "required" in act(client, file, page, reason=" ").content.decode()
    act(client, file, page, reason="Ben's, not Ada's")
    file.refresh_from_db()
    assert (file.state, file.patient, file.linked_as) == ("new", None, "")
    row = MODELS[kind].objects.get()
    if kind == "document-insurance":
        assert (row.removed_by, row.removed_reason) == (clinic.nora, "Ben's, not Ada's")
    else:
        assert row.entered_in_error
        assert row.tasks.get().status == "CLOSED"
        assert row.entered_in_error_reason == "Ben's, not Ada's"
        assert ChartChange.of(row).get().by == clinic.nora.user
    assert file.key in text(client)
    for page in ("", "documents/", "results/labs/", "results/clinical-documents/"):
        assert "Zqx title" not in text(client, f"/patient/{clinic.ada.key}/{page}")
    assert AuditRow.objects.filter(
        patient=clinic.ada.key, action="file.unlink"
    ).exists()
    # And then it is linked to the right one.
    link(signed_in("sam"), file, clinic.ben)
    file.refresh_from_db()
    assert file.patient == clinic.ben


def test_the_reviewer_is_asked_about_before_who_cannot_see_the_patient(
    clinic, signed_in, file
):
    """S2: "not assigned to staff who do not have access to the patient"."""
    client = signed_in("nora")
    answer = link(client, file, clinic.ada, assignee=clinic.sam.key)
    page = answer.content.decode()
    assert "Sam Example will not see this" in page
    assert not LabReport.objects.exists()
    name = 'name="confirmation" value="'
    confirmation = page.partition(name)[2].partition('"')[0]
    link(client, file, clinic.ada, assignee=clinic.sam.key, confirmation=confirmation)
    assert LabReport.objects.get().assignee == clinic.sam


def test_a_result_waits_for_its_reviewer_and_no_more_when_taken_back(
    clinic, signed_in, file
):
    client = signed_in("nora")
    link(client, file, clinic.ada, kind="other", assignee=clinic.nora.key)
    row = ClinicalDocument.objects.get()
    assert (row.assignee, row.reviewed) == (clinic.nora, None)
    assert row.assigned_at is not None
    assert WorkKey.objects.filter(item=row.pk).exists()
    review = f"/patient/{clinic.ada.key}/work/other-documents/{row.key}/review/"
    assert review in text(client, "/panels/other-documents/")
    assert f"{row.key}/file/" in text(client, review)
    act(client, file, f"unlink/{clinic.ada.key}/", reason="Junk")
    assert not WorkKey.objects.filter(item=row.pk).exists()


def test_what_was_removed_before_keeps_its_reason(clinic, signed_in, file):
    client = signed_in("nora")
    link(client, file, clinic.ada)
    LabReport.objects.update(
        entered_in_error=True, entered_in_error_reason="Wrong sample"
    )
    act(client, file, f"unlink/{clinic.ada.key}/", reason="Junk")
    assert LabReport.objects.get().entered_in_error_reason == "Wrong sample"


@pytest.mark.parametrize("back", [False, True])
def test_nothing_is_written_about_a_patient_who_left_the_reach_meanwhile(
    clinic, signed_in, file, monkeypatch, back
):
    """Between the page's question and the write somebody else ends the membership."""
    client, form = signed_in("nora"), UnlinkForm if back else LinkForm
    if back:
        link(client, file, clinic.ada)
    page = f"{'un' if back else ''}link/{clinic.ada.key}/"
    fields = {"reason": "x", "kind": "lab", "title": "A", "day": "2024-05-06"}
    fields |= form_of(client, f"{INBOX}{file.key}/{page}")
    checked = form.is_valid

    def is_valid(self):
        valid = checked(self)
        clinic.north.remove(clinic.ada)
        return valid

    monkeypatch.setattr(form, "is_valid", is_valid)
    answer = client.post(f"{INBOX}{file.key}/{page}", fields)
    assert answer.status_code == 403
    file.refresh_from_db()
    assert file.state == ("linked" if back else "new")
    assert LabReport.objects.filter(entered_in_error=False).count() == int(back)


def test_a_file_that_another_rejects_meanwhile_is_not_linked(
    clinic, signed_in, file, monkeypatch
):
    client, page = signed_in("nora"), f"{INBOX}{file.key}/link/{clinic.ada.key}/"
    fields = {"kind": "lab", "title": "A", "day": "2024-05-06"}
    fields |= form_of(client, page)
    checked = LinkForm.is_valid

    def is_valid(self):
        valid = checked(self)
        type(file).objects.filter(pk=file.pk).update(state="rejected")
        return valid

    monkeypatch.setattr(LinkForm, "is_valid", is_valid)
    client.post(page, fields)
    file.refresh_from_db()
    assert file.state == "rejected"
    assert not LabReport.objects.exists()


def test_a_file_that_the_patient_has_already_is_pointed_out(clinic, signed_in, file):
    client, twin = signed_in("nora"), uploaded(signed_in("pat"))
    address = f"{INBOX}{twin.key}/link/{clinic.ada.key}/"
    assert "linked to this patient already" not in text(client, address)
    link(client, file, clinic.ada)
    assert "linked to this patient already" in text(client, address)


def test_the_linked_files_cost_the_same_however_many(
    clinic, signed_in, django_assert_num_queries, django_assert_max_num_queries
):
    client, address = signed_in("nora"), f"{INBOX}?show=linked"
    link(client, uploaded(client), clinic.ada)
    text(client, address)
    with django_assert_max_num_queries(14) as few:
        client.get(address)
    number = len(few)
    for _number in range(5):
        link(client, uploaded(client), clinic.ada)
    text(client, address)
    with django_assert_num_queries(number):
        client.get(address)
