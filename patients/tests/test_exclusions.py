"""Exclusions: who is kept out, why, and what lifting does not restore."""

import pytest
from django.urls import reverse

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_patient
from patients import handles
from patients.admin import exclusions
from patients.models import Patient, PatientGroupExclusion, PatientGroupMember


def at(page, *arguments):
    return reverse(f"admin:patients_patientgroup_{page}", args=arguments)


@pytest.fixture
def ruth(signed_in):
    return signed_in("ruth")


def exclude(client, cast, chosen, **changes):
    handle = handles.seal(cast.ruth.user, chosen, handles.PICK)
    post = {"patient": handle, "reason": "asked for it", "add": "1", **changes}
    return client.post(at("exclusion_add", cast.north.public_id), post)


def test_excluding_ends_the_membership_and_the_access(cast, ruth):
    page = at("exclusion_add", cast.north.public_id)
    assert "ends the membership" in ruth.get(page).content.decode()
    answer = exclude(ruth, cast, cast.ada)
    assert answer["Location"] == at("exclusions", cast.north.public_id)
    assert not Patient.objects.accessible_to(cast.nora.user).contains(cast.ada)
    assert cast.north.memberships.get().end_date is not None
    done = AuditRow.objects.filter(action="patient_group.excluded", actor_name="ruth")
    assert done.filter(patient=cast.ada.key).exists()


def test_a_membership_to_come_ends_too(cast, ruth):
    row = PatientGroupMember(patient_group=cast.north, member=cast.ben)
    row.start_date = row.start_date.replace(year=row.start_date.year + 1)
    row.save()
    assert exclude(ruth, cast, cast.ben).status_code == 302
    assert not cast.north.memberships.going_on().filter(member=cast.ben).exists()


def test_the_list_shows_who_why_and_since_when_and_is_audited(cast, ruth):
    exclude(ruth, cast, cast.ada)
    text = ruth.get(at("exclusions", cast.north.public_id)).content.decode()
    for word in ("Ada Alvarez", "2 Jan 1980", "asked for it"):
        assert word in text
    for secret in (cast.ada.key, cast.ada.mrn):
        assert secret not in text
    rows = AuditRow.objects.filter(action="patient_group.exclusions").exclude(
        patient=""
    )
    assert [(r.patient, r.access_path) for r in rows] == [
        (cast.ada.key, "administration")
    ]


def test_lifting_asks_says_that_it_restores_nothing_and_restores_nothing(cast, ruth):
    exclude(ruth, cast, cast.ada)
    lift = at("exclusion_lift", cast.north.public_id, cast.north.exclusions.get().key)
    assert "restores nothing" in ruth.get(lift).content.decode()
    assert cast.north.exclusions.exists()
    ruth.post(lift)
    assert not cast.north.exclusions.exists()
    assert not Patient.objects.accessible_to(cast.nora.user).contains(cast.ada)
    assert AuditRow.objects.filter(
        action="patient_group.exclusion_lifted", patient=cast.ada.key
    ).exists()
    cast.north.add(cast.ada)
    assert Patient.objects.accessible_to(cast.nora.user).contains(cast.ada)


def test_a_long_list_has_more_pages(cast, ruth, monkeypatch):
    monkeypatch.setattr(exclusions, "ROWS", 2)
    for number in range(5):
        patient = make_patient("Eve", f"Sample{number}", cast.ada.birth_date)
        PatientGroupExclusion(
            patient_group=cast.north, patient=patient, reason="x"
        ).save()
    address, names = at("exclusions", cast.north.public_id), []
    while address:
        text = ruth.get(address).content.decode()
        names += [n for n in range(5) if f"Sample{n}<" in text.replace("\n", "<")]
        cursor = text.partition("?after=")[2][:32]
        address = cursor and f"{at('exclusions', cast.north.public_id)}?after={cursor}"
    assert sorted(names) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("reason", ["", " ", "\x00", "x" * 256, "\u202e"])
def test_a_reason_that_cannot_be_kept_is_refused(cast, ruth, reason):
    response = exclude(ruth, cast, cast.ada, reason=reason)
    assert response.status_code == 200
    assert "Nothing was saved yet" in response.content.decode()
    assert "Ada Alvarez" in response.content.decode(), "the choice stays"
    assert not cast.north.exclusions.exists()
    assert cast.north.memberships.in_force().exists()


def test_nobody_is_excluded_twice(cast, ruth):
    exclude(ruth, cast, cast.ada)
    response = exclude(ruth, cast, cast.ada)
    assert "excluded already" in response.content.decode()
    assert cast.north.exclusions.count() == 1


def test_a_forged_choice_excludes_nobody(cast, ruth):
    foreign = handles.seal(cast.nora.user, cast.ada, handles.PICK)
    nameless = handles.seal(cast.ruth.user, cast.ada, handles.UNREACHABLE)
    for each in ("", "\x00", cast.ada.key, foreign, nameless):
        response = exclude(ruth, cast, cast.ada, patient=each)
        assert "Choose a patient" in response.content.decode()
        assert "Alvarez" not in response.content.decode()
    assert not cast.north.exclusions.exists()


def test_another_groups_exclusion_is_not_found(cast, ruth):
    exclude(ruth, cast, cast.ada)
    key = cast.north.exclusions.get().key
    lift = at("exclusion_lift", cast.south.public_id, key)
    assert ruth.post(lift).status_code == 404
    assert cast.north.exclusions.exists()


def test_one_exclusion_is_in_nobody_elses_way(cast, ruth):
    for patient in (cast.ada, cast.ben):
        assert exclude(ruth, cast, patient).status_code == 302
    assert cast.north.exclusions.count() == 2
