"""The picker: finds anybody, shows three things of each, and names them by handles."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import make_patient
from patients import handles
from patients.admin import picker
from patients.models import PatientAddress, PatientIdentifier

PICKER = reverse("admin:patients_patientgroup_picker")


@pytest.fixture
def ruth(signed_in):
    return signed_in("ruth")


def names_in(response):
    found = re.findall(r"<span>\s*([^,<]*), born", response.content.decode())
    return [name.strip() for name in found]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("al", ["Ada Alvarez"]),
        ("ben br", ["Ben Brandt"]),
        ("BRANDT BEN", ["Ben Brandt"]),
        ("6 May 1990", ["Cyn Castillo"]),
        ("1990-05-06", ["Cyn Castillo"]),
        ("nobody", []),
    ],
)
def test_it_finds_among_all_patients_by_name_or_birth_date(cast, ruth, text, names):
    assert names_in(ruth.post(PICKER, {"q": text})) == names


def test_each_row_has_a_mark_and_no_other_field(cast, ruth):
    """Canaries in every other field of the patient are not in the answer."""
    ben = cast.ben
    ben.active, ben.gender, ben.sex_at_birth = False, "other", "UNK"
    ben.save()
    PatientAddress.objects.create(patient=ben, lines="canary-street", city="canary")
    PatientIdentifier.objects.create(patient=ben, value="canary-identifier")
    text = ruth.post(PICKER, {"q": "brandt"}).content.decode()
    assert "Ben Brandt" in text
    assert "4 Mar 1975" in text
    assert "inactive" in text
    for secret in (ben.key, ben.mrn, "canary", "South", "href"):
        assert secret not in text


def test_a_row_names_its_patient_by_a_handle_for_this_account(cast, ruth):
    text = ruth.post(PICKER, {"q": "brandt"}).content.decode()
    (handle,) = re.findall(r'name="patient" value="([^"]*)"', text)
    assert handles.unseal(cast.ruth.user, handle, handles.PICK) == cast.ben
    assert handles.unseal(cast.nora.user, handle, handles.PICK) is None


def test_at_most_twenty_and_no_way_to_the_next(cast, ruth):
    for number in range(25):
        make_patient("Eve", f"Same {number:02}", cast.ada.birth_date)
    response = ruth.post(PICKER, {"q": "eve"})
    assert len(names_in(response)) == 20
    assert "There are more than 20" in response.content.decode()


@pytest.mark.parametrize(
    "text",
    ["", "a", "12", "%", "*", "\x00", "31 Feb 1980", "1980", "0000-00-00", "x" * 9999],
)
def test_a_text_that_is_too_little_or_broken_finds_nobody(cast, ruth, text):
    response = ruth.post(PICKER, {"q": text})
    assert response.status_code == 200
    assert names_in(response) == []
    assert "notice" in response.content.decode()


def test_digits_are_no_letters_of_a_name(cast, ruth):
    make_patient("Trauma", "12 Unknown", cast.ada.birth_date)
    assert names_in(ruth.post(PICKER, {"q": "12"})) == []
    assert names_in(ruth.post(PICKER, {"q": "unk 12"})) == ["Trauma 12 Unknown"]


def test_numbers_of_a_patient_find_nobody(cast, ruth):
    for text in (cast.ben.mrn, cast.ben.key):
        assert names_in(ruth.post(PICKER, {"q": text})) == []


def test_each_use_is_audited_with_the_patients_shown(cast, ruth):
    ruth.post(PICKER, {"q": "brandt"})
    rows = AuditRow.objects.filter(action="patient.pick").order_by("pk")
    assert [(r.patient, r.access_path) for r in rows] == [
        ("", ""),
        (cast.ben.key, "administration"),
    ]
    assert "brandt" not in str(rows[0].detail)


def test_each_person_has_so_many_uses_an_hour(cast, ruth, monkeypatch):
    monkeypatch.setattr(picker, "PICKS_PER_HOUR", 3)
    for _use in range(3):
        assert names_in(ruth.post(PICKER, {"q": "brandt"}))
    AuditRow.objects.all().delete()
    response = ruth.post(PICKER, {"q": "brandt"})
    assert names_in(response) == []
    assert "within an hour" in response.content.decode()
    row = AuditRow.objects.get()
    assert (row.action, row.outcome) == ("patient.pick", "refused")
    assert row.detail == {"reason": "ration"}
    add = reverse("admin:patients_patientgroup_member_add", args=[cast.north.public_id])
    response = ruth.post(add, {"q": "brandt", "find": "1"})
    assert (response.status_code, names_in(response)) == (429, [])


def test_it_works_without_scripts_as_a_form_in_two_steps(cast, ruth):
    add = reverse("admin:patients_patientgroup_member_add", args=[cast.north.public_id])
    now = timezone.localtime(clock.now()).strftime("%Y-%m-%dT%H:%M")
    typed = {"q": "bra", "end_date": "2031-02-03T04:05", "locked": "on", "find": "1"}
    assert names_in(ruth.post(add, typed | {"start_date": now})) == ["Ben Brandt"]
    response = ruth.post(add, typed)
    text = response.content.decode()
    assert names_in(response) == ["Ben Brandt"]
    assert "2031-02-03T04:05" in text, "what was typed is still there"
    assert not cast.north.memberships.filter(member=cast.ben).exists()
    (handle,) = re.findall(r'name="patient" value="([^"]*)"', text)
    typed = {"start_date": "2020-01-01T00:00", "patient": handle, "add": "1"}
    assert ruth.post(add, typed).status_code == 302
    assert cast.north.memberships.in_force().filter(member=cast.ben).exists()


def marked(response):
    """The names that are shown as members, none of whom can be chosen."""
    labels = re.findall(r"<label>(.*?)</label>", response.content.decode(), re.DOTALL)
    held = [label for label in labels if "in the group already" in label]
    assert [label for label in labels if "disabled" in label] == held
    assert not any("checked" in label for label in held)
    return [re.search(r"<span>\s*([^,<]*), born", label)[1] for label in held]


@pytest.mark.parametrize("days", [0, 9])
def test_who_is_in_the_group_already_is_marked_and_cannot_be_chosen(cast, ruth, days):
    row = cast.north.memberships.get()
    row.start_date += timedelta(days=days)
    row.save()
    make_patient("Ada", "Brown", cast.ada.birth_date)
    page = reverse(
        "admin:patients_patientgroup_member_add", args=[cast.north.public_id]
    )
    (hidden,) = re.findall(
        r'<input type="hidden" name="group" value="([^"]*)"',
        ruth.get(page).content.decode(),
    )
    chosen = handles.seal(cast.ruth.user, cast.ada, handles.PICK)
    for response in (
        ruth.post(PICKER, {"q": "ada", "group": hidden}),
        ruth.post(page, {"q": "ada", "find": "1"}),
        ruth.post(page, {"q": "ada", "add": "1", "patient": chosen}),
    ):
        assert names_in(response) == ["Ada Alvarez", "Ada Brown"]
        assert marked(response) == ["Ada Alvarez"]
    alone = ruth.post(page, {"add": "1", "patient": chosen})
    assert marked(alone) == names_in(alone) == ["Ada Alvarez"]


def test_who_has_left_the_group_is_not_marked(cast, ruth):
    cast.north.remove(cast.ada)
    post = {"q": "ada", "group": cast.north.public_id}
    assert marked(ruth.post(PICKER, post)) == []


@pytest.mark.parametrize("group", ["", "\x00", "1", "x" * 9999, "0" * 32])
def test_a_group_that_there_is_not_marks_nobody(cast, ruth, group):
    response = ruth.post(PICKER, {"q": "ada", "group": group})
    assert names_in(response) == ["Ada Alvarez"]
    assert marked(response) == []


def test_the_picker_of_exclusions_marks_nobody(cast, ruth):
    page = reverse(
        "admin:patients_patientgroup_exclusion_add", args=[cast.north.public_id]
    )
    response = ruth.post(page, {"q": "ada", "find": "1"})
    assert names_in(response) == ["Ada Alvarez"]
    assert marked(response) == []
    assert 'name="group"' not in response.content.decode()


def test_it_answers_posts_alone(cast, ruth):
    assert ruth.get(PICKER + "?q=brandt").status_code == 405
