"""The chart: who opens it, what stands in it, and what is written down."""

from datetime import UTC, date, datetime

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_staff
from patients.models import (
    AllergyIntolerance,
    CareTeamMembership,
    Condition,
    LabReport,
    Medication,
)
from patients.tests.charts import CLINICAL_MODELS, fill_the_chart
from staffing.models import CareTeamRole

DENIED = "You do not have permission to view this data"


def chart(client, patient):
    return client.get(f"/patient/{patient.key}/")


def condition(patient, display, status="active", **fields):
    return Condition.objects.create(
        patient=patient,
        system="http://snomed.info/sct",
        code="1",
        display=display,
        clinical_status=status,
        **fields,
    )


def on_team(patient, staff, display, **fields):
    role = CareTeamRole.objects.create(code=f"code {display}", display=display)
    return CareTeamMembership.objects.create(
        patient=patient, staff=staff, role=role, **fields
    )


@pytest.mark.parametrize(
    ("name", "opens"),
    [
        (None, ""),
        ("nora", "ada"),
        ("sam", "ben"),
        ("olga", ""),
        ("max", ""),
        ("ines", ""),
        ("nil", ""),
        ("ruth", ""),
    ],
)
def test_who_opens_whose_chart(cast, signed_in, name, opens):
    for patient in ("ada", "ben", "cyn"):
        response = chart(signed_in(name), getattr(cast, patient))
        if patient == opens:
            assert response.status_code == 200
        elif name in (None, "ines"):
            assert response.status_code == 302
        else:
            assert response.status_code == 403
            assert DENIED in response.content.decode()


@pytest.mark.parametrize(
    ("group", "status"),
    [("Clinical read", 200), ("Profile read", 403), ("Clinical write", 403)],
)
def test_the_chart_needs_clinical_read(cast, client, group, status):
    staff = make_staff("pat", group, "Patients: North")
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    assert chart(client, cast.ada).status_code == status


def test_the_head_says_who_the_patient_is(cast, signed_in):
    cast.ada.sex_at_birth, cast.ada.gender = "F", "other"
    cast.ada.save()
    html = chart(signed_in("nora"), cast.ada).content.decode()
    for text in (
        "Ada Alvarez",
        "2 Jan 1980",
        "years)",
        "Female",
        "Other",
        cast.ada.mrn,
    ):
        assert text in html
    assert "Deceased" not in html
    assert "Inactive" not in html


def test_a_late_patient_is_marked(cast, signed_in):
    cast.ada.active, cast.ada.deceased = False, True
    cast.ada.deceased_at = datetime(2020, 1, 1, 12, tzinfo=UTC)
    cast.ada.birth_date_precision = "year"
    cast.ada.save()
    html = chart(signed_in("nora"), cast.ada).content.decode()
    for text in (">Deceased<", ">Inactive<", "died at about 39 years", ">1980 <"):
        assert text in html
    cast.ada.deceased_at = None
    cast.ada.save()
    assert "years" not in chart(signed_in("nora"), cast.ada).content.decode()


def test_current_and_past_conditions_stand_apart(cast, signed_in):
    condition(cast.ada, "Hypertension", onset=datetime(2011, 2, 3, tzinfo=UTC))
    condition(cast.ada, "Relapsing", "relapse")
    condition(
        cast.ada, "Bronchitis", "resolved", abatement=datetime(2020, 4, 5, tzinfo=UTC)
    )
    condition(cast.ada, "Mistaken", entered_in_error=True)
    condition(cast.ben, "Not hers")
    response = chart(signed_in("nora"), cast.ada)
    assert [c.display for c in response.context["conditions"]["current"]] == [
        "Hypertension",
        "Relapsing",
    ]
    assert [c.display for c in response.context["conditions"]["past"]] == ["Bronchitis"]
    html = response.content.decode()
    assert "3 Feb 2011" in html
    assert "5 Apr 2020" in html
    assert "Mistaken" not in html
    assert "Not hers" not in html


def test_every_part_of_the_chart_is_shown(cast, signed_in):
    fill_the_chart(cast.ada, "1")
    LabReport.objects.update(reported=datetime(2024, 5, 6, 12, tzinfo=UTC))
    html = chart(signed_in("nora"), cast.ada).content.decode()
    for text in (
        "Take one",
        "Hives",
        "Measles vaccine",
        "Metabolic panel",
        "6 May 2024",
        "7 mmol/L",
        "4 – 6",
        "High",
        "Chest X-ray",
        "Pulse",
    ):
        assert text in html, text


