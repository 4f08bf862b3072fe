"""The names of a patient: one is official, and lists and search follow it."""

import pytest

from patients import profile_changes
from patients.models import Patient, PatientName
from patients.tests.profile_pages import (
    FORM,
    add,
    address,
    problems,
    writer,
)
from staffing.tests.pages import submit

pytestmark = pytest.mark.furnished

REFUSED = "keeps an official name"


@pytest.fixture
def olga(cast, signed_in):
    """ada has the official name that intake gives."""
    cast.official = PatientName.objects.create(
        patient=cast.ada, given="Ada", family="Alvarez"
    )
    return writer(cast, signed_in)


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def edit(client, cast, row, **changes):
    return submit(client, address(cast.ada, "names", row.key), FORM, **changes)


def finds(client, text):
    return "Ada" in client.post("/patients/search/", {"q": text}).content.decode()


def test_correcting_the_official_name_is_seen_everywhere(cast, olga, signed_in):
    response = edit(olga, cast, cast.official, given="Ada  Mary Ann", family="Álvares")
    assert response.status_code == 302
    ada = fresh(cast.ada)
    names = (ada.first_name, ada.middle_name, ada.last_name)
    assert names == ("Ada", "Mary Ann", "Álvares")
    assert ada.version > cast.ada.version
    nora = signed_in("nora")
    for text, found in (("alvares", True), ("mary", True), ("alvarez", False)):
        assert finds(nora, text) == found
    assert "Ada Mary Ann Álvares" in nora.get("/patients/").content.decode()


def test_a_new_official_name_makes_the_one_before_an_old_name(cast, olga, signed_in):
    married = {"use": "official", "given": "Ada", "family": "Brown"}
    assert add(olga, cast, "names", **married).status_code == 302
    before = fresh(cast.official)
    assert (before.use, before.end is not None) == ("old", True)
    assert fresh(cast.ada).last_name == "Brown"
    assert cast.ada.names.filter(use="official").count() == 1
    html = olga.get(address(cast.ada)).content.decode()
    assert "Name (old)" in html
    assert finds(signed_in("nora"), "brown")


def test_another_name_becomes_official_by_its_use(cast, olga):
    nickname = cast.belongings["names"]
    edit(olga, cast, nickname, use="official", family="Alvarez")
    assert fresh(cast.ada).first_name == "Addie"
    assert fresh(cast.official).use == "old"


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "nickname"},
        {"use": "old"},
        {"end": "2026-01-02"},
        {"entered_in_error": "on", "entered_in_error_reason": "wrong"},
    ],
)
def test_a_patient_keeps_an_official_name(cast, olga, changes):
    assert REFUSED in problems(edit(olga, cast, cast.official, **changes))
    assert fresh(cast.official).use == "official"
    assert fresh(cast.official).version == cast.official.version


@pytest.mark.parametrize(
    "values",
    [
        {"use": "usual"},
        {"use": "nickname"},
        {"use": "maiden"},
        {"use": "official", "end": "2020-01-02"},
    ],
)
def test_other_names_leave_the_patient_as_listed(cast, olga, values):
    before = fresh(cast.ada)
    assert add(olga, cast, "names", family="Brown", **values).status_code == 302
    assert fresh(cast.ada).version == before.version
    assert fresh(cast.official).use == "official"


def test_the_form_of_a_name_sees_what_others_made_of_the_patient(
    cast, olga, monkeypatch
):
    """Between reading the name and locking the patient somebody corrects the birth."""
    lock = profile_changes._lock

    def late(form):
        patient = Patient.objects.get(pk=cast.ada.pk)
        patient.birth_date = cast.ben.birth_date
        patient.save()
        lock(form)

    monkeypatch.setattr(profile_changes, "_lock", late)
    edit(olga, cast, cast.official, family="Brown")
    ada = fresh(cast.ada)
    assert (ada.last_name, ada.birth_date) == ("Brown", cast.ben.birth_date)
