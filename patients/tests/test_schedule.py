"""The schedule: what is on it, and what it says of patients out of reach (security A3)."""

import sys
from datetime import timedelta

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_staff
from patients.tests.appointments import START, appoint, furnish_schedule
from patients.views.schedule import MOST, Wanted

DAY = "/schedule/?date=2030-01-02"


@pytest.fixture
def clinic(cast):
    return furnish_schedule(cast)


def html(client, address=DAY):
    return client.get(address).content.decode()


def test_out_of_reach_it_shows_exactly_what_it_may(clinic, signed_in):
    clinic.ben.gender, clinic.ben.sex_at_birth = "female", "M"
    clinic.ben.save()
    row = appoint(clinic, clinic.ben, reason="Very private", status="booked")
    page = html(signed_in("nora"))
    for text in (
        "Ben Brandt",
        "4 Mar 1975",
        "15:00 – 15:30",
        "30 min",
        "Sam Example",
        "Main street",
        "Check-up",
        "Confirmed",
        "outside your reach",
    ):
        assert text in page, text
    for secret in (
        "Very private",
        clinic.ben.key,
        clinic.ben.mrn,
        row.key,
        "Female",
        "Male",
        f"/patient/{clinic.ben.key}",
    ):
        assert secret not in page, secret


def test_within_reach_it_leads_to_the_appointment(clinic, signed_in):
    row = appoint(clinic, clinic.ada, reason="Cough")
    page = html(signed_in("nora"))
    assert f'href="/patient/{clinic.ada.key}/appointments/{row.key}/"' in page
    assert "outside your reach" not in page


@pytest.mark.parametrize(("who", "shown"), [("nora", True), ("max", False)])
def test_the_reason_is_clinical(clinic, signed_in, who, shown):
    appoint(clinic, clinic.ada, reason="Cough")
    assert ("Cough" in html(signed_in(who))) == shown


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("nora", 200),
        ("sam", 200),
        ("olga", 200),
        ("max", 200),
        ("nil", 403),
        ("ruth", 403),
        (None, 302),
        ("ines", 302),
    ],
)
def test_any_of_the_twelve_opens_it(clinic, signed_in, who, status):
    assert signed_in(who).get("/schedule/").status_code == status


def test_a_day_ends_at_midnight_by_the_clock_of_the_place(clinic, signed_in):
    late = START.replace(hour=3)
    appoint(clinic, clinic.ada, location=clinic.coast, start=late)
    client = signed_in("nora")
    address = f"/schedule/?location={clinic.coast.key}&date="
    assert "22:00 – 22:30" in html(client, f"{address}2030-01-01")
    assert "Ada Alvarez" not in html(client, f"{address}2030-01-02")


def test_a_week_begins_on_monday(clinic, signed_in):
    for days in (-3, -2, 4, 5):
        appoint(clinic, clinic.ada, start=START + timedelta(days=days))
    response = signed_in("nora").get(f"{DAY}&view=week")
    days = [day.isoformat() for day, _lines in response.context["days"]]
    assert days == ["2029-12-31", "2030-01-06"]


def test_it_narrows_down_to_a_provider_or_a_place(clinic, signed_in):
    appoint(clinic, clinic.ada)
    appoint(clinic, clinic.ben, provider=clinic.nora, location=clinic.coast)
    client = signed_in("nora")
    assert "Ben Brandt" not in html(client, f"{DAY}&provider={clinic.sam.key}")
    assert "Ada Alvarez" not in html(client, f"{DAY}&location={clinic.coast.key}")


def test_what_was_entered_in_error_is_not_on_it(clinic, signed_in):
    appoint(clinic, clinic.ada, status="entered-in-error")
    assert "No appointment here" in html(signed_in("nora"))


@pytest.mark.parametrize(
    "codes",
    [
        "date=2030-02-30",
        "date=9999-12-31&view=week",
        "date=0001-01-01&view=week",
        "date=%00",
        "provider=%00&location=é",
        "provider=" + "x" * 5000,
        "view=<script>",
        "date=2030-W01-1",
    ],
)
def test_whatever_is_no_code_counts_as_not_given(clinic, signed_in, codes):
    response = signed_in("nora").get(f"/schedule/?{codes}")
    assert response.status_code == 200
    assert b"<script>alert" not in response.content


def test_what_it_offers_follows_the_rights(clinic, signed_in):
    assert "/schedule/new/" in html(signed_in("olga"))
    assert "/patients/new/" in html(signed_in("olga"))
    for link in ("/schedule/new/", "/patients/new/"):
        assert link not in html(signed_in("nora")).partition('id="content"')[2]


def test_every_patient_on_it_is_audited_with_the_path(clinic, signed_in):
    appoint(clinic, clinic.ada)
    appoint(clinic, clinic.ben, start=START + timedelta(hours=1))
    AuditRow.objects.all().delete()
    html(signed_in("nora"))
    seen = dict(
        AuditRow.objects.filter(action="schedule")
        .exclude(patient="")
        .values_list("patient", "access_path")
    )
    assert seen == {clinic.ada.key: "patient-group", clinic.ben.key: ""}


def test_it_costs_the_same_whatever_it_shows(
    clinic, signed_in, django_assert_num_queries, django_assert_max_num_queries
):
    client = signed_in("nora")
    appoint(clinic, clinic.ada)
    html(client)
    with django_assert_max_num_queries(15) as few:
        html(client)
    for number in range(12):
        appoint(
            clinic,
            clinic.ben if number % 2 else clinic.ada,
            provider=make_staff(f"extra{number}"),
        )
    with django_assert_num_queries(len(few)):
        html(client)


def test_there_is_an_end_to_a_page(clinic, signed_in, monkeypatch):
    monkeypatch.setattr(sys.modules[Wanted.__module__], "MOST", 2)
    assert MOST > 2
    for number in range(3):
        appoint(clinic, clinic.ada, start=START + timedelta(hours=number))
    assert "Only the first 2 appointments" in html(signed_in("nora"))
