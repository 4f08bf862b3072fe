"""The object permissions, carried by django-guardian. Nothing else calls guardian.

One row gives a patient group's auth group `access_patients` on the patient group; the
patients follow by membership. The codename is in no auth group's model permissions, so
guardian's shortcuts cannot mistake one kind for the other (reference/security.md 0.1).
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db.models import F, QuerySet
from guardian.shortcuts import assign_perm, remove_perm

from canvas_admin.records.lookups import Slot

if TYPE_CHECKING:
    from patients.models.groups import PatientGroup

CODENAME = "access_patients"


def give(patient_group: "PatientGroup") -> None:
    """Let the holders of the patient group's auth group access its patients."""
    assign_perm(CODENAME, patient_group.auth_group, patient_group)


def withdraw(patient_group: "PatientGroup") -> None:
    """Stop that access at once; the holders keep the auth group, which opens nothing."""
    remove_perm(CODENAME, patient_group.auth_group, patient_group)


def withdraw_all(auth_group: Group) -> None:
    """Take every object permission of an auth group away."""
    _access_rows().filter(group=auth_group).delete()


def opened_by(auth_groups: Collection[int] | Slot) -> "QuerySet[PatientGroup]":
    """The permission patient groups whose own auth group is among these primary keys.

    Grant, switch and auth group must agree; any disagreement opens nothing. A slot for
    the keys is taken too.
    """
    permission = Permission.objects.filter(
        codename=CODENAME,
        content_type__app_label="patients",
        content_type__model="patientgroup",
    ).order_by()
    return apps.get_model("patients", "PatientGroup").objects.filter(
        auth_group__among=auth_groups,
        use_for_permissions=True,
        retired__isnull=True,
        patientgroupaccess__group=F("auth_group"),
        patientgroupaccess__permission=permission.values("pk")[:1],
    )


def _access_rows() -> QuerySet:
    return apps.get_model("patients", "PatientGroupAccess").objects.all()
