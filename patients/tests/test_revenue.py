"""The worklist of revenue and its file: within reach, by state, at a constant cost."""

import csv
from datetime import date
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give
from patients.models import Coverage
from patients.tests.claims import REVENUE, a_claim, a_posting
from patients.views.claims import worklist

REVENUE_PAGE, FILE = "/revenue/", "/revenue/file/"


@pytest.fixture
def clinic(cast):
    give(cast.nora, REVENUE)
    give(cast.max, REVENUE)
    return cast


def numbers(page):
    return [row.number for row in page.context["rows"]]


def lines(answer):
    text = b"".join(answer.streaming_content).decode()
    return list(csv.reader(StringIO(text.removeprefix("\ufeff"))))


def test_the_worklist_holds_the_claims_within_reach(clinic, signed_in):
    ada, ben = a_claim(clinic.ada, "5.00"), a_claim(clinic.ben, "6.00")
    trash = a_claim(clinic.ada, "7.00", state="trash")
    assert numbers(signed_in("nora").get(REVENUE_PAGE)) == [ada.number]
    assert numbers(signed_in("max").get(REVENUE_PAGE)) == [ben.number, ada.number]
    page = signed_in("nora").get(f"{REVENUE_PAGE}?state=trash")
    assert numbers(page) == [trash.number]
    assert signed_in("sam").get(REVENUE_PAGE).status_code == 403
    assert signed_in("sam").post(FILE).status_code == 403
    nora = signed_in("nora").get("/patients/").content.decode()
    assert f'href="{REVENUE_PAGE}"' in nora
    sam = signed_in("sam").get("/patients/").content.decode()
    assert "evenue" not in sam


def test_filters_are_codes_and_anything_else_counts_as_none(clinic, signed_in):
    filed = a_claim(clinic.ada, state="filed", provider=clinic.sam)
    queued = a_claim(clinic.ada, state="queued", service_date=date(2026, 1, 1))
    client = signed_in("nora")
    for query, wanted in (
        ("?state=filed", [filed]),
        (f"?provider={clinic.sam.key}", [filed]),
        (f"?state=queued&provider={clinic.sam.key}", []),
        (f"?state=nothing&provider={clinic.sam.pk}&after=x", [filed, queued]),
    ):
        page = client.get(REVENUE_PAGE + query)
        assert numbers(page) == [row.number for row in wanted], query


def test_pages_follow_the_last_claim_shown(clinic, signed_in, monkeypatch):
    monkeypatch.setattr(worklist, "PAGE", 2)
    made = [a_claim(clinic.ada, service_date=date(2026, 1, d)) for d in (1, 2, 3, 4, 5)]
    outside = a_claim(clinic.ben, service_date=date(2026, 1, 3))
    client, found, address = signed_in("nora"), [], REVENUE_PAGE
    for _page in range(3):
        page = client.get(address)
        found += numbers(page)
        address = page.context["older"]
    assert found == [row.number for row in reversed(made)]
    page = client.get(f"{REVENUE_PAGE}?after={outside.key}")
    assert numbers(page) == found[:2]


def test_the_file_has_what_the_filter_wants_and_is_on_the_trail(clinic, signed_in):
    coverage = Coverage.objects.create(
        patient=clinic.ada, payer_name="=cmd()", member_id="A1"
    )
    claim = a_claim(
        clinic.ada, "50.00", state="filed", provider=clinic.sam, coverage=coverage
    )
    a_posting(claim, "60.00")
    a_claim(clinic.ada, "1.00", state="queued")
    a_claim(clinic.ben, "2.00", state="filed")
    found = lines(signed_in("nora").post(FILE, {"state": "filed"}))
    assert found[1:] == [
        [
            claim.number,
            "2026-03-04",
            "Ada Alvarez",
            "2 Jan 1980",
            "Sam Example",
            "'=cmd()",
            "Filed, awaiting response",
            "50.00",
            "0.00",
            "60.00",
            "-10.00",
        ]
    ]
    row = AuditRow.objects.get(action="revenue.export", patient__gt="")
    assert (row.patient, row.access_path) == (clinic.ada.key, "patient-group")


def test_a_file_has_a_bound(clinic, signed_in, monkeypatch):
    monkeypatch.setattr(worklist, "MOST_IN_A_FILE", 2)
    monkeypatch.setattr(worklist, "PATIENTS_AT_ONCE", 1)
    a_claim(clinic.ada), a_claim(clinic.ben)
    client = signed_in("max")
    assert len(lines(client.post(FILE))) == 3
    acts = AuditRow.objects.filter(action="revenue.export")
    assert acts.values("event").distinct().count() == 2
    a_claim(clinic.cyn)
    answer = client.post(FILE)
    assert answer.status_code == 400
    assert "more than 2 claims" in answer.content.decode()
    assert acts.values("event").distinct().count() == 2


def test_page_and_file_ask_as_often_for_many(clinic, signed_in):
    a_claim(clinic.ada, "1.00")
    client = signed_in("nora")

    def queries():
        with CaptureQueriesContext(connection) as made:
            client.get(REVENUE_PAGE)
            lines(client.post(FILE))
        return len(made)

    client.get(REVENUE_PAGE)
    few = queries()
    for number in range(7):
        row = a_claim(clinic.ada, "1.00", "2.00", provider=clinic.sam)
        a_posting(row, f"0.{number + 1}")
    assert queries() == few
