"""Patients whom nobody can open: equal to what decide() says of every account."""

import random
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Group

from canvas_admin.records import clock
from canvas_admin.testing import give, make_group, make_patient, make_staff
from patients.decisions import decide
from patients.models import Patient, PatientGroupExclusion, PatientGroupMember
from patients.unreachable import groups_that_open, unreachable
from staffing.group_keeping import changing_holders
from staffing.models import User

SEEDS = range(40)


def by_decisions():
    """The slow spelling: ask decide() about every account and patient."""
    accounts = list(User.objects.filter(is_superuser=False))
    return {
        patient.pk
        for patient in Patient.objects.all()
        if not any(decide(user, "profile", patient).allowed for user in accounts)
    }


def found():
    return set(unreachable().values_list("pk", flat=True))


def test_a_patient_without_a_group_is_found(cast):
    cast.max.active = False
    cast.max.save()
    assert found() == {cast.cyn.pk} == by_decisions()


def test_all_patients_with_profile_read_opens_everyone(cast):
    give(cast.max, "Profile read")
    assert found() == set() == by_decisions()


def test_reach_without_the_permission_to_view_opens_nobody(cast):
    """max has All Patients, but no group with "Can view patient"."""
    assert not cast.max.user.has_perm("patients.view_patient")
    assert found() == {cast.cyn.pk}


def test_a_superuser_does_not_count(cast):
    root = User.objects.create_superuser("root", password="long enough for a test")
    with changing_holders():
        root.groups.add(*Group.objects.filter(managed__isnull=False))
    assert found() == {cast.cyn.pk} == by_decisions()


def test_an_inactive_holder_does_not_count(cast):
    cast.nora.active = False
    cast.nora.save()
    assert found() == {cast.ada.pk, cast.cyn.pk} == by_decisions()


def test_it_takes_two_queries(cast, django_assert_num_queries):
    with django_assert_num_queries(2):
        list(unreachable())


def test_only_groups_that_open_their_patients_are_offered(cast):
    make_group("Held by nobody")
    make_group("Not for permissions", use_for_permissions=False)
    held = make_group("Held without a right to view")
    give(cast.nil, f"Patients: {held.name}")
    assert list(groups_that_open()) == [cast.north, cast.south]


@pytest.mark.parametrize("seed", SEEDS)
def test_it_equals_the_decisions_in_random_worlds(db, seed):
    make_world(random.Random(seed))
    assert found() == by_decisions()


def make_world(chance):
    """A few staff, patients and groups, with every state that the rule knows."""
    now = clock.now()
    patients = [make_patient(f"P{n}", "World", date(1990, 1, 1)) for n in range(6)]
    groups = [make_group(f"Group {n}") for n in range(3)]
    for group in groups:
        for patient in chance.sample(patients, 3):
            start = now + timedelta(days=chance.choice([-9, -5, 5]))
            end = chance.choice([None, None, start + timedelta(days=7)])
            PatientGroupMember.objects.create(
                patient_group=group, member=patient, start_date=start, end_date=end
            )
        if chance.random() < 0.3:
            PatientGroupExclusion.objects.create(
                patient_group=group, patient=chance.choice(patients), reason="x"
            )
    for number in range(4):
        held = [f"Patients: {g.name}" for g in groups if chance.random() < 0.4]
        if chance.random() < 0.15:
            held.append("All Patients")
        if chance.random() < 0.7:
            held.append(chance.choice(["Clinical read", "Profile read"]))
        staff = make_staff(f"staff{number}", *held)
        if chance.random() < 0.2:
            staff.active = False
            staff.save()
    for group in groups:
        if chance.random() < 0.2:
            group.use_for_permissions = False
            group.save()
