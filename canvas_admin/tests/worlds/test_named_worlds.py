"""Worlds with a name: the traps of object permissions, each with what must come of it.

The first are those of guardian (a filter and a check that disagree, rows that outlive
what they were for); then come the edges of our own rule.
"""

from datetime import date, timedelta

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError
from guardian.models import GroupObjectPermission, UserObjectPermission
from guardian.shortcuts import assign_perm, get_objects_for_user

from canvas_admin.records import clock
from canvas_admin.testing import give, make_group, make_patient, make_staff
from canvas_admin.tests.worlds.building import TICK, at
from patients import access, areas, grants
from patients.decisions import decide
from patients.models import (
    Condition,
    Patient,
    PatientGroup,
    PatientGroupAccess,
    PatientGroupExclusion,
    PatientGroupMember,
)
from staffing.group_keeping import changing_auth_groups, changing_holders
from staffing.groups import managed_group
from staffing.models import Staff, User
from staffing.standing import Standing


def reach_of(user, *patients):
    """Which of these patients every spelling lets the account reach; they must agree."""
    reached = set(Patient.objects.accessible_to(user).values_list("pk", flat=True))
    for patient in Patient.objects.filter(conditions__isnull=True):
        Condition.objects.create(patient=patient, system="s", code="c", display="d")
    paths = dict(access.paths_to(user, patients))
    for patient in patients:
        inside = patient.pk in reached
        assert decide(user, "access", patient).allowed == inside
        assert user.has_perm("patients.access_patient", patient) == inside
        assert bool(paths[patient.key]) == inside
    rows = Condition.objects.visible_to(user)
    assert set(rows.values_list("patient", flat=True)) == reached
    return {patient for patient in patients if patient.pk in reached}


def again(user):
    """The account as the next request reads it."""
    return User.objects.select_related("staff").get(pk=user.pk)


def add_row(model, **fields):
    """A row that no save() of ours sees."""
    return model.objects.bulk_create([model(**fields)])[0]


# guardian's traps -------------------------------------------------------------------


def test_clinical_read_lets_guardians_default_return_everyone_and_ours_one(cast):
    everyone = get_objects_for_user(cast.nora.user, "patients.view_patient")
    assert everyone.count() == 3  # the trap: a model permission read as "all objects"
    assert reach_of(cast.nora.user, cast.ada, cast.ben, cast.cyn) == {cast.ada}


def test_an_inactive_account_with_a_grant_reaches_nobody(cast):
    User.objects.filter(pk=cast.nora.user.pk).update(is_active=False)
    user = again(cast.nora.user)
    assert reach_of(user, cast.ada, cast.ben) == set()
    assert not user.get_all_permissions()
    assert not user.has_perms(areas.OPEN_CHART)


def test_inactive_staff_with_an_active_account_reach_nobody(cast):
    Staff.objects.filter(pk=cast.nora.pk).update(active=False)
    user = again(cast.nora.user)
    assert user.is_active
    assert reach_of(user, cast.ada) == set()
    assert not user.get_all_permissions()
    assert not user.get_group_permissions()
    assert not user.has_module_perms("patients")


@pytest.mark.parametrize(
    ("active", "staff_active", "reaches"),
    [
        (True, None, True),
        (True, True, True),
        (True, False, False),
        (False, None, False),
        (False, True, False),
        (False, False, False),
    ],
)
def test_a_superuser_has_one_meaning_everywhere(cast, active, staff_active, reaches):
    root = User.objects.create_superuser("root", password="a long enough word")
    User.objects.filter(pk=root.pk).update(is_active=active)
    if staff_active is not None:
        add_row(Staff, user=root, first_name="R", last_name="T", active=staff_active)
    user = again(root)
    everyone = {cast.ada, cast.ben, cast.cyn}
    assert reach_of(user, *everyone) == (everyone if reaches else set())
    assert user.has_perm("patients.view_condition") == reaches
    assert decide(user, "chart", cast.ada).allowed == reaches


