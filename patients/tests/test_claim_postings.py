"""Payments and adjustments: posted, reversed with a reason, never edited or deleted."""

from datetime import timedelta
from decimal import Decimal

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import give
from patients.models import Claim, ClaimPosting
from patients.tests.claims import REVENUE, a_claim, a_posting, base
from staffing.tests.pages import fields_of, submit

FORM = "claim_form"
PAID = {"kind": "patient", "amount": "20.00", "method": "card"}


@pytest.fixture
def clinic(cast):
    give(cast.nora, REVENUE)
    return cast


def balance(claim):
    return Claim.objects.with_totals().get(pk=claim.pk).balance


def problems(response):
    assert response.status_code == 200
    errors = response.context["form"].errors
    return " ".join(str(e) for found in errors.values() for e in found)


def test_a_payment_is_posted_and_reversed(clinic, signed_in):
    claim, client = a_claim(clinic.ada, "50.00", state="filed"), signed_in("nora")
    url = base(clinic.ada, claim, "postings", "new")
    assert submit(client, url, FORM, **PAID)["Location"] == base(clinic.ada, claim)
    row = ClaimPosting.objects.get()
    assert (row.amount, row.posted_by, row.date, row.patient) == (
        Decimal("20.00"),
        clinic.nora,
        clock.today(),
        clinic.ada,
    )
    assert balance(claim) == Decimal("30.00")
    end = base(clinic.ada, claim, "postings", row.key, "end")
    assert "required" in problems(submit(client, end, FORM))
    submit(client, end, FORM, reversed_reason="the card was declined")
    row.refresh_from_db()
    assert (row.reversed_by, row.reversed_reason) == (
        clinic.nora,
        "the card was declined",
    )
    assert balance(claim) == Decimal("50.00")
    page = client.get(base(clinic.ada, claim)).content.decode()
    assert "<s>$20.00</s>" in page
    assert "the card was declined" in page
    assert client.get(end).status_code == 403
    acts = AuditRow.objects.filter(action__startswith="claim.", patient=clinic.ada.key)
    assert set(acts.values_list("action", flat=True)) == {
        "claim.posting.add",
        "claim.posting.end",
    }


def test_the_claim_follows_its_balance(clinic, signed_in):
    claim, client = a_claim(clinic.ada, "50.00", state="adjudicated"), signed_in("nora")
    url = base(clinic.ada, claim, "postings", "new")
    submit(client, url, FORM, kind="contractual", amount="30.00")
    claim.refresh_from_db()
    assert claim.state == "adjudicated"
    submit(client, url, FORM, **PAID)
    claim.refresh_from_db()
    assert claim.state == "zero-balance"
    paid = claim.postings.get(kind="patient")
    end = base(clinic.ada, claim, "postings", paid.key, "end")
    submit(client, end, FORM, reversed_reason="bounced")
    claim.refresh_from_db()
    assert claim.state == "adjudicated"
    kept = claim.changes.values_list("before", "after", "by")
    assert list(kept) == [
        ("adjudicated", "zero-balance", None),
        ("zero-balance", "adjudicated", None),
    ]
    assert "by the balance" in client.get(base(clinic.ada, claim)).content.decode()


@pytest.mark.parametrize(
    ("state", "values", "said"),
    [
        ("filed", {"amount": "0"}, "above zero"),
        ("filed", {"amount": "-5"}, "above zero"),
        ("filed", {"amount": "1.001"}, "decimal"),
        ("filed", {"amount": "1e9"}, "digits"),
        ("filed", {"amount": "Infinity"}, "number"),
        ("filed", {"method": ""}, "how it was paid"),
        ("filed", {"kind": "gift"}, "valid choice"),
        ("filed", {"kind": "write-off", "amount": "50.01"}, "more than the balance"),
        ("filed", {"date": "3000-01-01"}, "between 1850 and 2200"),
        ("coding-review", {"kind": "payer"}, "not filed"),
        ("trash", {}, "in the trash"),
    ],
)
def test_what_is_not_posted(clinic, signed_in, state, values, said):
    claim = a_claim(clinic.ada, "50.00", state=state)
    url = base(clinic.ada, claim, "postings", "new")
    assert said in problems(submit(signed_in("nora"), url, FORM, **PAID | values))
    assert not ClaimPosting.objects.exists()


def test_a_day_to_come_is_no_day_of_a_payment(clinic, signed_in):
    claim = a_claim(clinic.ada, "50.00")
    url = base(clinic.ada, claim, "postings", "new")
    day = (clock.today() + timedelta(days=1)).isoformat()
    answer = submit(signed_in("nora"), url, FORM, **PAID | {"date": day})
    assert "has not come" in problems(answer)


def test_a_copay_above_the_charges_is_a_credit(clinic, signed_in):
    claim, client = a_claim(clinic.ada, "15.00"), signed_in("nora")
    submit(client, base(clinic.ada, claim, "postings", "new"), FORM, **PAID)
    assert balance(claim) == Decimal("-5.00")
    assert "−$5.00" in client.get(base(clinic.ada)).content.decode()


def test_a_posting_is_reversed_once(clinic, signed_in):
    claim, client = a_claim(clinic.ada, "50.00"), signed_in("nora")
    row = a_posting(claim, "20.00")
    end = base(clinic.ada, claim, "postings", row.key, "end")
    data = fields_of(client.get(end), FORM) | {"reversed_reason": "mine"}
    first, second = client.post(end, data), client.post(end, data)
    assert (first.status_code, second.status_code) == (302, 403)
    # There is no page that edits one.
    edit = base(clinic.ada, claim, "postings", row.key)
    assert client.post(edit, PAID).status_code == 404