@pytest.mark.parametrize("table", CLINICAL_MODELS)
def test_what_was_entered_in_error_or_is_another_s_is_not_shown(cast, signed_in, table):
    fill_the_chart(cast.ada, "1")
    fill_the_chart(cast.ben, "2")
    before = chart(signed_in("nora"), cast.ada).content.decode()
    words = table.objects.get(patient=cast.ada).display
    assert words in before
    table.objects.filter(patient=cast.ada).update(entered_in_error=True)
    assert words not in chart(signed_in("nora"), cast.ada).content.decode()


def test_what_is_over_stands_apart(cast, signed_in):
    fill_the_chart(cast.ada, "1")
    Medication.objects.update(status="stopped")
    AllergyIntolerance.objects.update(clinical_status="resolved")
    response = chart(signed_in("nora"), cast.ada)
    html = response.content.decode()
    assert "No current allergy" in html
    assert "No current medication" in html
    assert html.index("Past medications") < html.index("Take one")
    assert html.index("Past allergies") < html.index("Hives")


def test_the_care_team_has_the_lead_first(cast, signed_in):
    on_team(cast.ada, cast.nora, "Care manager")
    on_team(cast.ada, cast.sam, "Physician", lead=True)
    on_team(cast.ada, cast.max, "Gone", status="inactive")
    response = chart(signed_in("nora"), cast.ada)
    team = [m.staff.credentialed_name for m in response.context["care_team"]]
    assert team == ["Sam Example MD", "Nora Example RN"]
    assert "Gone" not in response.content.decode()


def test_empty_parts_say_so(cast, signed_in):
    html = chart(signed_in("nora"), cast.ada).content.decode()
    for text in (
        "No current condition",
        "No past condition",
        "No current medication",
        "No current allergy",
        "No immunization",
        "No lab result",
        "No imaging",
        "No observation",
        "Nobody is on the care",
    ):
        assert text in html


def test_it_links_to_the_profile(cast, signed_in):
    html = chart(signed_in("nora"), cast.ada).content.decode()
    assert f'href="/patient/{cast.ada.key}/profile/"' in html


def test_opening_is_audited_with_the_path(cast, signed_in):
    AuditRow.objects.all().delete()
    chart(signed_in("nora"), cast.ada)
    row = AuditRow.objects.get(action="patient.chart", patient=cast.ada.key)
    assert (row.outcome, row.access_path) == ("shown", "patient-group")
    chart(signed_in("nora"), cast.ben)
    row = AuditRow.objects.get(outcome="refused", patient=cast.ben.key)
    assert row.action == "page:patients:chart"


def test_the_queries_do_not_grow_with_the_rows(
    cast, signed_in, django_assert_num_queries, django_assert_max_num_queries
):
    client = signed_in("nora")
    on_team(cast.ada, cast.sam, "First", lead=True)
    condition(cast.ada, "First")
    fill_the_chart(cast.ada, "first")
    chart(client, cast.ada)
    with django_assert_max_num_queries(25) as few:
        chart(client, cast.ada)
    for number in range(8):
        on_team(cast.ada, make_staff(f"extra{number}"), f"Role {number}")
        condition(cast.ada, f"Condition {number}", "resolved")
        fill_the_chart(cast.ada, f"{number}")
    with django_assert_num_queries(len(few)):
        assert b"Condition 7" in chart(client, cast.ada).content


def test_the_next_click_follows_the_membership(cast, signed_in):
    client = signed_in("nora")
    assert chart(client, cast.ben).status_code == 403
    cast.north.add(cast.ben)
    assert chart(client, cast.ben).status_code == 200
    cast.north.remove(cast.ben)
    assert chart(client, cast.ben).status_code == 403


def test_an_age_counts_whole_years(cast, signed_in):
    cast.ada.birth_date = date(1900, 1, 1)
    cast.ada.deceased, cast.ada.deceased_at = True, datetime(1901, 5, 1, tzinfo=UTC)
    cast.ada.save()
    html = chart(signed_in("nora"), cast.ada).content.decode()
    assert "died at 1 year)" in html
