"""Administering is not access: nobody opens a patient to oneself (DESIGN section 5).

Whoever holds a patient group's auth group, switched on or not, puts into that group
only patients within reach already. One's own new patient is the exception:
patients.intake asks nothing here. Taking patients out is always allowed.
"""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients.models import (
    AccessRequest,
    Patient,
    PatientGroup,
    PatientGroupExclusion,
    PatientGroupMember,
)
from staffing.standing import Standing

CODE = "self_gain"


class SelfGain(ValidationError):
    """The act would open `patients` to the person who does it."""

    def __init__(self, patients: Collection[Patient]) -> None:
        super().__init__(
            _(
                "You hold this group yourself and cannot open this patient otherwise. "
                "Somebody who does not hold the group has to do this."
            ),
            code=CODE,
        )
        self.patients = patients


class OwnRequest(ValidationError):
    """Nobody decides a request of one's own."""

    def __init__(self) -> None:
        super().__init__(
            _("This is your own request. Another administrator has to decide it."),
            code="own_request",
        )


class SelfGainByGroup(ValidationError):
    """Switching the group on would open patients to the person who does it."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "You hold this group yourself, and it has patients whom you cannot "
                "open otherwise. Somebody who does not hold it has to switch it on."
            ),
            code=CODE,
        )


def check_adding(user: Any, group: PatientGroup, patients: Collection[Patient]) -> None:
    """Raises SelfGain when `user` holds the group and does not reach all of these."""
    if not _holds(user, group):
        return
    wanted = Patient.objects.accessible_to(user).filter(pk__in={p.pk for p in patients})
    reached = set(wanted.values_list("pk", flat=True))
    if beyond := {patient for patient in patients if patient.pk not in reached}:
        raise SelfGain(beyond)


def check_dates(user: Any, before: PatientGroupMember, row: PatientGroupMember) -> None:
    """Raises SelfGain when new dates make a membership count at a time it did not."""
    if _widens(before, row):
        check_adding(user, row.patient_group, [row.member])


def check_lifting(user: Any, exclusion: PatientGroupExclusion) -> None:
    """Raises SelfGain when lifting brings a membership into force that is not ended."""
    group, patient = exclusion.patient_group, exclusion.patient
    if group.memberships.going_on().filter(member=patient).exists():
        check_adding(user, group, [patient])


def check_switching_on(user: Any, group: PatientGroup) -> None:
    """Raises SelfGainByGroup unless the members are all within reach already."""
    if not _holds(user, group):
        return
    excluded = group.exclusions.filter(patient=OuterRef("member"))
    members = group.memberships.going_on().exclude(Exists(excluded))
    reached = Patient.objects.accessible_to(user).filter(pk=OuterRef("member"))
    if members.exclude(Exists(reached)).exists():
        raise SelfGainByGroup


def check_deciding(user: Any, asked: AccessRequest) -> None:
    """Raises OwnRequest when the request for access is the person's own."""
    if asked.staff.user_id == user.pk:
        raise OwnRequest


def _holds(user: Any, group: PatientGroup) -> bool:
    standing = Standing.of(user)
    return not standing.superuser and group.auth_group_id in standing.auth_groups


def _widens(before: PatientGroupMember, row: PatientGroupMember) -> bool:
    """Whether `row` counts at some time from now on at which `before` does not."""
    if not row.goes_on:
        return False
    if not before.goes_on:
        return True
    later = before.end_date is not None and (
        row.end_date is None or row.end_date > before.end_date
    )
    now = clock.now()
    return later or max(row.start_date, now) < max(before.start_date, now)
