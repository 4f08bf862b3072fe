"""Claims made from signed notes: what comes along, once for each note."""

from datetime import UTC, date, datetime

import pytest

from canvas_admin.testing import give
from patients.models import Claim, Coverage, Diagnosis, Note, Plan
from patients.revenue import claiming
from patients.tests.claims import REVENUE, base
from patients.tests.notes import write
from staffing.models import Location
from staffing.tests.pages import fields_of, submit

FORM = "claim_form"


@pytest.fixture
def clinic(cast):
    """nora has Revenue access, and ada an insurance."""
    give(cast.nora, REVENUE)
    cast.coverage = Coverage.objects.create(
        patient=cast.ada, payer_name="Aetna", member_id="A1", start=date(2020, 1, 1)
    )
    return cast


def problems(response):
    assert response.status_code == 200
    errors = response.context["form"].errors
    return " ".join(str(e) for found in errors.values() for e in found)


def a_signed_note(clinic, *diagnoses, **fields):
    """A note of ada's visit in the evening of 4 March, by the clock of its place."""
    zone = {"time_zone": "America/New_York"}
    place, _new = Location.objects.get_or_create(name="East", defaults=zone)
    about = {"patient": clinic.ada, "provider": clinic.sam, "location": place}
    started = datetime(2026, 3, 5, 2, tzinfo=UTC)
    note = Note.objects.create(**{"started": started} | about | fields)
    write(note, Plan)
    for code, display in diagnoses:
        Diagnosis(note=note, code=code, display=display).save()
    for row in note.commands()[:3]:
        row.commit(clinic.sam.user)
    for row in note.commands("staged"):
        row.remove(clinic.sam.user)
    note.sign(clinic.sam.user)
    return note


def test_a_claim_is_made_from_a_signed_note(clinic, signed_in):
    """Day, provider, place, coverage in the order of ranks, and committed diagnoses."""
    codes = [("i10", "Hypertension"), ("E119", "Diabetes"), ("J45", "A draft")]
    note = a_signed_note(clinic, *codes)
    Coverage.objects.create(
        patient=clinic.ada, rank=2, payer_name="Second", member_id="2"
    )
    client, url = signed_in("nora"), f"{base(clinic.ada)}new/{note.key}/"
    page_of_note = f"/patient/{clinic.ada.key}/notes/{note.key}/"
    assert f'href="{url}"' in client.get(page_of_note).content.decode()
    assert f'href="{url}"' in client.get(base(clinic.ada)).content.decode()
    data = fields_of(client.get(url), FORM)
    answer = client.post(url, data)
    claim = Claim.objects.get()
    assert answer["Location"] == base(clinic.ada, claim)
    assert (claim.note, claim.service_date, claim.provider, claim.location) == (
        note,
        date(2026, 3, 4),
        clinic.sam,
        note.location,
    )
    assert claim.coverage == clinic.coverage
    found = claim.diagnoses.values_list("letter", "code", "display")
    assert list(found) == [("A", "I10", "Hypertension"), ("B", "E11.9", "Diabetes")]
    assert client.post(url, data)["Location"] == answer["Location"]
    assert "on a claim already" in problems(submit(client, url, FORM))
    page = client.get(page_of_note).content.decode()
    assert url not in page
    assert f'href="{answer["Location"]}"' in page
    assert f'href="{page_of_note}"' in client.get(answer["Location"]).content.decode()
    assert url not in client.get(base(clinic.ada)).content.decode()
    claiming.move(claim, "trash", clinic.nora, "wrong visit")
    assert submit(client, url, FORM).status_code == 302
    assert Claim.objects.filter(note=note).count() == 2
    back = {"to": "coding-review", "reason": "x", "form_version": claim.version}
    again = client.post(base(clinic.ada, claim, "state"), back)
    assert "on another claim" in problems(again)


def test_only_signed_notes_of_the_patient_make_claims(clinic, signed_in):
    client = signed_in("nora")
    started = datetime(2026, 3, 5, 2, tzinfo=UTC)
    unsigned = Note.objects.create(patient=clinic.ada, started=started)
    foreign = a_signed_note(clinic, patient=clinic.ben)
    wrong = a_signed_note(clinic)
    wrong.enter_in_error("another patient", clinic.sam.user)
    for key in (unsigned.key, foreign.key, wrong.key, "0" * 32, "x"):
        url = f"{base(clinic.ada)}new/{key}/"
        assert client.get(url).status_code == 403
        assert client.post(url, {"form_token": "t" * 32}).status_code == 403
    assert not Claim.objects.exists()
