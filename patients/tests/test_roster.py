"""The list of patients: within reach, sorted, filtered by what is typed, page by page."""

from datetime import date

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_patient, make_staff
from canvas_admin.tests.masking import masked

LIST = "/patients/"


def names(response):
    return [patient.name for patient in response.context["page"].patients]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nora", ["Ada Alvarez"]),
        ("sam", ["Ben Brandt"]),
        ("olga", []),
        ("max", ["Ada Alvarez", "Ben Brandt", "Cyn Castillo"]),
    ],
)
def test_each_sees_their_own_patients(signed_in, name, expected):
    assert names(signed_in(name).get(LIST)) == expected


@pytest.mark.parametrize(("name", "status"), [(None, 302), ("nil", 403), ("ruth", 403)])
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_may_not_open_the_list(signed_in, name, status, method):
    assert getattr(signed_in(name), method)(LIST).status_code == status


@pytest.fixture
def many(cast):
    """Sixty patients of North behind ada, the later the name the older."""
    for number in range(60):
        cast.north.add(
            make_patient("Kim", f"Lee{number:02}", date(1999 - number, 1, 1))
        )


def test_pages_follow_each_other_and_back(signed_in, many):
    client = signed_in("nora")
    first = client.get(LIST)
    second = client.get(first.context["next"])
    third = client.get(second.context["next"])
    assert [len(names(page)) for page in (first, second, third)] == [25, 25, 11]
    assert not first.context["previous"]
    assert not third.context["next"]
    assert names(client.get(third.context["previous"])) == names(second)
    assert masked(client.get(client.get(LIST).context["next"])) == masked(second)
    back = client.get(second.context["previous"])
    assert names(back) == names(first)
    assert not back.context["previous"]


def test_it_sorts_by_date_of_birth(signed_in, many):
    client = signed_in("nora")
    page = client.get(LIST, {"sort": "born"})
    assert names(page)[:2] == ["Kim Lee59", "Kim Lee58"]
    assert "sort=born" in page.context["next"]
    assert names(client.get(page.context["next"]))[0] == "Kim Lee34"


@pytest.mark.parametrize(
    "cursor", ["", "x", "0" * 32, "\x00", "é" * 40, "a" * 10_000, "BEN"]
)
@pytest.mark.parametrize("side", ["after", "before"])
def test_any_other_cursor_begins_the_list(cast, signed_in, cursor, side):
    client = signed_in("nora")
    key = cast.ben.key if cursor == "BEN" else cursor
    assert masked(client.get(LIST, {side: key}), key) == masked(client.get(LIST), key)


@pytest.mark.parametrize("side", ["after", "before"])
def test_where_nobody_is_left_the_list_begins(cast, signed_in, side):
    response = signed_in("nora").get(LIST, {side: cast.ada.key, "sort": "born"})
    assert (response.status_code, response["Location"]) == (302, LIST + "?sort=born")


def test_inactive_and_deceased_are_shown_when_asked(cast, signed_in):
    for first, fields in (("Ida", {"active": False}), ("Dan", {"deceased": True})):
        cast.north.add(make_patient(first, "Absent", date(1950, 1, 1), **fields))
    client = signed_in("nora")
    assert names(client.get(LIST)) == ["Ada Alvarez"]
    response = client.get(LIST, {"show": "all"})
    assert names(response) == ["Dan Absent", "Ida Absent", "Ada Alvarez"]
    html = response.content.decode()
    assert html.count(">Inactive<") == 1
    assert html.count(">Deceased<") == 1
    assert names(client.get(LIST, {"show": "'--", "sort": "mrn"})) == ["Ada Alvarez"]


def test_a_typed_filter_is_kept_in_the_session_and_cleared(signed_in, many):
    client = signed_in("nora")
    response = client.post(LIST + "?sort=born", {"q": "lee0"})
    assert response.status_code == 302
    assert response.url == LIST + "?sort=born"
    assert len(names(client.get(response.url))) == 10
    assert len(names(client.get(LIST))) == 10
    assert "clear" in client.get(LIST).content.decode()
    assert client.post(LIST, {"clear": "1", "q": "lee0"}).url == LIST
    assert len(names(client.get(LIST))) == 25
    client.post(LIST, {"q": "lee01"})
    client.post(LIST, {"q": " "})
    assert len(names(client.get(LIST))) == 25


def test_a_filter_that_cannot_be_used_says_so_and_changes_nothing(signed_in, many):
    client = signed_in("nora")
    client.post(LIST, {"q": "lee01"})
    for text in ("a", "x" * 200, "\x00", "02/30/1980"):
        response = client.post(LIST, {"q": text})
        assert response.status_code == 200
        assert 'role="alert" id="filter-problem"' in response.content.decode()
        assert names(response) == ["Kim Lee01"]


def test_empty_lists_say_what_to_do(cast, signed_in):
    assert (
        "No patients are open to you yet"
        in signed_in("olga").get(LIST).content.decode()
    )
    nora = signed_in("nora")
    nora.post(LIST, {"q": "zzz"})
    html = nora.get(LIST).content.decode()
    assert "Show the whole list" in html
    assert "Check the spelling, or type fewer letters." in html
    cast.ada.active = False
    cast.ada.save()
    nora.post(LIST, {"clear": "1"})
    html = nora.get(LIST).content.decode()
    assert "Show inactive and deceased patients too" in html


def test_the_page_is_audited(cast, signed_in):
    AuditRow.objects.all().delete()
    signed_in("max").get(LIST)
    rows = AuditRow.objects.filter(action="patient.list").exclude(patient="")
    assert {(row.patient, row.access_path) for row in rows} == {
        (patient.key, "all-patients") for patient in (cast.ada, cast.ben, cast.cyn)
    }


def test_without_chart_and_profile_a_name_is_text(cast, client):
    staff = make_staff("pat", "Tasking access", "Patients: North")
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    html = client.get(LIST).content.decode()
    assert "Ada Alvarez" in html
    assert cast.ada.key not in html


def test_what_is_out_of_reach_changes_no_byte(cast, signed_in):
    client = signed_in("nora")
    before = [masked(client.get(LIST, {"show": show})) for show in ("", "all")]
    for number in range(30):
        patient = make_patient("Ada", "Aaa", date(1990, 1, 1 + number))
        cast.south.add(patient)
    after = [masked(client.get(LIST, {"show": show})) for show in ("", "all")]
    assert after == before


def test_the_queries_do_not_grow_with_the_rows(
    cast, signed_in, many, django_assert_max_num_queries
):
    client = signed_in("nora")
    client.get(LIST)
    with django_assert_max_num_queries(20):
        assert len(names(client.get(LIST))) == 25
