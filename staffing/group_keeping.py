"""Keeping the managed auth groups what staffing.groups declares, and closed to change.

A group is found by the primary key stored when it was made, so a renamed row is repaired
and never confused with another (DESIGN section 5).
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db import transaction

from staffing.groups import MANAGED_GROUPS, ManagedGroup, is_managed_name

logger = logging.getLogger("canvas_admin.staffing")

_changing: ContextVar[bool] = ContextVar("changing_auth_groups", default=False)


class GroupIsManaged(PermissionDenied):
    """Somebody tried to change an auth group by hand."""


@contextmanager
def changing_auth_groups() -> Iterator[None]:
    """The only door through which auth groups change: the sync and patient groups."""
    token = _changing.set(True)
    try:
        yield
    finally:
        _changing.reset(token)


def _refuse(what: str, name: str) -> None:
    if not _changing.get():
        raise GroupIsManaged(
            f"The auth group “{name}” cannot be {what}: auth groups are managed. "
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


def sync_after_migrate(app_config: AppConfig, using: str, **kwargs: Any) -> None:
    """Receiver: syncs once all apps have made their permissions."""
    signalled = [config for config in apps.get_app_configs() if config.models_module]
    if app_config is signalled[-1]:
        sync_managed_groups()


def sync_managed_groups() -> list[str]:
    """Make the database's managed groups what this file declares.

    Returns a sentence per repair. Raises LookupError for a permission that no model has,
    so that a misspelt name stops the migration instead of granting nothing.
    """
    with transaction.atomic(), changing_auth_groups():
        permissions = _permissions_by_name()
        repairs = _set_intruders_aside()
        for declared in MANAGED_GROUPS:
            repairs += _sync(declared, permissions)
        repairs += _strip_the_others()
    for sentence in repairs:
        logger.warning(sentence)
    return repairs


def _permissions_by_name() -> dict[str, Permission]:
    declared = {name for group in MANAGED_GROUPS for name in group.permissions}
    found = {
        f"{p.content_type.app_label}.{p.codename}": p
        for p in Permission.objects.select_related("content_type")
    }
    if missing := declared - found.keys():
        raise LookupError(f"no model has the permissions {sorted(missing)}")
    return found


def _sync(declared: ManagedGroup, permissions: dict[str, Permission]) -> list[str]:
    link_model = apps.get_model("staffing", "ManagedGroupLink")
    link = link_model.objects.select_related("group").filter(code=declared.code).first()
    repairs = []
    if link is None:
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
