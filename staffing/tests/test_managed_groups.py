"""The managed auth groups: declared once, refused to every change, repaired at sync.

S2: "Auth groups for model permissions are managed by Canvas. They cannot be altered."
"""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import ProtectedError

from canvas_admin.testing import make_group, make_staff
from staffing import group_keeping, groups
from staffing.group_keeping import (
    GroupIsManaged,
    changing_auth_groups,
    sync_after_migrate,
    sync_managed_groups,
)
from staffing.groups import (
    AREA_CODES,
    BY_NAME,
    MANAGED_GROUPS,
    Kind,
    ManagedGroup,
    managed_group,
)
from staffing.models import ManagedGroupLink, User

pytestmark = pytest.mark.django_db

TWELVE = {
    "Schedule write",
    "Profile read",
    "Profile write",
    "Clinical read",
    "Clinical write",
    "Revenue access",
    "Patient create",
    "Document read",
    "Document write",
    "Data integration access",
    "Printing access",
    "Tasking access",
}


def carried(group):
    """The permissions of an auth group, by name."""
    return {
        f"{app}.{codename}"
        for app, codename in group.permissions.values_list(
            "content_type__app_label", "codename"
        )
    }


@pytest.fixture
def clinical_read():
    return managed_group("clinical-read")


@pytest.fixture
def view_patient():
    return Permission.objects.get(codename="view_patient")


# As declared ---------------------------------------------------------------------------


def test_the_twelve_are_those_of_the_document():
    declared = {group.name for group in MANAGED_GROUPS if group.code in AREA_CODES}
    assert declared == TWELVE


def test_after_migrate_the_database_holds_exactly_what_is_declared():
    assert set(Group.objects.values_list("name", flat=True)) == set(BY_NAME)
    for declared in MANAGED_GROUPS:
        assert carried(managed_group(declared.code)) == set(declared.permissions)


def test_administration_groups_open_no_patient_and_areas_no_administration():
    for declared in MANAGED_GROUPS:
        if declared.kind is Kind.AREA:
            assert groups.ADMINISTER not in declared.permissions
            assert groups.FIND in declared.permissions
        else:
            assert groups.VIEW_PATIENT not in declared.permissions
            assert groups.FIND not in declared.permissions
    assert BY_NAME["All Patients"].permissions == ()


# Refused -------------------------------------------------------------------------------


def _rename(group, permission):
    group.name = "Mine"
    group.save()


def _save_unchanged(group, permission):
    group.save()


def _create(group, permission):
    Group.objects.create(name="Mine")


def _get_or_create(group, permission):
    Group.objects.get_or_create(name="Mine")


def _update_or_create(group, permission):
    Group.objects.update_or_create(name=group.name, defaults={"name": "Mine"})


def _save_new(group, permission):
    Group(name="Mine").save()


def _create_for_a_user(group, permission):
    make_staff("somebody").user.groups.create(name="Mine")


def _delete(group, permission):
    group.delete()


def _delete_by_query(group, permission):
    Group.objects.filter(pk=group.pk).delete()


def _delete_for_a_user(group, permission):
    make_staff("somebody", group.name).user.groups.all().delete()


def _add(group, permission):
    group.permissions.add(Permission.objects.get(codename="delete_patient"))


def _create_permission(group, permission):
    content_type = ContentType.objects.get_for_model(User)
    group.permissions.create(name="x", codename="x", content_type=content_type)


def _remove(group, permission):
    group.permissions.remove(permission)


def _set(group, permission):
    group.permissions.set([])


def _clear(group, permission):
    group.permissions.clear()


def _add_from_the_other_side(group, permission):
    Permission.objects.get(codename="delete_patient").group_set.add(group)


def _remove_from_the_other_side(group, permission):
    permission.group_set.remove(group)


def _set_from_the_other_side(group, permission):
    permission.group_set.set([])


def _clear_from_the_other_side(group, permission):
    permission.group_set.clear()


def _create_row_of_the_table_between(group, permission):
    other = Permission.objects.get(codename="delete_patient")
    Group.permissions.through.objects.create(group=group, permission=other)


def _delete_row_of_the_table_between(group, permission):
    Group.permissions.through.objects.get(group=group, permission=permission).delete()


def _delete_permission(group, permission):
    permission.delete()


def _delete_permission_by_query(group, permission):
    Permission.objects.filter(pk=permission.pk).delete()


