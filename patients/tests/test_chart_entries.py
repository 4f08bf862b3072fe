"""Conditions, medications, allergies and immunizations written outside of notes."""

from datetime import UTC, datetime

import pytest

from canvas_admin.testing import give, make_staff
from canvas_admin.tests.addresses import chart_rows
from patients.models import ChartChange, Condition, Medication
from patients.tests.profile_pages import FORM, problems, values_of
from patients.views.chart_sections import CHART_SECTIONS
from staffing.tests.pages import submit

GOOD = {
    "conditions": {
        "display": "Migraine",
        "code": "g43909",
        "clinical_status": "active",
        "onset": "2025-03-01",
    },
    "medications": {
        "display": "Ibuprofen 400 mg",
        "status": "active",
        "directions": "One daily",
        "refills": "2",
    },
    "allergies": {
        "display": "Peanut",
        "clinical_status": "active",
        "reaction": "Hives",
    },
    "immunizations": {
        "display": "Influenza vaccine",
        "status": "completed",
        "given": "2025-10-01",
    },
}
CHANGES = {
    "conditions": {"clinical_status": "resolved"},
    "medications": {"status": "stopped"},
    "allergies": {"reaction": "Swelling"},
    "immunizations": {"lot_number": "L77"},
}
# (section, what is written, what the form says to it)
BAD = (
    ("conditions", {"display": ""}, "required"),
    ("conditions", {"code": "nonsense"}, "ICD-10"),
    ("conditions", {"clinical_status": "well"}, "valid choice"),
    ("conditions", {"onset": "2199-01-01"}, "not come yet"),
    ("conditions", {"onset": "2025-03-01", "abatement": "2025-02-01"}, "before"),
    ("conditions", {"display": "a\u202eb"}, "cannot be saved"),
    ("medications", {"refills": "-1"}, "greater than"),
    ("medications", {"refills": "99999"}, "less than"),
    ("allergies", {"kind": "x"}, "valid choice"),
    ("immunizations", {"status": "not-done"}, "why it was not given"),
    ("immunizations", {"form_token": ""}, "damaged"),
)


def at(patient, *parts):
    return "/".join(["/patient", patient.key, "chart", *parts, ""])


def chart_of(client, patient):
    return client.get(f"/patient/{patient.key}/").content.decode()


def test_each_kind_is_added_changed_and_entered_in_error(cast, signed_in):
    client = signed_in("nora")
    for section in CHART_SECTIONS:
        slug = section.slug
        new = at(cast.ada, slug, "new")
        assert new in chart_of(client, cast.ada)
        answer = submit(client, new, FORM, **GOOD[slug])
        assert answer["Location"] == f"/patient/{cast.ada.key}/#{slug}"
        row = section.model.objects.get()
        assert row.display in chart_of(client, cast.ada)
        page = at(cast.ada, slug, row.key)
        assert page in client.get(at(cast.ada, slug)).content.decode()
        assert submit(client, page, FORM, **CHANGES[slug]).status_code == 302
        ((name, value),) = CHANGES[slug].items()
        assert getattr(section.model.objects.get(), name) == value
        wrong = {"entered_in_error": "on", "entered_in_error_reason": "other patient"}
        assert "what was wrong" in problems(
            submit(client, page, FORM, entered_in_error="on")
        )
        submit(client, page, FORM, **wrong)
        assert row.display not in chart_of(client, cast.ada)
        assert "other patient" in client.get(at(cast.ada, slug)).content.decode()


def test_the_usual_status_is_chosen_beforehand(cast, signed_in):
    client = signed_in("nora")
    for section in CHART_SECTIONS:
        values = values_of(client, at(cast.ada, section.slug, "new"))
        name = "clinical_status" if "clinical_status" in values else "status"
        assert values[name] == [GOOD[section.slug][name]]


def test_the_history_of_a_row_says_who_changed_what(cast, signed_in):
    client = signed_in("nora")
    submit(client, at(cast.ada, "conditions", "new"), FORM, **GOOD["conditions"])
    row = Condition.objects.get()
    page = at(cast.ada, "conditions", row.key)
    submit(client, page, FORM, **CHANGES["conditions"])
    changed, entered = client.get(page).context["history"]
    assert (entered["new"], entered["who"]) == (True, "Nora Example")
    assert [list(map(str, each)) for each in changed["differences"]] == [
        ["status", "Active", "Resolved"]
    ]
    submit(client, page, FORM)
    assert ChartChange.of(row).count() == 2
    row.refresh_from_db()
    assert row.code == "G43.909"


