"""Claims: made and changed on the pages, line by line, within reach and by the right group."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import give, make_staff
from patients.models import (
    Claim,
    ClaimDiagnosis,
    ClaimLine,
    Coverage,
)
from patients.models.claims import HCPCS
from patients.tests.claims import DAY, REVENUE, a_claim, a_posting, base
from staffing.models import Location
from staffing.tests.pages import submit

FORM = "claim_form"
LINE = {"code": "99213", "units": "1", "charge": "125.00", "pointers": "a"}


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


def test_a_claim_is_made_and_filled(clinic, signed_in):
    client, location = signed_in("nora"), Location.objects.create(name="Main street")
    answer = submit(
        client,
        base(clinic.ada) + "new/",
        FORM,
        service_date="2026-03-04",
        provider=clinic.sam.key,
        location=location.key,
    )
    claim = Claim.objects.get()
    assert answer["Location"] == base(clinic.ada, claim)
    assert (claim.patient, claim.provider, claim.location, claim.coverage) == (
        clinic.ada,
        clinic.sam,
        location,
        clinic.coverage,
    )
    assert claim.state == Claim.State.CODING_REVIEW
    new = base(clinic.ada, claim, "diagnoses", "new")
    for code, name in (("i10", "Hypertension"), ("E119", "Diabetes")):
        submit(client, new, FORM, code=code, display=name)
    found = ClaimDiagnosis.objects.values_list("letter", "code", "patient")
    assert list(found) == [("A", "I10", clinic.ada.pk), ("B", "E11.9", clinic.ada.pk)]
    lines = base(clinic.ada, claim, "lines", "new")
    submit(client, lines, FORM, **LINE | {"modifiers": "25,gt", "pointers": "b, a"})
    submit(client, lines, FORM, **LINE | {"code": "g0438", "charge": "0.10"})
    one, two = ClaimLine.objects.all()
    assert (one.code, one.modifiers, one.pointers, one.charge) == (
        "99213",
        "25 GT",
        "BA",
        Decimal("125.00"),
    )
    assert (two.system, two.code) == (HCPCS, "G0438")
    page = client.get(base(clinic.ada, claim)).content.decode()
    for text in (claim.number, "E11.9", "Aetna", "$125.10", "Needs coding review"):
        assert text in page
    assert f">{claim.number}</a>" in client.get(base(clinic.ada)).content.decode()
    acts = AuditRow.objects.filter(action__startswith="claim.", patient=clinic.ada.key)
    assert list(acts.order_by("pk").values_list("action", flat=True)) == [
        "claim.add",
        "claim.diagnosis.add",
        "claim.diagnosis.add",
        "claim.line.add",
        "claim.line.add",
    ]


def test_one_form_sent_twice_makes_one_row(clinic, signed_in):
    client, claim = signed_in("nora"), a_claim(clinic.ada)
    for url, model, good in (
        (base(clinic.ada) + "new/", Claim, {"service_date": "2026-03-04"}),
        (base(clinic.ada, claim, "lines", "new"), ClaimLine, LINE),
    ):
        data = {"form_token": "t" * 32, "form_version": "0"} | good
        before = model.objects.count()
        answers = [client.post(url, data)["Location"] for _twice in (1, 2)]
        assert answers[0] == answers[1]
        assert model.objects.count() == before + 1


def test_a_claim_of_a_day_to_come_waits(clinic, signed_in):
    day = clock.today() + timedelta(days=3)
    url = base(clinic.ada) + "new/"
    submit(signed_in("nora"), url, FORM, service_date=day.isoformat())
    assert Claim.objects.get().state == Claim.State.APPOINTMENT


@pytest.mark.parametrize(
    ("page", "values", "said"),
    [
        ("lines", {"code": "abc"}, "CPT or HCPCS"),
        ("lines", {"charge": "1.005"}, "2 decimal"),
        ("lines", {"charge": "-1"}, "greater than or equal to 0"),
        ("lines", {"charge": "12345678901"}, "digits"),
        ("lines", {"charge": "NaN"}, "number"),
        ("lines", {"units": "0"}, "greater than or equal to 1"),
        ("lines", {"units": "99999"}, "less than or equal"),
        ("lines", {"pointers": "Z"}, "no diagnosis of this letter"),
        ("lines", {"pointers": "AA"}, "each once"),
        ("lines", {"modifiers": "1 2"}, "modifiers"),
        ("lines", {"description": "a\u202eb"}, "cannot be saved"),
        ("diagnoses", {"code": "hypertension", "display": "x"}, "at most 8"),
        ("diagnoses", {"code": "99213", "display": "x"}, "ICD-10"),
        ("diagnoses", {"code": "I10", "display": "x"}, "already"),
    ],
)
def test_bad_input_is_told_at_its_field(clinic, signed_in, page, values, said):
    claim = a_claim(clinic.ada)
    url = base(clinic.ada, claim, page, "new")
    good = LINE if page == "lines" else {}
    assert said in problems(submit(signed_in("nora"), url, FORM, **good | values))
    assert not ClaimLine.objects.exists()
    assert ClaimDiagnosis.objects.count() == 1


def test_a_claim_with_bad_values_is_not_made(clinic, signed_in):
    url, client = base(clinic.ada) + "new/", signed_in("nora")
    foreign = Coverage.objects.create(
        patient=clinic.ben, payer_name="Cigna", member_id="C1"
    )
    for values, said in (
        ({"service_date": ""}, "required"),
        ({"service_date": "2019-01-01"}, "did not hold"),
        ({"coverage": foreign.key}, "not one of the available"),
        ({"coverage": "0" * 32}, "not one of the available"),
        ({"provider": str(clinic.sam.pk)}, "not one of the available"),
    ):
        assert said in problems(submit(client, url, FORM, **values))
    assert not Claim.objects.exists()


def test_thirteen_diagnoses_are_too_many(clinic, signed_in):
    claim = a_claim(clinic.ada)
    for letter in "BCDEFGHIJKL":
        ClaimDiagnosis.objects.create(
            claim=claim, letter=letter, code=f"A0{letter}", display="x"
        )
    url = base(clinic.ada, claim, "diagnoses", "new")
    answer = submit(signed_in("nora"), url, FORM, code="Z00.0", display="x")
    assert "twelve" in problems(answer)


def test_what_is_taken_off_stays_with_its_reason(clinic, signed_in):
    claim, client = a_claim(clinic.ada, "10.00", "5.00"), signed_in("nora")
    line, diagnosis = claim.lines.first(), claim.diagnoses.get()
    end = base(clinic.ada, claim, "diagnoses", diagnosis.key, "end")
    answer = submit(client, end, FORM, removed_reason="wrong")
    assert "Change the line first" in problems(answer)
    end = base(clinic.ada, claim, "lines", line.key, "end")
    assert "required" in problems(submit(client, end, FORM, removed_reason=""))
    submit(client, end, FORM, removed_reason="billed twice")
    line.refresh_from_db()
    assert (line.removed_by, line.removed_reason) == (clinic.nora, "billed twice")
    page = client.get(base(clinic.ada, claim)).content.decode()
    assert "by Nora Example: billed twice" in page
    assert "$5.00" in page
    assert client.get(end).status_code == 403


@pytest.mark.parametrize("state", ["queued", "filed", "zero-balance", "trash"])
def test_what_is_underway_is_not_changed(clinic, signed_in, state):
    claim, client = a_claim(clinic.ada, "10.00", state=state), signed_in("nora")
    line, diagnosis = claim.lines.get(), claim.diagnoses.get()
    for parts, values in (
        (("change",), {"service_date": "2026-03-05"}),
        (("lines", "new"), LINE),
        (("lines", line.key), {"charge": "1"}),
        (("lines", line.key, "end"), {"removed_reason": "x"}),
        (("diagnoses", "new"), {"code": "Z00.0", "display": "x"}),
        (("diagnoses", diagnosis.key), {"display": "x"}),
    ):
        answer = submit(client, base(clinic.ada, claim, *parts), FORM, **values)
        assert "Move it back first" in problems(answer), parts
    page = client.get(base(clinic.ada, claim)).content.decode()
    assert "Edit claim" not in page
    assert "/lines/" not in page
    claim.refresh_from_db()
    assert claim.service_date == DAY
    assert claim.lines.get().charge == Decimal("10.00")


def test_two_people_who_change_one_line(clinic, signed_in):
    claim, client = a_claim(clinic.ada, "10.00"), signed_in("nora")
    line = claim.lines.get()
    url = base(clinic.ada, claim, "lines", line.key)
    line.charge = Decimal("12.00")
    line.save()
    said = problems(submit(client, url, FORM, charge="11.00", form_version="1"))
    assert "yours is “11.00”, saved is “12.00”" in said
    line.refresh_from_db()
    assert line.charge == Decimal("12.00")
    submit(client, url, FORM, charge="11.00")
    line.refresh_from_db()
    assert line.charge == Decimal("11.00")


@pytest.mark.parametrize(
    ("groups", "reads"),
    [
        ((REVENUE,), True),
        (("Clinical read", "Clinical write", "Profile read", "Profile write"), False),
    ],
)
@pytest.mark.parametrize("reached", [True, False])
def test_who_may_do_what(clinic, client, groups, reads, reached):
    claim = a_claim(clinic.ada, "10.00", state="adjudicated")
    paid, line = a_posting(claim, "1.00"), claim.lines.get()
    staff = make_staff("pat", *groups, *(["Patients: North"] if reached else []))
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    wanted = 200 if reads and reached else 403
    for parts in (
        (),
        ("change",),
        ("lines", "new"),
        ("lines", line.key),
        ("lines", line.key, "end"),
        ("diagnoses", claim.diagnoses.get().key, "end"),
        ("postings", "new"),
        ("postings", paid.key, "end"),
    ):
        address = base(clinic.ada, claim, *parts)
        assert client.get(address).status_code == wanted, parts
    assert client.get(base(clinic.ada)).status_code == wanted
    move = client.post(base(clinic.ada, claim, "state"), {"to": "rejected"})
    assert move.status_code == wanted


def test_foreign_rows_are_like_missing_ones(clinic, signed_in):
    """Another patient's claim, and another claim's row, are no rows here (P10)."""
    mine, other = a_claim(clinic.ada, "10.00"), a_claim(clinic.ada, "20.00")
    foreign, client = a_claim(clinic.ben, "30.00"), signed_in("nora")
    a_posting(mine, "1.00"), a_posting(other, "1.00"), a_posting(foreign, "1.00")

    def answer(*parts):
        response = client.get("/".join([base(clinic.ada)[:-1], *parts, ""]))
        return response.status_code, len(response.content)

    missing = answer("0" * 32)
    assert missing[0] == 403
    for parts in ((), ("change",), ("lines", "new"), ("postings", "new")):
        for key in (foreign.key, "x"):
            assert answer(key, *parts) == missing
    for related in ("lines", "diagnoses", "postings"):
        for claim in (other, foreign):
            row = getattr(claim, related).get()
            assert answer(mine.key, related, row.key, "end") == missing
    row = foreign.lines.get()
    client.post(base(clinic.ada, mine, "lines", row.key), LINE)
    client.post(base(clinic.ada, foreign, "state"), {"to": "trash", "reason": "x"})
    foreign.refresh_from_db()
    assert foreign.state == Claim.State.CODING_REVIEW
    assert foreign.lines.get().charge == Decimal("30.00")


def test_lists_and_pages_ask_as_often_for_many(clinic, signed_in):
    claim, client = a_claim(clinic.ada, "1.00"), signed_in("nora")
    a_posting(claim, "0.10")
    addresses = (base(clinic.ada), base(clinic.ada, claim))

    def queries(address):
        with CaptureQueriesContext(connection) as made:
            assert client.get(address).status_code == 200
        return len(made)

    client.get(base(clinic.ada))
    few = [queries(address) for address in addresses]
    for number in range(6):
        a_claim(clinic.ada, "1.00", provider=clinic.sam, coverage=clinic.coverage)
        ClaimLine.objects.create(claim=claim, code=f"9921{number}", charge=1)
        a_posting(claim, "0.10", posted_by=clinic.sam)
    assert [queries(address) for address in addresses] == few


def test_a_long_list_is_paged(clinic, signed_in):
    for day in range(1, 28):
        a_claim(clinic.ada, service_date=date(2026, 1, day))
    client = signed_in("nora")
    page = client.get(base(clinic.ada)).content.decode()
    assert page.count('<th scope="row">') == 25
    older = page.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
    page = client.get(older).content.decode()
    assert page.count('<th scope="row">') == 2
    assert "1 Jan 2026" in page
