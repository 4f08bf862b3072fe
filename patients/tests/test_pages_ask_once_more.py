"""Pages ask for reach and for the patient once more, behind the gate or beside it."""

import pytest
from django.urls import reverse

from canvas_admin.testing import give, make_staff
from patients import gate, linking
from patients.models import (
    AdministrativeDocument,
    Claim,
    IncomingFile,
    Note,
    Patient,
)
from patients.tests.claims import a_claim, base
from patients.tests.inbox import HOLDER, INBOX, LINKER
from patients.tests.test_claims_of_notes import a_signed_note
from patients.tests.test_fhir_meanwhile import leaving
from patients.tests.test_rows_of_a_patient import with_rows
from patients.tests.work import make_lab
from patients.views.printing import statement as statement_pages
from tasks.models import Task


@pytest.fixture
def clinic(cast):
    return with_rows(cast)


@pytest.fixture
def open_gate(monkeypatch):
    """The gate forgets reach."""
    monkeypatch.setattr(
        gate, "find_patient", lambda request, key: Patient.objects.get(key=key)
    )


def opens_its_own(client, clinic, address):
    """address(patient, of), of's row at patient's: opened of its own patient in reach."""
    for patient, of, status in (
        (clinic.ada, clinic.ada, 200),
        (clinic.ada, clinic.dora, 403),
        (clinic.ben, clinic.ben, 403),
    ):
        assert client.get(address(patient, of)).status_code == status


@pytest.mark.usefixtures("open_gate")
def test_the_pages_ask_once_more(clinic, signed_in):
    client = signed_in("pat")
    for patient, shown in ((clinic.ada, True), (clinic.ben, False)):
        page = client.get(f"/patient/{patient.key}/").content.decode()
        assert (f"Of {patient.last_name}" in page) == shown
        claim = Claim.objects.get(patient=patient)
        assert client.get(base(patient, claim)).status_code == (200 if shown else 403)


@pytest.mark.usefixtures("open_gate")
def test_no_claim_is_made_from_a_note_out_of_reach(clinic, signed_in):
    for patient, status in ((clinic.ada, 200), (clinic.ben, 403)):
        note = a_signed_note(clinic, patient=patient)
        address = f"{base(patient)}new/{note.key}/"
        assert signed_in("pat").get(address).status_code == status


def test_a_claim_is_of_the_patient_in_its_address(clinic, signed_in):
    """Also where both are within reach."""
    claim = Claim.objects.get(patient=clinic.dora)
    client = signed_in("pat")
    assert client.get(base(clinic.dora, claim)).status_code == 200
    assert client.get(base(clinic.ada, claim)).status_code == 403


@pytest.fixture
def papers(clinic):
    """A document and a linked file of each; pat files and links."""
    give(clinic.pat, "Document read", "Document write", *LINKER)
    clinic.papers, clinic.linked = {}, {}
    for patient in (clinic.ada, clinic.dora, clinic.ben):
        title = f"Card of {patient.last_name}"
        about = {"patient": patient, "size": 1}
        clinic.papers[patient] = AdministrativeDocument.objects.create(
            title=title, kind="insurance", **about
        )
        clinic.linked[patient] = IncomingFile.objects.create(
            source="fax", state="linked", linked_as="lab", linked_row="0" * 32, **about
        )
    return clinic


@pytest.mark.usefixtures("open_gate")
def test_a_document_is_found_within_reach_of_its_own_patient(papers, signed_in):
    def address(patient, of):
        return f"/patient/{patient.key}/documents/{papers.papers[of].key}/remove/"

    client = signed_in("pat")
    opens_its_own(client, papers, address)
    page = client.get(f"/patient/{papers.ben.key}/documents/").content.decode()
    assert "Card of Brandt" not in page


@pytest.mark.usefixtures("open_gate")
def test_a_linked_file_is_found_within_reach_of_its_own_patient(papers, signed_in):
    def address(patient, of):
        keys = [papers.linked[of].key, patient.key]
        return reverse("patients:unlink-file", args=keys)

    opens_its_own(signed_in("pat"), papers, address)


@pytest.mark.usefixtures("open_gate")
def test_a_note_is_found_within_reach_of_its_own_patient(clinic, signed_in):
    def address(patient, of):
        return f"/patient/{patient.key}/notes/{Note.objects.get(patient=of).key}/"

    opens_its_own(signed_in("pat"), clinic, address)


def test_a_linked_file_is_in_no_inbox(papers, signed_in):
    file = papers.linked[papers.ben]
    answer = signed_in("pat").get(f"{INBOX}{file.key}/change/")
    assert answer.status_code == 403


def test_unlinking_asks_for_its_permissions_first(papers, signed_in, monkeypatch):
    """Whoever may link nothing has no kinds either; here the kinds are everybody's."""
    every = linking.kinds_for(papers.pat.user)
    monkeypatch.setattr(linking, "kinds_for", lambda account: every)
    file = papers.linked[papers.ada]
    address = reverse("patients:unlink-file", args=[file.key, papers.ada.key])
    papers.mat = make_staff("mat", *HOLDER, "Patients: North")
    assert signed_in("mat").get(address).status_code == 403


def test_who_left_while_statements_were_printed_is_not_asked(
    clinic, signed_in, monkeypatch
):
    give(clinic.pat, "Printing access")
    a_claim(clinic.ada, "50.00", state="patient-balance")
    leaving(clinic, monkeypatch, statement_pages, "_batch")
    assert signed_in("pat").post("/revenue/statements/").status_code == 403
    assert not Task.objects.exists()


def test_an_item_is_reviewed_at_its_own_patients_address(clinic, signed_in):
    give(clinic.pat, "Clinical write")
    report, client = make_lab(clinic.dora), signed_in("pat")
    for patient, status in ((clinic.dora, 200), (clinic.ada, 403)):
        address = reverse("patients:review", args=[patient.key, "labs", report.key])
        assert client.get(address).status_code == status


def test_a_list_goes_back_from_nobody_out_of_reach(clinic, signed_in):
    """As from a key that nobody has: the list begins."""
    client = signed_in("pat")

    def shown(key):
        page = client.get(reverse("patients:list"), {"before": key}).content.decode()
        return [
            each.last_name for each in (clinic.ada, clinic.dora) if each.key in page
        ]

    assert shown(clinic.ben.key) == shown("0" * 32) == ["Alvarez", "Dorn"]
    assert shown(clinic.dora.key) == ["Alvarez"]