def _delete_object_permission(group, permission):
    """No managed group holds it; every patient group's auth group does, by guardian."""
    Permission.objects.get(codename="access_patients").delete()


def _delete_content_type(group, permission):
    permission.content_type.delete()


def _delete_tie(group, permission):
    group.managed.delete()


def _delete_ties_by_query(group, permission):
    ManagedGroupLink.objects.all().delete()


def _tie_to_another_group(group, permission):
    other = Group.objects.bulk_create([Group(name="Other")])[0]
    ManagedGroupLink.objects.update_or_create(
        code="clinical-read", defaults={"group": other}
    )


@pytest.mark.parametrize(
    "attempt",
    [
        _rename,
        _save_unchanged,
        _create,
        _get_or_create,
        _update_or_create,
        _save_new,
        _create_for_a_user,
        _add,
        _create_permission,
        _remove,
        _set,
        _clear,
        _add_from_the_other_side,
        _remove_from_the_other_side,
        _set_from_the_other_side,
        _clear_from_the_other_side,
        _create_row_of_the_table_between,
        _delete_row_of_the_table_between,
        _delete_permission,
        _delete_permission_by_query,
        _delete_object_permission,
        _delete_content_type,
        _delete_tie,
        _delete_ties_by_query,
        _tie_to_another_group,
    ],
    ids=lambda attempt: attempt.__name__.strip("_"),
)
def test_every_change_by_hand_is_refused(attempt, clinical_read, view_patient):
    with pytest.raises(GroupIsManaged, match="auth groups are managed"):
        with transaction.atomic():
            attempt(clinical_read, view_patient)
    assert set(Group.objects.values_list("name", flat=True)) == set(BY_NAME)
    assert sync_managed_groups() == []


@pytest.mark.parametrize("attempt", [_delete, _delete_by_query, _delete_for_a_user])
def test_a_managed_group_is_not_deleted(attempt, clinical_read, view_patient):
    """The row that ties it to its declaration holds it, before our guard is asked."""
    with pytest.raises(ProtectedError, match="ManagedGroupLink"):
        attempt(clinical_read, view_patient)
    assert managed_group("clinical-read") == clinical_read


@pytest.mark.parametrize("attempt", [_delete, _delete_by_query])
def test_no_other_auth_group_is_deleted_by_hand_either(attempt, view_patient):
    other = Group.objects.bulk_create([Group(name="Other")])[0]
    with pytest.raises(PermissionDenied, match="“Other” cannot be deleted"):
        with transaction.atomic():
            attempt(other, view_patient)
    assert Group.objects.filter(pk=other.pk).exists()


@pytest.mark.parametrize("attempt", [_rename, _add])
def test_a_patient_groups_auth_group_is_refused_just_so(attempt, view_patient):
    with pytest.raises(GroupIsManaged):
        attempt(make_group("North").auth_group, view_patient)


def test_a_patient_groups_auth_group_is_not_deleted_by_hand(view_patient):
    with pytest.raises(ProtectedError, match="auth_group"):
        _delete(make_group("North").auth_group, view_patient)


def test_a_permission_of_a_model_that_is_gone_may_be_deleted():
    """As remove_stale_contenttypes does, which an upgrade may need."""
    gone = ContentType.objects.create(app_label="patients", model="gone")
    Permission.objects.create(name="x", codename="view_gone", content_type=gone)
    gone.delete()
    assert not Permission.objects.filter(codename="view_gone").exists()


def test_the_door_is_shut_again_behind_an_error(clinical_read):
    with pytest.raises(ZeroDivisionError), group_keeping.changing_auth_groups():
        raise ZeroDivisionError
    with pytest.raises(GroupIsManaged):
        clinical_read.save()


# Repaired ------------------------------------------------------------------------------


def test_sync_changes_nothing_when_nothing_has_drifted():
    before = list(Group.objects.order_by("pk").values_list("pk", "name"))
    assert sync_managed_groups() == []
    assert list(Group.objects.order_by("pk").values_list("pk", "name")) == before


def test_a_group_renamed_in_the_database_is_found_by_its_key_and_named_again(
    clinical_read,
):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE auth_group SET name = 'Odd' WHERE id = %s", [clinical_read.pk]
        )
    assert managed_group("clinical-read").pk == clinical_read.pk
    assert len(sync_managed_groups()) == 1
    clinical_read.refresh_from_db()
    assert clinical_read.name == "Clinical read"
    assert sync_managed_groups() == []


