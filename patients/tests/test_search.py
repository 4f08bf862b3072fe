"""The search bar's first results: who is found by what, and how a row is shown."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_patient, make_staff
from patients.models import PatientIdentifier

SEARCH = "/patients/search/"


def found(client, text, **more):
    """The names that a text finds, in order."""
    response = client.post(SEARCH, {"q": text, **more})
    assert response.status_code == 200
    return [row.name for row in response.context["rows"] or []]


@pytest.fixture
def smiths(cast):
    """Patients of North whose names take some folding to find."""
    people = [
        make_patient("John", "Smith", date(1980, 1, 2), middle_name="Quincy"),
        make_patient("Johanna", "Smithers", date(1981, 1, 2)),
        make_patient("Zoë", "O’Brien-Núñez", date(1990, 12, 31)),
    ]
    for patient in people:
        cast.north.add(patient)
    return people


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("smi", ["John Quincy Smith", "Johanna Smithers"]),
        ("joh smi", ["John Quincy Smith", "Johanna Smithers"]),
        ("SMI JOH", ["John Quincy Smith", "Johanna Smithers"]),
        ("smith john q", ["John Quincy Smith"]),
        ("zoe obrien", ["Zoë O’Brien-Núñez"]),
        ("nunez", ["Zoë O’Brien-Núñez"]),
        ("mith", []),
        ("%%", []),
        ("__", []),
        ("smi*", ["John Quincy Smith", "Johanna Smithers"]),
        ("s%h", []),
        ("smi john 01/02/1981", []),
        ("smi joh 01/02/1981", ["Johanna Smithers"]),
    ],
)
def test_words_are_found_by_their_beginning_in_any_order(
    signed_in, smiths, text, names
):
    assert found(signed_in("nora"), text) == names


@pytest.mark.parametrize(
    "text",
    [
        "1980-01-02",
        "1980/1/2",
        "01/02/1980",
        "1/2/1980",
        "01021980",
        "19800102",
        "2 Jan 1980",
        "2jan1980",
        "2nd January 1980",
        "Jan 2 1980",
        "January 2, 1980",
        "alv 1980-01-02",
        "Jan 2, 1980 ada",
    ],
)
def test_a_date_of_birth_is_found_in_the_forms_people_type(signed_in, text):
    assert found(signed_in("nora"), text) == ["Ada Alvarez"]


@pytest.mark.parametrize("text", ["02/30/1980", "0000-01-01", "31 Feb 1980"])
def test_a_day_that_no_calendar_has_is_named(signed_in, text):
    page = signed_in("nora").post(SEARCH, {"q": text})
    assert "There is no day" in page.content.decode()
    assert page.context["rows"] is None


def test_numbers_are_found_in_full_and_within_reach_alone(cast, signed_in):
    for patient in (cast.ada, cast.ben):
        PatientIdentifier.objects.create(patient=patient, value="X-77", system="urn:x")
    nora = signed_in("nora")
    assert found(nora, cast.ada.mrn) == ["Ada Alvarez"]
    assert found(nora, cast.ada.mrn[:-1]) == []
    assert found(nora, cast.ben.mrn) == []
    assert found(nora, "X-77") == ["Ada Alvarez"]
    assert found(nora, "X-7") == []


@pytest.mark.parametrize("page", ["search", "list"])
def test_a_number_out_of_reach_costs_what_a_number_of_nobody_costs(
    cast, signed_in, page
):
    """Else the time of an answer would tell that somebody has it."""
    client, taken = signed_in("nora"), []

    def ask(number):
        if page == "search":
            return found(client, number)
        client.post("/patients/", {"q": number})
        return client.get("/patients/")

    for number in (cast.ben.mrn, "123456789", cast.ben.mrn, "123456789"):
        with CaptureQueriesContext(connection) as captured:
            ask(number)
        taken.append(len(captured))
    assert taken[2] == taken[3]


def test_first_results_are_active_and_living(cast, signed_in):
    for fields in ({"active": False}, {"deceased": True}):
        cast.north.add(make_patient("Ada", "Absent", date(1950, 1, 1), **fields))
    assert found(signed_in("nora"), "ada") == ["Ada Alvarez"]


def test_at_most_ten_are_shown_by_name(cast, signed_in):
    for number in range(12):
        cast.north.add(
            make_patient(f"Kim{'abcdefghijkl'[number]}", "Lee", date(1990, 1, 1))
        )
    names = found(signed_in("nora"), "lee")
    assert names == [f"Kim{letter} Lee" for letter in "abcdefghij"]


@pytest.mark.parametrize(
    ("groups", "page"),
    [
        (("Clinical read", "Profile read"), "patients:chart"),
        (("Clinical read",), "patients:chart"),
        (("Profile read",), "patients:profile"),
        (("Patient create",), "patients:profile"),
        (("Clinical write",), None),
        (("Tasking access",), None),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_row_links_to_what_the_person_may_open(cast, client, groups, page, headers):
    staff = make_staff("pat", *groups, "Patients: North")
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    html = client.post(SEARCH, {"q": "ada"}, headers=headers).content.decode()
    assert "Ada Alvarez" in html
    assert "2 Jan 1980" in html
    for name in ("patients:chart", "patients:profile"):
        link = f'href="{reverse(name, args=[cast.ada.key])}"'
        assert (link in html) == (name == page)
    assert (cast.ada.key in html) == (page is not None)


def test_suggestions_are_a_part_of_a_page(cast, signed_in):
    client = signed_in("nora")
    response = client.post(SEARCH, {"q": "ada"}, headers={"HX-Request": "true"})
    html = response.content.decode()
    assert "<html" not in html
    assert html.count('role="option"') == 2
    assert "See all patients" in html


@pytest.mark.parametrize("text", ["", " ", "a", "a b", "%", "''"])
def test_too_little_gets_a_hint_and_asks_nothing(signed_in, text):
    AuditRow.objects.all().delete()
    response = signed_in("nora").post(SEARCH, {"q": text})
    assert "Type" in response.context["hint"]
    assert response.context["rows"] is None
    assert not AuditRow.objects.exists()


def test_nothing_found_says_what_to_do_next(signed_in):
    html = signed_in("nora").post(SEARCH, {"q": "zzz"}).content.decode()
    assert "No active patient within your reach" in html
    assert "See all patients" in html


def test_the_rows_shown_are_audited(cast, signed_in):
    AuditRow.objects.all().delete()
    found(signed_in("nora"), "ada")
    rows = AuditRow.objects.filter(action="patient.search", outcome="shown")
    assert list(rows.exclude(patient="").values_list("patient", "access_path")) == [
        (cast.ada.key, "patient-group")
    ]
    assert rows.filter(patient="", actor=cast.nora.user.key).count() == 1
    assert all("ada" not in str(row.detail) for row in rows)


def test_what_is_typed_comes_by_post_alone(signed_in):
    client = signed_in("nora")
    page = client.get(SEARCH, {"q": "ada"})
    assert page.status_code == 200
    assert "Ada Alvarez" not in page.content.decode()
    assert 'method="get"' not in page.content.decode().lower()


@pytest.mark.parametrize(
    ("name", "status"),
    [(None, 302), ("nil", 403), ("ruth", 403), ("olga", 200), ("max", 200)],
)
def test_who_may_search(signed_in, name, status):
    client = signed_in(name)
    assert client.post(SEARCH, {"q": "ada"}).status_code == status
    assert client.get(SEARCH).status_code == status
    bar = 'id="search-text"' in client.get("/account/").content.decode()
    assert bar == (status == 200)


def test_reach_is_all_that_counts(signed_in):
    assert found(signed_in("sam"), "ada") == []
    assert found(signed_in("olga"), "ada") == []
    assert found(signed_in("max"), "ada") == ["Ada Alvarez"]


def test_a_revoked_group_is_gone_at_the_next_search(cast, signed_in):
    client = signed_in("nora")
    assert found(client, "ada") == ["Ada Alvarez"]
    cast.nora.revoke(cast.north.auth_group)
    assert found(client, "ada") == []


def test_a_search_takes_as_many_queries_for_many_as_for_one(
    cast, signed_in, django_assert_max_num_queries
):
    client = signed_in("nora")
    found(client, "ada")
    for number in range(9):
        cast.north.add(make_patient("Ada", "Zorn", date(1990, 1, 1 + number)))
    with django_assert_max_num_queries(17) as captured:
        one = found(client, "ada al")
    with django_assert_max_num_queries(len(captured)):
        assert len(found(client, "ada")) == 10
    assert one == ["Ada Alvarez"]


@pytest.mark.parametrize("text", ["zzz", "7788"])
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_what_finds_nobody_is_answered_with_help(signed_in, text, headers):
    response = signed_in("nora").post(SEARCH, {"q": text}, headers=headers)
    html = response.content.decode()
    assert ("See all patients" in html) == (text == "zzz")
    assert "Check the spelling, or type fewer letters." in html