def test_an_account_without_a_staff_member_holds_nothing(cast):
    user = User.objects.create_user("ghost")
    with changing_holders():
        user.groups.add(managed_group("all-patients"), cast.north.auth_group)
    assert reach_of(again(user), cast.ada, cast.cyn) == set()


def test_stray_generic_rows_of_guardian_mean_nothing(cast):
    for target in (cast.ben, cast.south):
        content_type = ContentType.objects.get_for_model(target)
        for permission in Permission.objects.filter(content_type=content_type):
            stray = {
                "permission": permission,
                "object_pk": str(target.pk),
                "content_type": content_type,
            }
            add_row(UserObjectPermission, user=cast.nora.user, **stray)
            add_row(GroupObjectPermission, group=cast.north.auth_group, **stray)
    assert reach_of(cast.nora.user, cast.ada, cast.ben) == {cast.ada}


@pytest.mark.parametrize("code", ["clinical-read", "all-patients"])
def test_a_grant_to_a_managed_group_opens_no_patient_group(cast, code):
    assign_perm(grants.CODENAME, managed_group(code), cast.south)
    assert reach_of(cast.nora.user, cast.ada, cast.ben) == {cast.ada}


def test_a_grant_to_another_patient_groups_auth_group_opens_nothing(cast):
    assign_perm(grants.CODENAME, cast.north.auth_group, cast.south)
    assert reach_of(cast.nora.user, cast.ada, cast.ben) == {cast.ada}


@pytest.mark.parametrize("code", ["clinical-read", None])
def test_access_patients_as_a_model_permission_opens_nobody(cast, code):
    group = managed_group(code) if code else cast.north.auth_group
    through = Group.permissions.through
    permission = Permission.objects.get(codename=grants.CODENAME)
    add_row(through, group=group, permission=permission)
    user = again(cast.nora.user)
    assert reach_of(user, cast.ada, cast.ben, cast.cyn) == {cast.ada}
    assert not user.has_perm("patients.access_patient")


def test_no_auth_group_holds_the_object_permission_as_a_model_permission(cast):
    carried = Group.objects.filter(permissions__codename__startswith="access_patient")
    assert not carried.exists()


def test_a_row_of_guardian_left_while_the_switch_is_off_opens_nothing(cast):
    PatientGroup.objects.filter(pk=cast.north.pk).update(use_for_permissions=False)
    assert PatientGroupAccess.objects.filter(content_object=cast.north).exists()
    assert reach_of(cast.nora.user, cast.ada) == set()


def test_the_switch_without_a_row_of_guardian_opens_nothing(cast):
    PatientGroupAccess.objects.filter(content_object=cast.north).delete()
    assert reach_of(cast.nora.user, cast.ada) == set()


def test_a_kept_account_loses_reach_at_once_and_rights_when_read_again(cast):
    kept = cast.nora.user
    assert kept.has_perms(areas.OPEN_CHART)
    with changing_holders():
        kept.groups.clear()
    assert reach_of(kept, cast.ada) == set()
    assert not decide(kept, "chart", cast.ada).allowed
    assert not decide(kept, "patients.view_condition").allowed
    assert not again(kept).has_perms(areas.OPEN_CHART)


# The switch, retirement, ids ----------------------------------------------------------


def test_what_was_held_while_the_switch_was_off_opens_when_it_is_on_again(cast):
    cast.north.use_for_permissions = False
    cast.north.save()
    assert reach_of(cast.nora.user, cast.ada) == set()
    give(cast.olga, "Patients: North")
    assert reach_of(cast.olga.user, cast.ada) == set()
    cast.north.use_for_permissions = True
    cast.north.save()
    assert reach_of(cast.nora.user, cast.ada) == {cast.ada}
    assert reach_of(cast.olga.user, cast.ada) == {cast.ada}


def test_a_retired_group_opens_nothing_and_leaves_no_row_of_guardian(cast):
    cast.north.retire()
    assert reach_of(cast.nora.user, cast.ada) == set()
    assert not PatientGroupAccess.objects.filter(content_object=cast.north).exists()
    assert not Group.objects.filter(name="Patients: North").exists()