def test_groups_whose_names_were_swapped_get_their_own_again(clinical_read):
    other = managed_group("audit-read")
    Group.objects.filter(pk=other.pk).update(name="between")
    Group.objects.filter(pk=clinical_read.pk).update(name="Audit read")
    Group.objects.filter(pk=other.pk).update(name="Clinical read")
    nora = make_staff("nora", "Clinical read").user
    assert nora.has_perm("patients.view_condition")
    assert sync_managed_groups()
    for code, name in (
        ("clinical-read", "Clinical read"),
        ("audit-read", "Audit read"),
    ):
        assert managed_group(code).name == name
    assert User.objects.get(pk=nora.pk).has_perm("patients.view_condition")
    assert sync_managed_groups() == []


def test_permissions_given_in_the_database_are_taken_away(clinical_read):
    extra = Permission.objects.get(codename="delete_patient")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO auth_group_permissions (group_id, permission_id) "
            "VALUES (%s, %s)",
            [clinical_read.pk, extra.pk],
        )
    nora = make_staff("nora", "Clinical read").user
    assert nora.has_perm("patients.delete_patient")
    assert len(sync_managed_groups()) == 1
    assert not User.objects.get(pk=nora.pk).has_perm("patients.delete_patient")


def test_permissions_taken_in_the_database_are_given_back(clinical_read):
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM auth_group_permissions WHERE group_id = %s", [clinical_read.pk]
        )
    sync_managed_groups()
    assert carried(clinical_read) == set(BY_NAME["Clinical read"].permissions)


def test_what_django_cannot_refuse_is_repaired(clinical_read, view_patient):
    """QuerySet.update, bulk_create and a query on a through table ask nobody."""
    through = Group.permissions.through
    Group.objects.filter(pk=clinical_read.pk).update(name="Odd")
    through.objects.filter(group=clinical_read).delete()
    intruder = Group.objects.bulk_create([Group(name="Clinical read")])[0]
    through.objects.bulk_create([through(group=intruder, permission=view_patient)])
    holder = make_staff("holder").user
    holder.staff.grant(intruder)
    assert sync_managed_groups()
    clinical_read.refresh_from_db()
    assert clinical_read.name == "Clinical read"
    assert carried(clinical_read) == set(BY_NAME["Clinical read"].permissions)
    intruder.refresh_from_db()
    assert intruder.name == f"Not managed {intruder.pk}: Clinical read"
    assert not User.objects.get(pk=holder.pk).get_all_permissions()
    assert sync_managed_groups() == []


def test_an_intruder_under_a_managed_name_in_other_case_is_set_aside():
    intruder = Group.objects.bulk_create([Group(name="ALL patients")])[0]
    assert sync_managed_groups()
    intruder.refresh_from_db()
    assert intruder.name.startswith("Not managed")


@pytest.mark.parametrize("names", [[], ["view_condition", "view_patient"]])
def test_no_group_but_a_managed_one_keeps_model_permissions(names):
    north = make_group("North").auth_group
    through = Group.permissions.through
    through.objects.bulk_create(
        through(group=north, permission=permission)
        for permission in Permission.objects.filter(codename__in=names)
    )
    nora = make_staff("nora", "Patients: North").user
    assert len(sync_managed_groups()) == bool(names)
    assert not User.objects.get(pk=nora.pk).get_all_permissions()


def lose_tie(code):
    """The row that ties a declaration to its group is gone, as after a bad restore."""
    with changing_auth_groups():
        ManagedGroupLink.objects.filter(code=code).delete()


@pytest.mark.parametrize("declared", MANAGED_GROUPS, ids=lambda group: group.code)
def test_a_lost_tie_is_made_again_and_the_holders_stay(declared):
    group = managed_group(declared.code)
    nora = make_staff("nora", declared.name).user
    lose_tie(declared.code)
    Group.permissions.through.objects.filter(group=group).delete()
    assert f"“{declared.name}” is tied" in sync_managed_groups()[0]
    assert managed_group(declared.code) == group
    assert carried(group) == set(declared.permissions)
    assert User.objects.get(pk=nora.pk).get_all_permissions() == carried(group)
    assert sync_managed_groups() == []


def test_with_a_lost_tie_a_name_in_other_case_is_set_aside_all_the_same(clinical_read):
    lose_tie("clinical-read")
    intruder = Group.objects.bulk_create([Group(name="CLINICAL read")])[0]
    sync_managed_groups()
    intruder.refresh_from_db()
    assert intruder.name.startswith("Not managed")
    assert managed_group("clinical-read") == clinical_read


