"""Sentences about grants that a person who administers a clinic understands."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from staffing.models import GroupChange, User


def shown_date(instant: datetime) -> str:
    """An instant as a date in the clinic's time zone: 21 Nov 2026."""
    return formats.date_format(timezone.localtime(instant), "DATE_FORMAT")


def shown_moment(instant: datetime) -> str:
    """An instant in the clinic's time zone: 21 Nov 2026 14:05."""
    return formats.date_format(timezone.localtime(instant), "DATETIME_FORMAT")


def last_grants(user: User) -> dict[int | None, GroupChange]:
    """The latest grant of each auth group to this account, by the group's primary key."""
    changes = user.group_changes.filter(added=True).select_related("role")
    return {change.group_id: change for change in changes.order_by("when", "id")}


def origin(change: GroupChange | None) -> str:
    """How an auth group was given or taken: "by the role Nurse on 3 May 2026 (ruth)"."""
    if change is None:
        return _("without a record of who gave it")
    words: dict[str, Any] = {
        "date": shown_date(change.when),
        "by": change.by,
        "role": change.role,
    }
    if change.via == GroupChange.Via.ROLE:
        return _("by the role %(role)s on %(date)s (%(by)s)") % words
    if change.via == GroupChange.Via.COMMAND:
        return _("at the operator's shell on %(date)s (%(by)s)") % words
    if change.via == GroupChange.Via.RETIRED:
        return _("because the patient group was deleted on %(date)s (%(by)s)") % words
    return _("by hand on %(date)s (%(by)s)") % words


def how_held(user: User, group: Group) -> str:
    """An auth group's name with where the account got it."""
    change = last_grants(user).get(group.pk)
    return f"“{group.name}”, {origin(change)}"