def test_a_retired_group_opens_nothing_even_with_all_its_rows_left(cast):
    PatientGroup.objects.filter(pk=cast.north.pk).update(retired=clock.now())
    assert reach_of(cast.nora.user, cast.ada) == set()


def test_a_retired_group_cannot_be_used_for_permissions_again(cast):
    cast.north.retire()
    cast.north.use_for_permissions = True
    with pytest.raises(ValidationError):
        cast.north.save()
    assert reach_of(cast.nora.user, cast.ada) == set()


def test_an_older_copy_of_the_row_cannot_bring_a_retired_group_back(cast):
    for group in (cast.north, make_group("Plain", use_for_permissions=False)):
        older = PatientGroup.objects.get(pk=group.pk)
        group.retire()
        with pytest.raises(ValidationError):
            older.save()
        assert PatientGroup.objects.get(pk=group.pk).retired


def test_an_older_copy_of_the_row_does_not_lose_the_auth_group(cast):
    plain = make_group("Plain", [cast.cyn], use_for_permissions=False)
    older = PatientGroup.objects.get(pk=plain.pk)
    plain.use_for_permissions = True
    plain.save()
    give(cast.nil, "Patients: Plain")
    older.save()  # it says: not used for permissions
    assert reach_of(cast.nil.user, cast.cyn) == set()
    older.use_for_permissions = True
    older.save()
    assert reach_of(cast.nil.user, cast.cyn) == {cast.cyn}
    assert Group.objects.filter(name="Patients: Plain").count() == 1


def test_the_auth_group_is_named_as_the_patient_group_whatever_copy_is_saved(cast):
    older = PatientGroup.objects.select_related("auth_group").get(pk=cast.north.pk)
    cast.north.name = "Far North"
    cast.north.save()
    older.save()
    row = PatientGroup.objects.select_related("auth_group").get(pk=cast.north.pk)
    assert row.auth_group.name == f"Patients: {row.name}"


def test_an_older_copy_of_the_row_retires_the_auth_group_as_well(cast):
    plain = make_group("Plain", [cast.cyn], use_for_permissions=False)
    older = PatientGroup.objects.get(pk=plain.pk)
    plain.use_for_permissions = True
    plain.save()
    give(cast.nil, "Patients: Plain")
    older.retire()
    assert not Group.objects.filter(name="Patients: Plain").exists()
    assert reach_of(cast.nil.user, cast.cyn) == set()


def test_an_id_used_again_brings_nothing_of_the_old_one(cast):
    old = cast.north.auth_group.pk
    cast.north.retire()
    with changing_auth_groups():
        Group.objects.create(pk=old, name="Patients: Other")
    other = make_group("Plain", [cast.ben], use_for_permissions=False)
    PatientGroup.objects.filter(pk=other.pk).update(auth_group=old)
    other.refresh_from_db()
    other.use_for_permissions = True
    other.save()
    assert other.auth_group_id == old
    assert reach_of(cast.nora.user, cast.ada, cast.ben) == set()
    give(cast.nora, "Patients: Plain")
    assert reach_of(cast.nora.user, cast.ada, cast.ben) == {cast.ben}


def test_nothing_that_a_grant_rests_on_is_deleted(cast):
    """So that no row outlives what it was for, and no id is used again."""
    lone = make_group("Lone")
    stray = make_patient("Dee", "Duarte", date(1999, 1, 1))
    for row in (lone, stray, cast.ada, cast.north, cast.nora, cast.nora.user):
        with pytest.raises(ProtectedError):
            row.delete()
    for rows in (Patient.objects.filter(pk=cast.ada.pk), PatientGroup.objects.all()):
        with pytest.raises(ProtectedError):
            rows.delete()
    assert reach_of(cast.nora.user, cast.ada) == {cast.ada}


