"""A patient's own fields, and what follows from inactive and deceased."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from canvas_admin.audit.models import AuditRow
from patients.models import Patient, StreamKey
from patients.tests.profile_pages import FORM, address, problems, values_of, writer
from staffing.tests.pages import fields_of, submit

pytestmark = pytest.mark.furnished

CONFIRM = "Save and take off the lists"


@pytest.fixture
def olga(cast, signed_in):
    return writer(cast, signed_in)


@pytest.fixture
def url(cast):
    return address(cast.ada, "demographics")


def fresh(patient):
    return Patient.objects.get(pk=patient.pk)


def off(client, url, **changes):
    """Post a change that takes the patient off the lists, then its confirmation."""
    values = values_of(client, url)
    for name, value in changes.items():
        values[name] = value
        if value is None:
            del values[name]
    asked = client.post(url, values)
    assert CONFIRM in asked.content.decode()
    return client.post(
        url, values | {"confirmation": asked.context["form"].confirmation}
    )


def is_listed(client, patient):
    found = client.post("/patients/search/", {"q": patient.last_name[:5]})
    listed = client.get("/patients/")
    name = patient.name.encode()
    assert (name in found.content) == (name in listed.content)
    return name in found.content


def test_what_is_typed_is_saved_with_the_fields_on_the_trail(cast, olga, url):
    response = submit(
        olga, url, FORM, birth_date="3 Feb 1981", gender="other", sex_at_birth="O"
    )
    assert response.url == address(cast.ada) + "#demographics"
    ada = fresh(cast.ada)
    assert ada.birth_date == date(1981, 2, 3)
    assert (ada.gender, ada.sex_at_birth) == ("other", "O")
    assert ada.version == cast.ada.version + 1
    act = AuditRow.objects.get(action="patient.demographics.changed", patient="")
    assert act.detail == {"fields": ["birth_date", "sex_at_birth", "gender"]}
    assert act.subject == f"patient/{ada.key}"


@pytest.mark.parametrize(
    ("precision", "saved", "shown"),
    [
        ("day", date(1981, 2, 3), "3 Feb 1981"),
        ("month", date(1981, 2, 1), "Feb 1981"),
        ("year", date(1981, 1, 1), "1981"),
    ],
)
def test_a_date_of_birth_is_as_precise_as_it_is_known(
    cast, olga, url, precision, saved, shown
):
    submit(olga, url, FORM, birth_date="1981-02-03", birth_date_precision=precision)
    assert fresh(cast.ada).birth_date == saved
    html = olga.get(address(cast.ada)).content.decode()
    assert f"<dd>{shown}</dd>" in html


def test_a_new_date_of_birth_is_found(cast, olga, url, signed_in):
    submit(olga, url, FORM, birth_date="1981-02-03")
    nora = signed_in("nora")
    for text, found in (("1981-02-03", True), ("1980-01-02", False)):
        answer = nora.post("/patients/search/", {"q": text}).content.decode()
        assert ("Ada Alvarez" in answer) == found


# Off the lists, and back ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "mark"),
    [
        ({"active": None}, "Inactive"),
        ({"deceased": "on"}, "Deceased"),
        ({"deceased": "on", "died_on": "2026-01-02", "active": None}, "Deceased"),
    ],
)
def test_a_patient_who_leaves_the_lists_is_asked_about_and_comes_back(
    cast, olga, url, changes, mark
):
    assert is_listed(olga, cast.ada)
    response = off(olga, url, **changes)
    assert response.url == address(cast.ada) + "#demographics"
    html = olga.get(response.url).content.decode()
    assert "no longer show this patient. To undo it" in html
    assert mark in html
    assert not is_listed(olga, cast.ada)
    everyone = olga.get("/patients/?show=all").content.decode()
    assert "Ada Alvarez" in everyone
    assert not fresh(cast.ada).listed

    values = values_of(olga, url) | {"active": "on"}
    values.pop("deceased", None)
    assert olga.post(url, values | {"died_on": ""}).status_code == 302
    assert fresh(cast.ada).listed
    assert fresh(cast.ada).deceased_at is None
    assert is_listed(olga, cast.ada)


def test_without_the_confirmation_nothing_is_saved(cast, olga, url):
    keys = StreamKey.objects.count()
    for forged in ("", "x", "1", "é", "\x00", "y" * 10_000):
        asked = submit(olga, url, FORM, deceased="on", confirmation=forged)
        assert asked.status_code == 200
        assert CONFIRM in asked.content.decode()
        assert "Nothing was saved yet" in asked.content.decode()
        assert fresh(cast.ada).version == cast.ada.version
    assert StreamKey.objects.count() == keys


def test_a_confirmation_is_good_for_what_was_asked_alone(cast, olga, url, signed_in):
    values = values_of(olga, url)
    dead = olga.post(url, values | {"deceased": "on"}).context["form"].confirmation
    both = {k: v for k, v in values.items() if k != "active"} | {"deceased": "on"}
    assert olga.post(url, both | {"confirmation": dead}).status_code == 200
    cast.sam.grant(cast.north.auth_group)
    cast.sam.grant(cast.olga.user.groups.get(name="Profile write"))
    other = signed_in("sam").post(
        url, values | {"deceased": "on", "confirmation": dead}
    )
    assert other.status_code == 200
    assert fresh(cast.ada).listed


def test_a_known_time_of_death_stays_unless_its_day_changes(cast, olga, url):
    died = datetime(2026, 1, 2, 15, 30, tzinfo=UTC)
    cast.ada.deceased, cast.ada.deceased_at = True, died
    cast.ada.save()
    submit(olga, url, FORM, gender="other")
    assert fresh(cast.ada).deceased_at == died
    submit(olga, url, FORM, died_on="2026-01-03")
    assert timezone.localtime(fresh(cast.ada).deceased_at).isoformat()[:16] == (
        "2026-01-03T00:00"
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"birth_date": ""}, "required"),
        ({"birth_date": "TOMORROW"}, "in the future"),
        ({"birth_date": "1849-12-31"}, "before 1850"),
        ({"birth_date": "1999-02-30"}, "Write a date of birth"),
        ({"birth_date_precision": "hour"}, "not one of the available"),
        ({"birth_date_precision": ""}, "required"),
        ({"gender": "F"}, "not one of the available"),
        ({"sex_at_birth": ""}, "required"),
        ({"died_on": "2026-01-02"}, "Tick “deceased”"),
        ({"deceased": "on", "died_on": "TOMORROW"}, "in the future"),
        ({"deceased": "on", "died_on": "1979-12-31"}, "before the birth"),
        ({"deceased": "on", "died_on": "yesterday"}, "Write a date"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_saved(
    cast, olga, url, changes, sentence
):
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
    typed = {name: text.replace("TOMORROW", tomorrow) for name, text in changes.items()}
    assert sentence in problems(submit(olga, url, FORM, **typed))
    assert fresh(cast.ada).version == cast.ada.version


def test_an_empty_post_changes_nothing(cast, olga, url):
    assert problems(olga.post(url))
    assert fresh(cast.ada).listed


def test_the_second_of_two_people_sees_both_versions(cast, olga, url):
    stale = values_of(olga, url)
    submit(olga, url, FORM, gender="other")
    refused = olga.post(url, stale | {"gender": "male"})
    assert "Gender: yours is “male”, saved is “other”." in problems(refused)
    assert fresh(cast.ada).gender == "other"
    olga.post(url, fields_of(refused, FORM))
    assert fresh(cast.ada).gender == "male"


def test_the_page_of_a_refused_form_names_the_patient_as_saved(cast, olga, url):
    html = submit(olga, url, FORM, deceased="on").content.decode()
    assert 'class="badge">Deceased' not in html
