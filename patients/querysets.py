"""Which rows a person may see: the rule of patients.access, asked of querysets."""

from datetime import datetime
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from canvas_admin.events.tracking import ChangeTrackedQuerySet
from canvas_admin.records import clock
from canvas_admin.records.models import find_row
from patients import access


class PatientQuerySet(ChangeTrackedQuerySet):
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


class PatientDataQuerySet(ChangeTrackedQuerySet):
    """Questions about rows that belong to a patient."""

    def visible_to(self, account: Any) -> "PatientDataQuerySet":
        """The rows whose patient is within this account's reach now."""
        return self.filter(access.condition(account, "patient"))

    def about(self, patient: Any, account: Any) -> "PatientDataQuerySet":
        """This patient's rows, to an account that reaches the patient; else none."""
        if not access.reaches(account, patient):
            return self.none()
        return self.filter(patient=patient)


class DatedQuerySet(PatientDataQuerySet):
    """Rows about a patient in the order of a date, for pages without OFFSET."""

    def newest_first(self) -> "DatedQuerySet":
        """By the date that the model names as `dated_by`; what has none comes last."""
        date = F(self.model.dated_by).desc(nulls_last=True)
        return self.order_by(date, "-pk")

    def behind(self, row: Any) -> "DatedQuerySet":
        """What comes after this row when the newest is first."""
        name = self.model.dated_by
        date = getattr(row, name)
        undated = Q(**{f"{name}__isnull": True})
        if date is None:
            return self.filter(undated, pk__lt=row.pk)
        same_day = Q(**{name: date}, pk__lt=row.pk)
        return self.filter(Q(**{f"{name}__lt": date}) | same_day | undated)

    def page(self, after: str, size: int) -> dict[str, Any]:
        """The newest rows, or those behind the row with the key `after`, for a template.

        `next` is the key to go on from, "" at the end; `begun` whether there is a page
        before. A key of no row among these begins anew.
        """
        rows = self.newest_first()
        last = find_row(rows, after)
        found = list((rows.behind(last) if last else rows)[: size + 1])
        return {
            "rows": found[:size],
            "begun": last is not None,
            "next": found[size - 1].key if len(found) > size else "",
        }


class ClinicalQuerySet(DatedQuerySet):
    """Questions about the rows of a chart."""

    def in_chart_of(self, patient: Any, account: Any) -> "ClinicalQuerySet":
        """What this patient's chart shows to the account: nothing entered in error."""
        return self.about(patient, account).filter(entered_in_error=False)


class NoteQuerySet(DatedQuerySet):
    """Questions about notes."""

    def in_chart_of(self, patient: Any, account: Any) -> "NoteQuerySet":
        """What this patient's chart shows to the account: nothing entered in error."""
        return self.about(patient, account).counting()

    def counting(self) -> "NoteQuerySet":
        """What was not entered in error."""
        return self.exclude(state=self.model.State.DELETED)


class AppointmentQuerySet(DatedQuerySet):
    """Questions about appointments.

    scheduled() is the one list that is not narrowed down by reach: S2 excepts
    "information in appointments that are scheduled for that patient".
    """

    def scheduled(self, begin: datetime, end: datetime) -> "AppointmentQuerySet":
        """What begins in this span, whoever the patient is; nothing entered in error."""
        rows = self.filter(start__gte=begin, start__lt=end)
        return rows.exclude(status=self.model.Status.ENTERED_IN_ERROR)

    def of(self, patient: Any, account: Any) -> "AppointmentQuerySet":
        """This patient's, to an account that reaches the patient."""
        rows = self.about(patient, account)
        return rows.exclude(status=self.model.Status.ENTERED_IN_ERROR)

    def taking_time_of(self, provider: Any) -> "AppointmentQuerySet":
        """What keeps a provider busy."""
        return self.filter(provider=provider).exclude(status__in=self.model.FREE)


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