def test_an_imported_row_keeps_its_code_and_its_time(cast, signed_in):
    onset = datetime(2020, 5, 4, 13, 30, tzinfo=UTC)
    (row,) = Condition.objects.bulk_create(
        [
            Condition(
                patient=cast.ada,
                display="Asthma",
                system="http://snomed.info/sct",
                code="195967001",
                clinical_status="active",
                onset=onset,
            )
        ]
    )
    client, page = signed_in("nora"), at(cast.ada, "conditions", row.key)
    assert {"display", "code"}.isdisjoint(values_of(client, page))
    submit(client, page, FORM, clinical_status="resolved", display="Other", code="x")
    row.refresh_from_db()
    assert (row.display, row.code, row.onset) == ("Asthma", "195967001", onset)
    assert row.clinical_status == "resolved"
    (change,) = client.get(page).context["history"]
    assert change["who"] == "Nora Example"


@pytest.mark.parametrize(("slug", "values", "said"), BAD)
def test_bad_rows_are_refused(cast, signed_in, slug, values, said):
    client = signed_in("nora")
    given = GOOD[slug] | values
    assert said in problems(submit(client, at(cast.ada, slug, "new"), FORM, **given))
    section = next(each for each in CHART_SECTIONS if each.slug == slug)
    assert not section.model.objects.exists()


def test_who_may_not_write_the_chart_meets_no_form(cast, client):
    rows, foreign = chart_rows(cast.ada), chart_rows(cast.ben)
    before = ChartChange.objects.count()
    pages = [
        page
        for slug, row in rows.items()
        for page in (
            at(cast.ada, slug),
            at(cast.ada, slug, "new"),
            at(cast.ada, slug, row.key),
        )
    ]
    for name, groups in (
        ("read", ["Clinical read"]),
        ("write", ["Clinical write"]),
        ("profile", ["Profile read", "Profile write"]),
    ):
        staff = make_staff(name, *groups, "Patients: North")
        client.force_login(staff.user, backend="staffing.backends.StaffBackend")
        for page in pages:
            assert client.get(page).status_code == 403, page
            wanted = 405 if page.rstrip("/").endswith(tuple(rows)) else 403
            assert client.post(page, {"display": "x"}).status_code == wanted, page
    client.force_login(cast.nora.user, backend="staffing.backends.StaffBackend")
    for slug, row in foreign.items():
        answers = [
            client.post(at(cast.ada, slug, key), {"display": "x"})
            for key in (row.key, "0" * 32, "x")
        ]
        assert {each.status_code for each in answers} == {403}
        assert len({len(each.content) for each in answers[:2]}) == 1
    assert ChartChange.objects.count() == before


def test_two_people_change_one_row(cast, signed_in):
    give(cast.sam, "Patients: North")
    row = chart_rows(cast.ada)["medications"]
    page = at(cast.ada, "medications", row.key)
    nora, sam = signed_in("nora"), signed_in("sam")
    theirs = values_of(sam, page) | {"directions": "Two daily"}
    submit(nora, page, FORM, directions="One daily")
    answer = sam.post(page, theirs)
    assert "Somebody saved this" in problems(answer)
    assert "One daily" in answer.content.decode()
    assert Medication.objects.get(pk=row.pk).directions == "One daily"
    new = at(cast.ada, "medications", "new")
    values = values_of(nora, new) | GOOD["medications"]
    for _time in range(2):
        assert nora.post(new, values).status_code == 302
    assert Medication.objects.filter(display="Ibuprofen 400 mg").count() == 1


def test_the_rows_cost_the_same_whatever_they_are(
    cast, signed_in, django_assert_num_queries, django_assert_max_num_queries
):
    client, page = signed_in("nora"), at(cast.ada, "conditions")
    chart_rows(cast.ada)
    client.get(page)
    with django_assert_max_num_queries(12) as few:
        client.get(page)
    number = len(few)
    for _number in range(5):
        chart_rows(cast.ada)
    with django_assert_num_queries(number):
        assert len(client.get(page).context["rows"]) == 6