def test_a_new_group_of_the_same_name_is_a_new_group(cast):
    cast.north.retire()
    make_group("North", [cast.ben])
    assert reach_of(cast.nora.user, cast.ada, cast.ben) == set()


# The bounds of a membership -------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts", "ends", "inside"),
    [
        (-TICK, None, True),
        (0 * TICK, None, True),
        (TICK, None, False),
        (-TICK, TICK, True),
        (-TICK, 0 * TICK, False),
        (0 * TICK, TICK, True),
        (0 * TICK, 0 * TICK, False),
        (-2 * TICK, -TICK, False),
    ],
)
@pytest.mark.parametrize("micros", [0, 1, 999_999])
def test_a_membership_counts_from_its_start_and_no_longer_at_its_end(
    cast, starts, ends, inside, micros
):
    now = clock.now().replace(microsecond=micros)
    PatientGroupMember.objects.create(
        patient_group=cast.north,
        member=cast.cyn,
        start_date=now + starts,
        end_date=None if ends is None else now + ends,
    )
    with at(now):
        assert (cast.cyn in reach_of(cast.nora.user, cast.cyn)) == inside


def test_an_exclusion_outweighs_any_membership(cast):
    add_row(
        PatientGroupExclusion, patient_group=cast.north, patient=cast.ada, reason="r"
    )
    assert reach_of(cast.nora.user, cast.ada) == set()


def test_excluding_ends_the_memberships_to_come_as_well(cast):
    PatientGroupMember.objects.create(
        patient_group=cast.north,
        member=cast.cyn,
        start_date=clock.now() + timedelta(days=3),
    )
    exclusion = PatientGroupExclusion(
        patient_group=cast.north, patient=cast.cyn, reason="moved"
    )
    exclusion.save()
    exclusion.delete()
    with at(clock.now() + timedelta(days=4)):
        assert reach_of(cast.nora.user, cast.cyn) == set()


def test_adding_a_patient_opens_now_even_if_a_membership_was_to_come(cast):
    later = clock.now() + timedelta(days=3)
    PatientGroupMember.objects.create(
        patient_group=cast.north, member=cast.cyn, start_date=later
    )
    cast.north.add(cast.cyn)
    assert reach_of(cast.nora.user, cast.cyn) == {cast.cyn}
    open_rows = cast.north.memberships.filter(member=cast.cyn, end_date__isnull=True)
    assert open_rows.count() == 1


def test_ending_a_membership_that_ended_changes_no_history(cast):
    now = clock.now()
    ended = PatientGroupMember.objects.create(
        patient_group=cast.north,
        member=cast.cyn,
        start_date=now - timedelta(days=3),
        end_date=now - timedelta(days=2),
    )
    ended.end()
    ended.refresh_from_db()
    assert ended.end_date == now - timedelta(days=2)


# What is asked about must be an account ---------------------------------------------------


def test_a_staff_member_is_not_an_account(cast):
    """Their ids overlap: asked by a wrong object, the rule would answer for a stranger."""
    outsider = make_staff("outsider")
    with pytest.raises(TypeError):
        Standing.of(outsider)
    with pytest.raises(TypeError):
        Patient.objects.accessible_to(outsider)


def test_an_account_that_is_gone_reaches_nobody(cast):
    user = User.objects.create_superuser("gone", password="a long enough word")
    gone = again(user)
    user.delete()
    assert not Patient.objects.accessible_to(gone).exists()
    assert not decide(gone, "access", cast.ada).allowed


def test_asking_without_waiting_gives_the_same_answer(cast):
    Staff.objects.filter(pk=cast.nora.pk).update(active=False)
    root = User.objects.create_superuser("root", password="a long enough word")
    add_row(Staff, user=root, first_name="R", last_name="T", active=False)
    for account in (cast.nora.user, root):
        user = again(account)
        assert not async_to_sync(user.ahas_perm)("patients.view_patient")
        assert not async_to_sync(user.ahas_perms)(areas.OPEN_CHART)
        assert not async_to_sync(user.ahas_module_perms)("patients")
