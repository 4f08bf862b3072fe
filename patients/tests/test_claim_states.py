"""Where a claim may go: a table by hand, what it needs there, and what is kept of it."""

import contextlib

import pytest
from django.core.exceptions import ValidationError

from canvas_admin.testing import give
from patients.models import Claim, ClaimState, ClaimStateChange, Coverage
from patients.revenue import claiming
from patients.tests.claims import REVENUE, a_claim, a_line, a_posting, base
from staffing.tests.pages import fields_of

MOVE = "move_form"
# By hand, in the order of the queues: A appointment, C clinician review, K coding review,
# Q queued, F filed, R rejected, J adjudicated, P patient balance, Z zero balance, T trash.
TABLE = """
   A C K Q F R J P Z T
A  . x x . . . . . . x
C  . . x . . . . . . x
K  . x . x . . . x . x
Q  . . x . x . . . . x
F  . . . . . x x . . .
R  . x x x . . . . . x
J  . . . . . x . x x .
P  . . x . . . x . x .
Z  . . . . . . x . . .
T  . . x . . . . . . .
"""
STATES = dict(zip("ACKQFRJPZT", ClaimState, strict=True))


@pytest.fixture
def clinic(cast):
    give(cast.nora, REVENUE)
    cast.coverage = Coverage.objects.create(
        patient=cast.ada, payer_name="Aetna", member_id="A1"
    )
    return cast


def complete(clinic, state, *charges):
    """A claim that a payer could be sent."""
    fields = {"coverage": clinic.coverage, "provider": clinic.sam}
    return a_claim(clinic.ada, *(charges or ["50.00"]), state=state, **fields)


def move(client, claim, to, reason="because", **changes):
    address = base(claim.patient, claim)
    data = {"to": to, "reason": reason, "form_version": claim.version}
    answer = client.post(f"{address}state/", data | changes)
    claim.refresh_from_db()
    return answer


def said(answer):
    assert answer.status_code == 200
    errors = answer.context["form"].errors
    return " ".join(str(e) for found in errors.values() for e in found)


def cells():
    """(state before, state after, whether the table allows it)."""
    for line in TABLE.strip().splitlines()[1:]:
        before, *marks = line.split()
        for after, mark in zip(STATES, marks, strict=True):
            yield STATES[before], STATES[after], mark == "x"


def test_the_moves_are_those_of_the_table(clinic):
    for before, after, allowed in cells():
        # Nothing is owed on the way to zero, and something everywhere else.
        claim = complete(clinic, before, "0.00" if after == "zero-balance" else "50")
        with contextlib.nullcontext() if allowed else pytest.raises(ValidationError):
            claiming.move(claim, after, clinic.nora, "because")
        claim.refresh_from_db()
        assert claim.state == (after if allowed else before)
        kept = list(claim.changes.values_list("before", "after", "reason", "by"))
        change = (before, after, "because", clinic.nora.pk)
        assert kept == ([change] if allowed else [])


def test_one_move_from_each_state_and_one_that_is_refused(clinic, signed_in):
    client, chosen = signed_in("nora"), {}
    for before, after, allowed in cells():
        chosen[before, allowed] = after
    for (before, allowed), after in chosen.items():
        claim = complete(clinic, before, "0.00" if after == "zero-balance" else "50")
        move(client, claim, after)
        assert claim.state == (after if allowed else before), (before, after)


def test_the_form_offers_what_the_table_allows(clinic, signed_in):
    claim = complete(clinic, "filed")
    page = signed_in("nora").get(base(clinic.ada, claim))
    offered = [code for code, _name in page.context["form"].fields["to"].choices]
    assert offered == ["", "rejected", "adjudicated"]


@pytest.mark.parametrize(("before", "to"), [("filed", "rejected"), ("queued", "trash")])
def test_some_moves_need_a_reason(clinic, signed_in, before, to):
    claim = complete(clinic, before)
    answer = move(signed_in("nora"), claim, to, reason=" ")
    assert "few words why" in said(answer)
    assert claim.state == before


def test_a_payer_is_sent_only_what_is_complete(clinic, signed_in):
    client, claim = signed_in("nora"), a_claim(clinic.ada)
    for sentence in ("no coverage", "no provider", "no line"):
        assert sentence in said(move(client, claim, "queued"))
    line = a_line(claim, "10.00", system="", code="185349003", pointers="")
    claim.coverage, claim.provider = clinic.coverage, clinic.sam
    claim.save()
    answer = said(move(client, claim, "queued"))
    assert "no CPT or HCPCS code" in answer
    assert "names no diagnosis" in answer
    line.delete()
    a_line(claim, "10.00")
    claim.refresh_from_db()
    assert move(client, claim, "queued")["Location"] == base(clinic.ada, claim)


def test_money_decides_what_the_ends_may_be(clinic, signed_in):
    client, claim = signed_in("nora"), complete(clinic, "adjudicated")
    assert "not zero" in said(move(client, claim, "zero-balance"))
    paid = complete(clinic, "adjudicated", "1.00")
    a_posting(paid, "1.00")
    paid.refresh_from_db()
    assert "no balance" in said(move(client, paid, "patient-balance"))
    coded = complete(clinic, "coding-review")
    a_posting(coded, "1.00")
    coded.refresh_from_db()
    assert "Reverse it first" in said(move(client, coded, "trash"))


def test_two_people_who_move_one_claim(clinic, signed_in):
    """Who has seen an older version, lines included, is shown the newer one first."""
    client, claim = signed_in("nora"), complete(clinic, "coding-review")
    stale = claim.version
    a_line(claim, "5.00")
    answer = move(client, claim, "queued", form_version=stale)
    assert "Somebody saved this" in said(answer)
    assert claim.state == "coding-review"
    assert not ClaimStateChange.objects.exists()
    page = client.get(base(clinic.ada, claim))
    data = fields_of(page, MOVE) | {"to": "queued"}
    assert client.post(base(clinic.ada, claim, "state"), data).status_code == 302
    claim.refresh_from_db()
    assert move(client, claim, "filed").status_code == 302
    assert claim.state == "filed"
    page = client.get(base(clinic.ada, claim)).content.decode()
    assert "Queued for submission → <strong>Filed, awaiting response</strong>" in page


@pytest.mark.parametrize("to", ["", "nowhere", "x" * 300])
def test_a_state_that_is_none(clinic, signed_in, to):
    claim = complete(clinic, "filed")
    assert said(move(signed_in("nora"), claim, to))
    assert Claim.objects.get().state == "filed"
