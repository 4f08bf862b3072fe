"""What is owed: exact to the cent, the same as a plain sum, shown to whom it concerns."""

import random
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from canvas_admin.records.money import cents
from canvas_admin.testing import give
from patients.models import Claim, ClaimLine, ClaimPosting
from patients.revenue import balances
from patients.templatetags.patients import money
from patients.tests.claims import DAY, REVENUE, a_claim, a_line, a_posting, base

KINDS = ClaimPosting.Kind.values


def naive(claim: Claim) -> Decimal:
    """The balance of one claim in plain Python, in hundredths."""
    owed = sum(cents(row.charge) for row in claim.lines.all() if not row.removed)
    for row in claim.postings.all():
        owed -= 0 if row.reversed else cents(row.amount)
    return Decimal(owed) / 100


def test_the_database_adds_up_as_python_does_in_random_cases(cast):
    chance = random.Random(seed := random.randrange(10**6))
    for _number in range(12):
        state = chance.choice(["filed", "patient-balance", "adjudicated", "trash"])
        claim = a_claim(cast.ada, state=state)
        for _line in range(chance.randrange(4)):
            charge = f"{chance.randrange(10**6)}.{chance.randrange(100):02}"
            gone = DAY if chance.random() < 0.3 else None
            a_line(claim, charge, removed=gone and claim.created)
        for _posting in range(chance.randrange(5)):
            gone = claim.created if chance.random() < 0.3 else None
            amount = f"{chance.randrange(10**4)}.{chance.randrange(1, 100):02}"
            a_posting(claim, amount, chance.choice(KINDS), reversed=gone)
    a_claim(cast.ben, "77.77", state="patient-balance")
    rows = Claim.objects.filter(patient=cast.ada)
    wanted = {row.pk: naive(row) for row in rows}
    found = dict(rows.with_totals().values_list("pk", "balance"))
    assert found == wanted, f"seed {seed}"
    counted = [row for row in rows if row.state != "trash"]
    mine = [row for row in counted if row.state == "patient-balance"]
    assert balances.balance_of(cast.ada, cast.max.user) == balances.Balance(
        sum((wanted[row.pk] for row in counted), Decimal(0)),
        sum((wanted[row.pk] for row in mine), Decimal(0)),
    ), f"seed {seed}"
    assert balances.balance_of(cast.ada, cast.sam.user).total == 0


def test_cents_stay_cents(cast):
    claim = a_claim(cast.ada, "0.10", "0.20")
    a_posting(claim, "0.30")
    row = Claim.objects.with_totals().get(balance=0)
    assert (row.charges, row.paid, row.balance) == (
        Decimal("0.30"),
        Decimal("0.30"),
        Decimal("0.00"),
    )
    big = a_claim(cast.ada, *["9999999.99"] * 7)
    assert Claim.objects.with_totals().get(pk=big.pk).balance == Decimal("69999999.93")
    with pytest.raises(ValueError, match="whole cents"):
        a_line(claim, "0.001")
    assert not ClaimLine.objects.filter(charge=Decimal("0.00")).exists()


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0", "$0.00"), ("1234.5", "$1,234.50"), ("-5", "−$5.00")],
)
def test_how_money_is_written(amount, shown):
    assert money(Decimal(amount)) == shown


def test_the_profile_shows_the_balance_to_revenue_access_alone(cast, signed_in):
    """S2: Revenue access "access claims and revenue data on the Patient profile"."""
    a_claim(cast.ada, "120.00", state="patient-balance")
    a_claim(cast.ada, "30.50", state="filed")
    client, address = signed_in("nora"), f"/patient/{cast.ada.key}/profile/"
    page = client.get(address).content.decode()
    for word in ("$", "evenue", "alance", "/claims/", "30.50"):
        assert word not in page
    give(cast.nora, REVENUE)
    page = client.get(address).content.decode()
    assert "$150.50" in page
    assert "$120.00" in page
    assert f'href="{base(cast.ada)}"' in page


def test_revenue_access_alone_opens_no_profile(cast, signed_in):
    give(cast.ruth, REVENUE, "Patients: North")
    client = signed_in("ruth")
    assert client.get(f"/patient/{cast.ada.key}/profile/").status_code == 403
    assert client.get(base(cast.ada)).status_code == 200


def test_the_profile_asks_as_often_for_many_claims(cast, signed_in):
    give(cast.nora, REVENUE)
    client, counts = signed_in("nora"), []
    client.get(f"/patient/{cast.ada.key}/profile/")
    for number in (1, 7):
        for _each in range(number):
            a_claim(cast.ada, "1.00", "2.00")
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/patient/{cast.ada.key}/profile/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
