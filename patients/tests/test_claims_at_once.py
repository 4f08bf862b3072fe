"""Two people who work on one claim at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from canvas_admin.testing import give, make_cast
from patients.models import ClaimPosting
from patients.tests.claims import REVENUE, a_claim, base
from staffing.tests.pages import fields_of


@pytest.fixture
def clinic(transactional_db):
    """nora and max, both with the right to change ada's claims, signed in."""
    cast = make_cast()
    cast.clients = [Client(), Client()]
    for client, staff in zip(cast.clients, (cast.nora, cast.max), strict=True):
        give(staff, REVENUE)
        client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    return cast


def post_at_once(clients, url, *forms):
    """Each one's form, sent together; the answers' status, sorted."""
    gate = threading.Barrier(2)

    def post(client, values):
        try:
            connection.ensure_connection()
            gate.wait(10)
            return client.post(url, values).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(post, clients, forms))


def test_of_two_moves_one_is_made(clinic):
    claim = a_claim(clinic.ada, "5.00", state="filed")
    url = base(clinic.ada, claim, "state")
    form = {"form_version": claim.version, "reason": "because"}
    rejected, paid = (form | {"to": to} for to in ("rejected", "adjudicated"))
    assert post_at_once(clinic.clients, url, rejected, paid) == [200, 302]
    assert claim.changes.count() == 1


def test_of_one_payment_sent_twice_one_is_posted(clinic):
    claim = a_claim(clinic.ada, "5.00", state="adjudicated")
    url = base(clinic.ada, claim, "postings", "new")
    mine = [clinic.clients[0], Client()]
    mine[1].cookies = mine[0].cookies
    form = fields_of(mine[0].get(url), "claim_form")
    form |= {"kind": "patient", "amount": "5.00", "method": "cash"}
    assert post_at_once(mine, url, form, form) == [302, 302]
    assert ClaimPosting.objects.count() == 1
    claim.refresh_from_db()
    assert claim.state == "zero-balance"


def test_two_adjustments_take_off_no_more_than_is_owed(clinic):
    claim = a_claim(clinic.ada, "5.00", state="adjudicated")
    url = base(clinic.ada, claim, "postings", "new")
    forms = []
    for client in clinic.clients:
        form = fields_of(client.get(url), "claim_form")
        forms.append(form | {"kind": "write-off", "amount": "5.00"})
    assert post_at_once(clinic.clients, url, *forms) == [200, 302]
    assert ClaimPosting.objects.count() == 1
