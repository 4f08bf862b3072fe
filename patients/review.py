"""Reviewing access: why somebody may or may not, and who may (reference/security.md P8).

Every answer is decide()'s; here are only the sentences around it, for people who do not
program.
"""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import Permission
from django.utils.translation import gettext as _

from patients import areas
from patients.decisions import ACCESS, Decision, decide, right_in_words
from patients.models import Patient, PatientGroup, PatientGroupMember
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
    """What an action is, to stand behind "may": "open the chart of this patient"."""
    if action == ACCESS:
        return _("reach this patient")
    if area := areas.BY_CODE.get(action):
        return str(area.deed)
    return _("%(act)s for this patient") % {"act": right_in_words(action)}


def who_can(action: str, patient: Patient) -> Iterator[tuple[User, Decision]]:
    """Every account that may, by user name, each with its decision."""
    for user in User.objects.select_related("staff").order_by("username"):
        decision = answer(user, action, patient)
        if decision.allowed:
            yield user, decision


def what_would_open(user: User, patient: Patient) -> list[str]:
    """Why the patient groups do not open a patient to this account, and what would."""
    held = Standing.of(user).auth_groups
    groups = PatientGroup.objects.filter(retired__isnull=True)
    excluding = set(groups.filter(exclusions__patient=patient))
    now = set(groups.filter(memberships__in=patient.group_memberships.in_force()))
    latest = _latest_memberships(patient)
    said = []
    for group in sorted(excluding | latest.keys(), key=lambda group: group.name):
        if group in excluding:
            said += [_about_exclusion(group), *_about_switch(group)]
        elif group in now:
            said += [*_about_switch(group), _about_a_member(group)]
        elif group.auth_group_id in held:
            said += [*_about_switch(group), _about_dates(latest[group])]
    if not any(group.use_for_permissions for group in now):
        said.append(_advice(bool(excluding)))
    return [*said, _("“All Patients” opens every patient.")]


def _latest_memberships(patient: Patient) -> dict[PatientGroup, PatientGroupMember]:
    rows = patient.group_memberships.select_related("patient_group__auth_group")
    rows = rows.filter(patient_group__retired__isnull=True).order_by("pk")
    return {row.patient_group: row for row in rows}


def _about_exclusion(group: PatientGroup) -> str:
    text = _("The patient is excluded from “%(group)s”: lift the exclusion first.")
    return text % {"group": group}


def _about_switch(group: PatientGroup) -> list[str]:
    """One sentence for a group that is switched off, none for another."""
    if group.use_for_permissions:
        return []
    text = _("“%(group)s” opens nothing while its switch for permissions is off.")
    return [text % {"group": group}]


def _about_a_member(group: PatientGroup) -> str:
    words = {"group": group.name, "auth": group.auth_group_name}
    if not group.use_for_permissions:
        return _("The patient is in “%(group)s”.") % words
    return (
        _("The patient is in “%(group)s”: whoever holds “%(auth)s” can open it.")
        % words
    )


def _about_dates(row: PatientGroupMember) -> str:
    """Why a membership of a group that is held does not count now."""
    words = {"auth": row.patient_group.auth_group_name}
    if not row.goes_on:
        words["date"] = shown_date(row.end_date)
        text = _("“%(auth)s” is held, but the patient left the group on %(date)s.")
    else:
        words["date"] = shown_date(row.start_date)
        text = _("“%(auth)s” is held, but the patient joins the group on %(date)s.")
    return text % words


def _advice(excluded: bool) -> str:
    if excluded:
        return _(
            "The patient is in no group that is used for permissions; add it to one that "
            "does not exclude it."
        )
    return _("The patient is in no group that is used for permissions; add it to one.")
