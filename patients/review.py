"""Reviewing access: why somebody may or may not, and who may (reference/security.md P8).

Every answer is decide()'s; here are only the sentences around it, for people who do not
program.
"""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import Permission
from django.utils.translation import gettext as _

from patients import areas
from patients.decisions import ACCESS, Decision, decide
from patients.models import Patient, PatientGroupMember
from staffing.explanations import shown_date
from staffing.models import User
from staffing.standing import Standing


def actions() -> list[str]:
    """The actions that have a name: reach alone, and each screen."""
    return [ACCESS, *areas.BY_CODE]


def check_action(action: str) -> None:
    """Raises LookupError, which lists the actions, for one that there is not."""
    app_label, _dot, codename = action.partition(".")
    known = Permission.objects.filter(
        content_type__app_label=app_label, codename=codename
    )
    if action not in actions() and not (action.isprintable() and known.exists()):
        raise LookupError(
            _("There is no action “%(action)s”. There are: %(actions)s.")
            % {"action": action[:50], "actions": ", ".join(actions())}
        )


def answer(user: Any, action: str, patient: Patient) -> Decision:
    """decide(), about the patient where the action is about one."""
    area = areas.BY_CODE.get(action)
    about_nobody = area is not None and not area.about_patient
    return decide(user, action, None if about_nobody else patient)


def in_words(action: str) -> str:
    """What an action is, for a sentence: "open a patient's clinical chart"."""
    if action == ACCESS:
        return _("reach the patient")
    area = areas.BY_CODE.get(action)
    return _("use %(area)s") % {"area": area.meaning} if area else f"“{action}”"


def who_can(action: str, patient: Patient) -> Iterator[tuple[User, Decision]]:
    """Every account that may, by user name, each with its decision."""
    for user in User.objects.select_related("staff").order_by("username"):
        decision = answer(user, action, patient)
        if decision.allowed:
            yield user, decision


def what_would_open(user: User, patient: Patient) -> list[str]:
    """Why the patient groups do not open a patient to this account, and what would."""
    standing = Standing.of(user)
    rows = patient.group_memberships.select_related("patient_group__auth_group")
    rows = rows.filter(patient_group__retired__isnull=True).order_by("pk")
    now = {row.pk for row in patient.group_memberships.in_force()}
    latest = {row.patient_group: row for row in rows}
    latest |= {row.patient_group: row for row in rows if row.pk in now}
    said = []
    for group, row in sorted(latest.items(), key=lambda item: item[0].name):
        held = group.auth_group_id in standing.auth_groups
        said += _about(row, row.pk in now, held)
    if not any(
        group.use_for_permissions and row.pk in now for group, row in latest.items()
    ):
        said.append(
            _("The patient is in no group that is used for permissions; add it to one.")
        )
    return [*said, _("“All Patients” opens every patient.")]


def _about(row: PatientGroupMember, now: bool, held: bool) -> list[str]:
    """One sentence about a group the patient is or was in, where it helps."""
    group = row.patient_group
    words = {"group": group.name, "auth": group.auth_group_name}
    if now and not group.use_for_permissions:
        return [
            _("The patient is in “%(group)s”, which is not used for permissions.")
            % words
        ]
    if now:
        return [
            _("The patient is in “%(group)s”: whoever holds “%(auth)s” can open it.")
            % words
        ]
    if not held:
        return []
    if group.exclusions.filter(patient=row.member).exists():
        text = _("“%(auth)s” is held, but the patient is excluded from the group.")
    elif not row.goes_on:
        words["date"] = shown_date(row.end_date)
        text = _("“%(auth)s” is held, but the patient left the group on %(date)s.")
    else:
        words["date"] = shown_date(row.start_date)
        text = _("“%(auth)s” is held, but the patient joins the group on %(date)s.")
    return [text % words]
