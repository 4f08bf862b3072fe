"""Patients whom nobody can open (security A10), so that none is forgotten.

Somebody can open a patient when a live person's account, no superuser's, reaches the
patient and has the model permission to view patients. The rule of patients.access
decides: it is asked once, for all that these accounts hold together.
"""

from django.contrib.auth.models import Group
from django.db.models import QuerySet

from patients import access, grants
from patients.models import Patient, PatientGroup
from staffing.groups import ALL_PATIENTS, VIEW_PATIENT
from staffing.models import User
from staffing.standing import Standing


def unreachable() -> QuerySet[Patient]:
    """The patients whom nobody can open, the newest first; two queries in all."""
    viewers = _viewers_together()
    if viewers.everyone:
        return Patient.objects.none()
    left = Patient.objects.exclude(access.condition(viewers, "pk"))
    return left.order_by("-pk")


def groups_that_open() -> QuerySet[PatientGroup]:
    """The patient groups through which somebody can open their members, by name."""
    held = _viewers_together().auth_groups
    return grants.opened_by(held).order_by("name", "pk")


def _viewers_together() -> Standing:
    """What the live accounts that may view patients hold, as if they were one."""
    app_label, _dot, codename = VIEW_PATIENT.partition(".")
    carriers = Group.objects.filter(
        permissions__content_type__app_label=app_label, permissions__codename=codename
    )
    viewers = (
        User.objects.live().people().filter(is_superuser=False, groups__in=carriers)
    )
    held = dict(
        Group.objects.filter(user__in=viewers).values_list("pk", "managed__code")
    )
    return Standing(everyone=ALL_PATIENTS in held.values(), auth_groups=frozenset(held))
