"""All results of one kind: pages, who opens them, and what a cursor tells."""

from datetime import UTC, datetime, timedelta

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_staff
from patients.models import ClinicalDocument, ImagingReport, LabReport, Observation
from patients.tests.charts import fill_the_chart
from patients.views.results import PAGE

KINDS = {
    "labs": LabReport,
    "imaging": ImagingReport,
    "clinical-documents": ClinicalDocument,
    "observations": Observation,
}
START = datetime(2024, 1, 1, 12, tzinfo=UTC)


def page(client, patient, kind="labs", after=""):
    return client.get(f"/patient/{patient.key}/results/{kind}/?after={after}")


def record(patient, kind, number):
    """So many results; every fifth without a date, and each two of a day."""
    model = KINDS[kind]
    for n in range(number):
        date = START + timedelta(days=n // 2) if n % 5 else None
        model.objects.create(
            patient=patient,
            display=f"Result {n}",
            status="final",
            **{model.dated_by: date},
        )


@pytest.mark.parametrize("kind", KINDS)
def test_the_pages_hold_every_result_once_the_newest_first(cast, signed_in, kind):
    record(cast.ada, kind, 2 * PAGE + 3)
    record(cast.ben, kind, 3)
    client, after, seen = signed_in("nora"), "", []
    while True:
        response = page(client, cast.ada, kind, after)
        seen += response.context["rows"]
        after = response.context["next"]
        if not after:
            break
    assert len(seen) == len(set(seen)) == 2 * PAGE + 3
    assert {row.patient_id for row in seen} == {cast.ada.pk}
    dates = [getattr(row, row.dated_by) for row in seen]
    dated = [date for date in dates if date]
    assert dates[: len(dated)] == sorted(dated, reverse=True)
    assert not any(dates[len(dated) :])


def test_the_chart_leads_to_all_where_there_are_more(cast, signed_in):
    client = signed_in("nora")
    address = f"/patient/{cast.ada.key}/results/labs/"
    record(cast.ada, "labs", 5)
    assert address not in client.get(f"/patient/{cast.ada.key}/").content.decode()
    record(cast.ada, "labs", 1)
    assert address in client.get(f"/patient/{cast.ada.key}/").content.decode()


@pytest.mark.parametrize(
    ("groups", "status"),
    [
        (("Clinical read", "Patients: North"), 200),
        (("Clinical read",), 403),
        (("Clinical read", "Patients: South"), 403),
        (("Profile read", "Clinical write", "Patients: North"), 403),
        (("Patients: North",), 403),
    ],
)
def test_they_open_to_whoever_opens_the_chart(cast, client, groups, status):
    staff = make_staff("pat", *groups)
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    assert page(client, cast.ada).status_code == status


def test_a_kind_that_there_is_not_is_no_page(cast, signed_in):
    client = signed_in("nora")
    assert page(client, cast.ada, "secrets").status_code == 404
    assert page(client, cast.ben, "secrets").status_code == 403


def test_a_cursor_of_nobody_or_of_another_begins_again(cast, signed_in):
    fill_the_chart(cast.ada, "1")
    fill_the_chart(cast.ben, "2")
    client = signed_in("nora")
    first = page(client, cast.ada).context["rows"]
    other = LabReport.objects.get(patient=cast.ben).key
    for after in (other, "0" * 32, "%00", "x" * 10_000, "é"):
        response = page(client, cast.ada, after=after)
        assert response.context["rows"] == first
        assert not response.context["begun"]


def test_behind_the_last_there_is_nothing_older(cast, signed_in):
    fill_the_chart(cast.ada, "1")
    last = LabReport.objects.get().key
    html = page(signed_in("nora"), cast.ada, after=last).content.decode()
    assert "nothing older" in html
    assert "Newest" in html


def test_without_any_it_says_so(cast, signed_in):
    assert b"No lab result is recorded." in page(signed_in("nora"), cast.ada).content


def test_each_page_is_audited(cast, signed_in):
    AuditRow.objects.all().delete()
    page(signed_in("nora"), cast.ada, "imaging")
    row = AuditRow.objects.get(patient=cast.ada.key)
    assert (row.action, row.outcome) == ("patient.imaging", "shown")


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_costs_the_same_whatever_it_shows(
    cast, signed_in, kind, django_assert_num_queries, django_assert_max_num_queries
):
    client = signed_in("nora")
    fill_the_chart(cast.ada, "1")
    page(client, cast.ada, kind)
    with django_assert_max_num_queries(14) as few:
        page(client, cast.ada, kind)
    for number in range(PAGE):
        fill_the_chart(cast.ada, f"{number}")
    with django_assert_num_queries(len(few)):
        page(client, cast.ada, kind)
