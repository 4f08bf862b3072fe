"""Which rows a person may see: the rule of patients.access, asked of querysets."""

from functools import cache
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from canvas_admin.records import clock
from patients import access


class PatientQuerySet(models.QuerySet):
    """Questions about patients."""

    def accessible_to(self, account: Any) -> "PatientQuerySet":
        """The patients within this account's reach now, by any access path.

        Whose patients alone: what may be done with them is model permissions' question.
        `account` is whatever access.Reach.of() takes.
        """
        return self.filter(access.condition(account, "pk"))

    def listed(self) -> "PatientQuerySet":
        """Active, living patients: what lists and first results show."""
        return self.filter(active=True, deceased=False)


@cache
def _excluded() -> Exists:
    """Whether an exclusion keeps a membership's patient out of its group."""
    exclusions = apps.get_model("patients", "PatientGroupExclusion").objects
    return Exists(
        exclusions.filter(
            patient_group=OuterRef("patient_group"), patient=OuterRef("member")
        )
    )


class PatientDataQuerySet(models.QuerySet):
    """Questions about rows that belong to a patient."""

    def visible_to(self, account: Any) -> "PatientDataQuerySet":
        """The rows whose patient is within this account's reach now."""
        return self.filter(access.condition(account, "patient"))


class MemberQuerySet(models.QuerySet):
    """Questions about memberships of patient groups."""

    def in_force(self, at: Any = None, **of: Any) -> "MemberQuerySet":
        """Memberships that count now: begun, not ended, the patient not excluded.

        Conditions given as well go into the same filter(), which is what costs. Now is the
        request's instant; a prepared query gives a Slot for it.
        """
        now = at or clock.now()
        not_ended = Q(end_date__isnull=True) | Q(end_date__gt=now)
        return self.filter(not_ended, ~_excluded(), start_date__lte=now, **of)

    def going_on(self) -> "MemberQuerySet":
        """Memberships that count now or will, as PatientGroupMember.goes_on says."""
        ends_later = Q(end_date__gt=clock.now()) & Q(end_date__gt=F("start_date"))
        return self.filter(Q(end_date__isnull=True) | ends_later)
