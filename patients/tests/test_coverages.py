"""Coverages: ranks among those in force, and how one ends."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from canvas_admin.records import clock
from patients.models import Coverage
from patients.tests.profile_pages import add, address, change, problems, writer

pytestmark = pytest.mark.furnished


@pytest.fixture
def olga(cast, signed_in):
    """ada has Aetna as primary coverage."""
    return writer(cast, signed_in)


def days(number):
    return (clock.today() + timedelta(days=number)).isoformat()


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def test_all_that_was_typed_is_on_the_profile(cast, olga, signed_in):
    add(
        olga,
        cast,
        "coverages",
        plan="Part B",
        group_number="G-12",
        payer_id="60054",
        relationship="spouse",
        subscriber_name="Tom Alvarez",
        start="2026-01-01",
        end=days(30),
    )
    html = signed_in("nora").get(address(cast.ada)).content.decode()
    for text in (
        "Primary: Aetna",
        "Secondary: Medicare",
        "Part B",
        "G-12",
        "60054",
        "M77",
        "Tom Alvarez (the patient is: spouse)",
        "from 1 Jan 2026",
        "Not checked yet.",
    ):
        assert text in html


def test_a_rank_is_held_once_and_the_holder_is_named(cast, olga):
    refused = problems(add(olga, cast, "coverages", rank="1"))
    assert "“Aetna” has this rank: Primary. End it first." in refused
    assert cast.ada.coverages.count() == 1


@pytest.mark.parametrize(
    "gone",
    [
        {"end": days(-1)},
        {"entered_in_error": "on", "entered_in_error_reason": "another patient"},
    ],
)
def test_whoever_ends_frees_the_rank_and_cannot_have_it_back_unasked(cast, olga, gone):
    aetna = cast.belongings["coverages"]
    assert change(olga, cast, "coverages", **gone).status_code == 302
    assert not fresh(aetna).active
    assert add(olga, cast, "coverages", rank="1").status_code == 302
    back = {"end": "", "entered_in_error": []}
    assert "“Medicare” has this rank" in problems(
        change(olga, cast, "coverages", **back)
    )
    assert change(olga, cast, "coverages", **back, rank="3").status_code == 302
    assert fresh(aetna).active


def test_a_coverage_holds_through_its_last_day(cast, olga):
    change(olga, cast, "coverages", end=days(0))
    assert fresh(cast.belongings["coverages"]).active
    assert "has this rank" in problems(add(olga, cast, "coverages", rank="1"))


def test_a_coverage_whose_end_has_come_since_frees_its_rank(cast, olga):
    aetna = cast.belongings["coverages"]
    Coverage.objects.filter(pk=aetna.pk).update(end=clock.today() - timedelta(days=1))
    assert fresh(aetna).active
    assert add(olga, cast, "coverages", rank="1").status_code == 302
    assert not fresh(aetna).active
    html = olga.get(address(cast.ada)).content.decode()
    assert html.index("Primary: Medicare") < html.index("Primary: Aetna")


def test_the_database_holds_the_rank_too(cast, olga):
    values = {"patient": cast.ada, "payer_name": "Other", "member_id": "1"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Coverage.objects.create(**values, rank=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Coverage.objects.create(**values, rank=4)
    Coverage.objects.create(**values | {"patient": cast.ben}, rank=1)


def test_a_rank_taken_at_the_same_moment_is_said_in_the_form(cast, olga, monkeypatch):
    monkeypatch.setattr(
        "patients.forms.coverages.CoverageForm._refuse_a_taken_rank",
        lambda self, cleaned: None,
    )
    assert "at this moment" in problems(add(olga, cast, "coverages", rank="1"))
    assert cast.ada.coverages.count() == 1


def test_ranks_of_others_do_not_count(cast, olga):
    Coverage.objects.create(patient=cast.ben, payer_name="B", member_id="1", rank=2)
    assert add(olga, cast, "coverages", rank="2").status_code == 302