def test_a_lost_tie_and_a_lost_name_make_a_new_group_that_nobody_holds(clinical_read):
    """Nobody gains: the old group carries nothing any more."""
    nora = make_staff("nora", "Clinical read").user
    lose_tie("clinical-read")
    Group.objects.filter(pk=clinical_read.pk).update(name="CLINICAL READ")
    sync_managed_groups()
    assert managed_group("clinical-read") != clinical_read
    assert not User.objects.get(pk=nora.pk).get_all_permissions()


def test_a_patient_groups_auth_group_never_becomes_a_managed_one(clinical_read):
    north = make_group("North").auth_group
    nora = make_staff("nora", "Patients: North").user
    lose_tie("clinical-read")
    Group.objects.filter(pk=clinical_read.pk).update(name="Odd")
    Group.objects.filter(pk=north.pk).update(name="Clinical read")
    sync_managed_groups()
    assert managed_group("clinical-read") != north
    assert not User.objects.get(pk=nora.pk).get_all_permissions()


def test_a_lost_tie_while_another_managed_group_has_the_name(clinical_read):
    other = managed_group("audit-read")
    lose_tie("clinical-read")
    Group.objects.filter(pk=clinical_read.pk).update(name="Odd")
    Group.objects.filter(pk=other.pk).update(name="Clinical read")
    sync_managed_groups()
    assert managed_group("audit-read") == other
    assert managed_group("clinical-read").name == "Clinical read"
    assert sync_managed_groups() == []


def test_migrate_repairs(clinical_read):
    Group.objects.filter(pk=clinical_read.pk).update(name="Odd")
    call_command("migrate", verbosity=0)
    clinical_read.refresh_from_db()
    assert clinical_read.name == "Clinical read"


def test_a_misspelt_permission_stops_the_sync(monkeypatch):
    misspelt = ManagedGroup("odd", "Odd", Kind.AREA, "", ("patients.view_patiend",))
    monkeypatch.setattr(group_keeping, "MANAGED_GROUPS", (*MANAGED_GROUPS, misspelt))
    with pytest.raises(LookupError, match=r"patients\.view_patiend"):
        sync_managed_groups()
    assert not Group.objects.filter(name="Odd").exists()


def forget_the_permissions_of_patients():
    """As in a database in which the tables of patients are not yet."""
    with changing_auth_groups():
        Permission.objects.filter(content_type__app_label="patients").delete()


def migrated_to(*targets):
    """What the migrations up to these make of the models, as post_migrate tells it."""
    loader = MigrationLoader(connection)
    nodes = [key for key in loader.graph.leaf_nodes() if key[0] in targets]
    return loader.project_state(nodes).apps


def after_migrate(**told):
    last = [config for config in apps.get_app_configs() if config.models_module][-1]
    sync_after_migrate(app_config=last, using="default", **told)


@pytest.mark.parametrize("app", ["contenttypes", "auth", "staffing"])
def test_a_migration_of_some_apps_leaves_the_sync_to_that_of_all(app):
    forget_the_permissions_of_patients()
    after_migrate(apps=migrated_to(app))


def test_once_all_is_migrated_a_permission_that_is_not_there_stops_the_sync():
    forget_the_permissions_of_patients()
    rooms = migrated_to("patients", "staffing", "tasks", "audit", "protocols")
    for told in ({}, {"apps": rooms}):
        with pytest.raises(LookupError, match=r"patients\.view_patient"):
            after_migrate(**told)


def test_a_misspelt_permission_stops_the_migration_of_all(monkeypatch):
    misspelt = ManagedGroup("odd", "Odd", Kind.AREA, "", ("patients.view_patiend",))
    monkeypatch.setattr(group_keeping, "MANAGED_GROUPS", (*MANAGED_GROUPS, misspelt))
    with pytest.raises(LookupError, match=r"patients\.view_patiend"):
        call_command("migrate", verbosity=0)


def test_every_declared_permission_belongs_to_a_model():
    existing = {
        f"{config.label}.{codename}"
        for config in apps.get_app_configs()
        for codename in Permission.objects.filter(
            content_type__app_label=config.label
        ).values_list("codename", flat=True)
    }
    declared = {name for group in MANAGED_GROUPS for name in group.permissions}
    assert declared <= existing
