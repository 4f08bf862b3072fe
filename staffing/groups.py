"""The managed auth groups: declared once here, kept so in the database, closed to change.

The first twelve are S2's list ("We provide the following auth groups"), which "cannot be
altered"; the others are DESIGN section 5's. A group is found by the primary key stored
when it was made, so a renamed row is repaired and never confused with another.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext_lazy as _

logger = logging.getLogger("canvas_admin.staffing")


class Kind(StrEnum):
    """What a managed group is for."""

    AREA = "area"
    EVERYONE = "everyone"
    ADMINISTRATION = "administration"


@dataclass(frozen=True)
class ManagedGroup:
    """One managed group: its permissions are "app_label.codename" names."""

    code: str
    name: str
    kind: Kind
    meaning: Any
    permissions: tuple[str, ...]


FIND = "patients.find_patient"
VIEW_PATIENT = "patients.view_patient"
ADMINISTER = "staffing.open_administration"

ALL_PATIENTS = "all-patients"
STAFF_PERMISSIONS = "staff-permissions"


def _model(app: str, model: str, *verbs: str) -> tuple[str, ...]:
    """The permission names of these verbs on a model."""
    return tuple(f"{app}.{verb}_{model}" for verb in verbs)


_PROFILE_DATA = (
    "patientname",
    "patientidentifier",
    "patientaddress",
    "patientcontactpoint",
    "careteammembership",
)

MANAGED_GROUPS = (
    ManagedGroup(
        "schedule-write",
        "Schedule write",
        Kind.AREA,
        _("Books new appointments and changes the status of appointments."),
        (FIND,),
    ),
    ManagedGroup(
        "profile-read",
        "Profile read",
        Kind.AREA,
        _("Reads the patient profile: demographics, addresses and the like."),
        (FIND, VIEW_PATIENT),
    ),
    ManagedGroup(
        "profile-write",
        "Profile write",
        Kind.AREA,
        _("Changes the patient profile and runs eligibility checks."),
        (
            FIND,
            "patients.change_patient",
            *(p for m in _PROFILE_DATA for p in _model("patients", m, "add", "change")),
        ),
    ),
    ManagedGroup(
        "clinical-read",
        "Clinical read",
        Kind.AREA,
        _("Reads clinical data, in the chart and in the panels."),
        (FIND, VIEW_PATIENT, "patients.view_condition"),
    ),
    ManagedGroup(
        "clinical-write",
        "Clinical write",
        Kind.AREA,
        _(
            "Writes clinical data, reviews results and changes the status of "
            "appointments."
        ),
        (FIND, *_model("patients", "condition", "add", "change")),
    ),
    ManagedGroup(
        "revenue-access",
        "Revenue access",
        Kind.AREA,
        _("Works with claims and with revenue data on the profile."),
        (FIND,),
    ),
    ManagedGroup(
        "patient-create",
        "Patient create",
        Kind.AREA,
        _("Creates new patients, and reads the profile."),
        (FIND, VIEW_PATIENT, "patients.add_patient"),
    ),
    ManagedGroup(
        "document-read",
        "Document read",
        Kind.AREA,
        _("Reads patients' administrative documents."),
        (FIND,),
    ),
    ManagedGroup(
        "document-write",
        "Document write",
        Kind.AREA,
        _("Edits or removes patients' administrative documents."),
        (FIND,),
    ),
    ManagedGroup(
        "data-integration-access",
        "Data integration access",
        Kind.AREA,
        _(
            "Uploads files and works on incoming ones; linking a file to a patient "
            "needs Clinical write as well."
        ),
        (FIND,),
    ),
    ManagedGroup(
        "printing-access",
        "Printing access",
        Kind.AREA,
        _("Uses every link whose title has the word Print."),
        (FIND,),
    ),
    ManagedGroup(
        "tasking-access",
        "Tasking access",
        Kind.AREA,
        _("Sees and changes tasks."),
        (FIND,),
    ),
    ManagedGroup(
        ALL_PATIENTS,
        "All Patients",
        Kind.EVERYONE,
        _("Reaches every patient, now and later, whatever their patient groups."),
        (),
    ),
    ManagedGroup(
        STAFF_PERMISSIONS,
        "Staff Permissions",
        Kind.ADMINISTRATION,
        _(
            "Administers staff, roles, teams, care team roles and patient groups, and "
            "decides who may do what."
        ),
        (
            ADMINISTER,
            *_model("staffing", "user", "view", "change"),
            *_model("staffing", "staff", "view", "add", "change"),
            *_model("staffing", "staffpermissions", "view", "change"),
            *_model("staffing", "groupchange", "view"),
            *_model("staffing", "role", "view", "add", "change"),
            *_model("staffing", "team", "view", "add", "change", "delete"),
            *_model("staffing", "careteamrole", "view", "add", "change"),
            *_model("auth", "group", "view"),
            *_model("patients", "patientgroup", "view", "add", "change", "delete"),
            *_model("patients", "patientgroupmember", "view", "add", "change"),
            *_model("patients", "patientgroupexclusion", "view", "add", "delete"),
        ),
    ),
    ManagedGroup(
        "settings",
        "Settings",
        Kind.ADMINISTRATION,
        _("Keeps the clinic's lists: locations and visit types."),
        (
            ADMINISTER,
            *_model("staffing", "location", "view", "add", "change"),
            *_model("staffing", "visittype", "view", "add", "change"),
        ),
    ),
    ManagedGroup(
        "integrations",
        "Integrations",
        Kind.ADMINISTRATION,
        _("Administers the programs that are connected to the clinic."),
        (ADMINISTER,),
    ),
    ManagedGroup(
        "audit-read",
        "Audit read",
        Kind.ADMINISTRATION,
        _("Reads who saw and changed what."),
        (ADMINISTER, "audit.view_auditrow"),
    ),
)

BY_CODE = {declared.code: declared for declared in MANAGED_GROUPS}
BY_NAME = {declared.name: declared for declared in MANAGED_GROUPS}
AREA_CODES = frozenset(d.code for d in MANAGED_GROUPS if d.kind is Kind.AREA)


def is_managed_name(name: str) -> bool:
    """Whether a name is, but for its case, that of a managed group."""
    return name.casefold() in {managed.casefold() for managed in BY_NAME}


def managed_group(code: str) -> Group:
    """The database row of a managed group, found by the primary key stored at sync."""
    return Group.objects.get(managed__code=code)


def describe(group: Group) -> ManagedGroup | None:
    """The declaration of a managed group; None for a patient group's auth group."""
    link = getattr(group, "managed", None)
    return BY_CODE[link.code] if link else None


# Keeping them so -------------------------------------------------------------------

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
