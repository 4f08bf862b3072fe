"""Keeping the managed auth groups what staffing.groups declares, and closed to change.

A group is found by the primary key stored when it was made, so a renamed row is repaired
and never confused with another (DESIGN section 5). `QuerySet.update`, `bulk_create`,
`bulk_update` and a deletion by query in a table between two models send no signal: no
guard sees them. What they do to a managed group the next sync repairs, but not who holds it.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from django.apps import AppConfig, apps
from django.apps.registry import Apps
from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model

from staffing.groups import MANAGED_GROUPS, ManagedGroup, is_managed_name

logger = logging.getLogger("canvas_admin.staffing")

_changing: ContextVar[bool] = ContextVar("changing_auth_groups", default=False)
_changing_holders: ContextVar[bool] = ContextVar("changing_holders", default=False)


class GroupIsManaged(PermissionDenied):
    """Somebody tried to change an auth group, or who holds it, by hand."""


@contextmanager
def changing_auth_groups() -> Iterator[None]:
    """The only door through which auth groups change: the sync and patient groups."""
    token = _changing.set(True)
    try:
        yield
    finally:
        _changing.reset(token)


@contextmanager
def changing_holders() -> Iterator[None]:
    """The only door through which people get and lose auth groups: grant() and revoke()."""
    token = _changing_holders.set(True)
    try:
        yield
    finally:
        _changing_holders.reset(token)


def _refuse(what: str, name: str, kind: str = "auth group") -> None:
    if not _changing.get():
        raise GroupIsManaged(
            f"The {kind} “{name}” cannot be {what}: auth groups are managed. "
            "Patient groups make and rename theirs; everything else is fixed."
        )


def guard_save(instance: Group, raw: bool = False, **kwargs: Any) -> None:
    """Receiver: refuses to create or rename a group by hand."""
    if not raw:
        _refuse("created by hand" if instance.pk is None else "changed", instance.name)


def guard_delete(instance: Group, **kwargs: Any) -> None:
    """Receiver: refuses to delete a group by hand."""
    _refuse("deleted", instance.name)


def guard_permissions(instance: Any, action: str, **kwargs: Any) -> None:
    """Receiver: refuses to change what a group may do, from either side."""
    if action in ("pre_add", "pre_remove", "pre_clear"):
        _refuse("given other permissions", getattr(instance, "name", str(instance)))


def guard_rows(between: type[Model]) -> None:
    """Refuse save() and delete() of a single row of what groups may do.

    Django sends no signal for a table that it makes itself between two models.
    """

    def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def guard(row: Any, *args: Any, **kwargs: Any) -> Any:
            _refuse("given other permissions", row.group.name)
            return method(row, *args, **kwargs)

        return guard

    between.save = guarded(between.save)
    between.delete = guarded(between.delete)


def guard_permission(instance: Permission, **kwargs: Any) -> None:
    """Receiver: refuses to delete a permission, which would go from every group.

    One of a model that is gone may go: remove_stale_contenttypes clears those away.
    """
    if instance.content_type.model_class():
        _refuse("deleted", instance.codename, kind="permission")


def guard_link(instance: Any, raw: bool = False, **kwargs: Any) -> None:
    """Receiver: refuses to tie a declaration to another group, or to none."""
    if not raw:
        _refuse("tied to another declaration, or to none", instance.group.name)


def guard_holders(action: str, **kwargs: Any) -> None:
    """Receiver: refuses to give or take an auth group without checks and record.

    From either side; see Staff.grant() and Staff.revoke() (DESIGN section 5).
    """
    if action in ("pre_add", "pre_remove", "pre_clear") and not _changing_holders.get():
        raise GroupIsManaged(
            "Who holds an auth group is checked and recorded: use Staff.grant() or "
            "Staff.revoke()."
        )


def sync_after_migrate(app_config: AppConfig, apps: Apps = apps, **kwargs: Any) -> None:
    """Receiver: syncs once all apps have made their permissions.

    `apps` are the models as far as they are migrated. While those of a declared
    permission are not, the sync waits for the migration that makes them.
    """
    if app_config is _last_signalled() and not _to_come(apps):
        sync_managed_groups()


def _last_signalled() -> AppConfig:
    return [config for config in apps.get_app_configs() if config.models_module][-1]


def _to_come(migrated: Apps) -> set[str]:
    """The declared permissions that our models have and the migrated ones do not yet."""
    return _declared_names() & (_names_of_models(apps) - _names_of_models(migrated))


def _names_of_models(registry: Apps) -> set[str]:
    """The permissions of these models, by the names that Django gives them."""
    options = [model._meta for model in registry.get_models()]
    return {
        f"{meta.app_label}.{codename}"
        for meta in options
        for codename in (
            *(get_permission_codename(verb, meta) for verb in meta.default_permissions),
            *(codename for codename, _words in meta.permissions),
        )
    }


def _declared_names() -> set[str]:
    return {name for group in MANAGED_GROUPS for name in group.permissions}


def sync_managed_groups() -> list[str]:
    """Make the database's managed groups what this file declares.

    Returns a sentence per repair. Raises LookupError for a permission that no model has,
    so that a misspelt name stops the migration instead of granting nothing.
    """
    with transaction.atomic(), changing_auth_groups():
        permissions = _permissions_by_name()
        repairs = _tie_again()
        repairs += _set_intruders_aside()
        for declared in MANAGED_GROUPS:
            repairs += _sync(declared, permissions)
        repairs += _strip_the_others()
    for sentence in repairs:
        logger.warning(sentence)
    return repairs


def _permissions_by_name() -> dict[str, Permission]:
    found = {
        f"{p.content_type.app_label}.{p.codename}": p
        for p in Permission.objects.select_related("content_type")
    }
    if missing := _declared_names() - found.keys():
        raise LookupError(f"no model has the permissions {sorted(missing)}")
    return found


def _sync(declared: ManagedGroup, permissions: dict[str, Permission]) -> list[str]:
    link_model = apps.get_model("staffing", "ManagedGroupLink")
    link = link_model.objects.select_related("group").filter(code=declared.code).first()
    repairs = []
    if link is None:
        repairs += _rename_away(Group.objects.filter(name=declared.name))
        group = Group.objects.create(name=declared.name)
        link_model.objects.create(code=declared.code, group=group)
    else:
        group = link.group
        if group.name != declared.name:
            repairs.append(f"“{group.name}” is named “{declared.name}” again")
            _rename_away(Group.objects.filter(name=declared.name))
            group.name = declared.name
            group.save()
    wanted = {permissions[name].pk for name in declared.permissions}
    held = set(group.permissions.values_list("pk", flat=True))
    if wanted != held:
        if link is not None:
            repairs.append(f"“{declared.name}” has its own permissions again")
        group.permissions.set(wanted)
    return repairs


def _tie_again() -> list[str]:
    """Tie each declaration whose row is lost to the group of exactly its name.

    Its holders keep it, so that nobody is locked out; what it may do is repaired after.
    A patient group's auth group is never taken for a managed one.
    """
    link_model = apps.get_model("staffing", "ManagedGroupLink")
    tied = set(link_model.objects.values_list("code", flat=True))
    free = Group.objects.filter(managed__isnull=True, patient_group__isnull=True)
    repairs = []
    for declared in MANAGED_GROUPS:
        group = free.filter(name=declared.name).first()
        if group and declared.code not in tied:
            link_model.objects.create(code=declared.code, group=group)
            repairs.append(f"“{declared.name}” is tied to its declaration again")
    return repairs


def _set_intruders_aside() -> list[str]:
    """Rename unmanaged groups that have taken a managed name, in any case."""
    others = Group.objects.filter(managed__isnull=True)
    return _rename_away(group for group in others if is_managed_name(group.name))


def _rename_away(taken: Iterable[Group]) -> list[str]:
    """Free the names of these groups; a managed one among them gets its own later."""
    repairs = []
    for group in taken:
        repairs.append(f"an auth group had taken the name “{group.name}”")
        group.name = f"Not managed {group.pk}: {group.name}"[:150]
        group.save()
    return repairs


def _strip_the_others() -> list[str]:
    """Take model permissions from every other group: only managed ones hold any."""
    others = Group.objects.filter(managed__isnull=True, permissions__isnull=False)
    repairs = []
    for group in others.distinct().order_by("pk"):
        repairs.append(f"“{group.name}” has no model permissions any more")
        group.permissions.clear()
    return repairs
