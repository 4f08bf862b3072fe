"""Auth groups and permission changes, as an administrator reads them."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from canvas_admin.records import clock
from canvas_admin.testing import make_group, make_staff
from staffing.groups import MANAGED_GROUPS
from staffing.models import GroupChange, Staff

GROUPS = "/admin/auth/group/"
CHANGES = "/admin/staffing/groupchange/"


def test_a_group_says_what_it_means_allows_and_who_holds_it(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    html = signed_in("ruth").get(f"{GROUPS}Clinical read/change/").content.decode()
    assert "Reads clinical data" in html
    assert "Can view patient" in html
    assert "<li>Nurse</li>" in html
    assert "Nora Example</a>, by the role Nurse on" in html
    assert "Max Example" not in html


def test_the_auth_group_of_a_patient_group_has_a_page_too(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    make_group("A/B “C” <i>_:")
    ruth = signed_in("ruth")
    rows = ruth.get(GROUPS, {"q": "A/B"}).context["cl"]
    url = rows.url_for_result(rows.result_list[0])
    page = ruth.get(url)
    assert page.status_code == 200
    assert "<i>_" not in page.content.decode()


def test_groups_are_listed_managed_ones_first_and_filtered_by_kind(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    names = [group.name for group in ruth.get(GROUPS).context["cl"].result_list]
    assert names[: len(MANAGED_GROUPS)] == [d.name for d in MANAGED_GROUPS]
    patients = ruth.get(GROUPS, {"kind": "patients"}).context["cl"].result_list
    assert [g.name for g in patients] == [
        "All Patients",
        "Patients: North",
        "Patients: South",
    ]


def test_holders_are_counted_and_named_up_to_a_bound(
    cast: SimpleNamespace, signed_in: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("staffing.admin.groups.MOST_HOLDERS", 1)
    html = signed_in("ruth").get(f"{GROUPS}Clinical read/change/").content.decode()
    assert "and more" in html


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"person": "max"}, 2),
        ({"person": "nobody"}, 0),
        ({"added__exact": "0"}, 1),
        ({"via__exact": "role", "person": "nora"}, 4),
        ({"via__exact": "hand", "person": "nora"}, 2),
        ({"q": "All Patients"}, 1),
        ({"q": "Max Example"}, 2),
        ({"q": "ruth", "person": "nora"}, 1),
        ({"when": "today", "person": "max"}, 2),
        ({"when": "year", "person": "max"}, 2),
        ({"when": "9999-12-31", "person": "max"}, 2),
    ],
)
def test_changes_are_found_by_person_act_way_and_date(
    cast: SimpleNamespace, signed_in: Any, query: dict[str, str], count: int
) -> None:
    cast.nora.revoke(cast.north.auth_group, cast.ruth.user)
    rows = signed_in("ruth").get(CHANGES, query).context["cl"].result_list
    assert len(rows) == count


def test_older_changes_are_left_out(cast: SimpleNamespace, signed_in: Any) -> None:
    GroupChange.objects.update(when=clock.now() - timedelta(days=20))
    for code, count in {"today": 0, "week": 0, "month": 2, "year": 2}.items():
        query = {"when": code, "person": "max"}
        rows = signed_in("ruth").get(CHANGES, query).context["cl"].result_list
        assert len(rows) == count


@pytest.mark.parametrize("moment", ["0001-01-01 00:00+14:00", "9999-12-31T23:59"])
def test_an_edited_address_leads_back_to_the_list(
    cast: SimpleNamespace, signed_in: Any, moment: str
) -> None:
    answer = signed_in("ruth").get(CHANGES, {"when__gte": moment})
    assert answer.status_code == 400
    assert "cannot be read" in answer.text


def test_a_long_list_of_people_is_not_put_into_the_filter(
    cast: SimpleNamespace, signed_in: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("staffing.admin.filters.MOST_PEOPLE", 2)
    html = signed_in("ruth").get(CHANGES).content.decode()
    assert "?person=max" not in html
    html = signed_in("ruth").get(CHANGES, {"person": "max"}).content.decode()
    assert html.count("person=max") >= 1


def test_the_record_outlives_a_retired_patient_group(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    cast.north.retire()
    html = signed_in("ruth").get(CHANGES, {"q": "Patients: North"}).content.decode()
    assert "the patient group was deleted" in html


def test_the_lists_take_a_fixed_number_of_queries(
    cast: SimpleNamespace, signed_in: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(25):
        make_staff(f"person{number}", "Profile read", "Patients: North")
    ruth = signed_in("ruth")
    for url in (
        GROUPS,
        CHANGES,
        "/admin/staffing/staff/",
        "/admin/staffing/staffpermissions/",
        "/admin/staffing/user/",
        "/admin/staffing/role/",
    ):
        with django_assert_max_num_queries(20):
            assert ruth.get(url).status_code == 200
    assert Staff.objects.count() > 25
    assert GroupChange.objects.count() > 50
