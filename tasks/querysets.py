"""Which tasks a person sees, and in what order."""

from typing import Any

from django.db import models
from django.db.models import Q

from patients import access
from patients.access import Reach
from staffing.models import Staff, TeamMember
from staffing.standing import NOTHING


class TaskQuerySet(models.QuerySet):
    """Questions about tasks."""

    def visible_to(self, account: Any) -> "TaskQuerySet":
        """Those about no patient, and those whose patient is within this account's reach.

        What may be done with them is model permissions' question. `account` is whatever
        access.Reach.of() takes; nobody, and whoever is not live, sees none.
        """
        reach = Reach.of(account)
        if reach.standing == NOTHING:
            return self.none()
        within = access.condition(reach, "patient")
        # An empty condition means everyone; with "or" it would mean nothing.
        return self.filter(Q(patient__isnull=True) | within) if within else self.all()

    def open(self) -> "TaskQuerySet":
        """What is still to be done."""
        return self.filter(self.model.OPEN)

    def of(self, staff: Staff | None) -> "TaskQuerySet":
        """A person's, and those of the person's teams that nobody has taken (facts 3.5)."""
        if staff is None:
            return self.none()
        teams = TeamMember.objects.filter(staff=staff).values("team")
        return self.filter(Q(assignee=staff) | Q(assignee=None, team__in=teams))

    def unassigned(self) -> "TaskQuerySet":
        """Nobody's and no team's."""
        return self.filter(assignee=None, team=None)

    def with_people(self) -> "TaskQuerySet":
        """With what a list shows of each, so that it asks no more for a row."""
        rows = self.select_related("patient", "assignee", "team")
        return rows.prefetch_related("labels")

    def in_order(self, sort: str) -> "TaskQuerySet":
        """By "due", "priority" or "newest"; what has no date or priority comes last."""
        orders = {
            "due": ("sort_due", "pk"),
            "priority": ("rank", "sort_due", "pk"),
            "newest": ("-created", "-pk"),
        }
        return self.order_by(*orders[sort])

    def behind(self, row: Any, sort: str) -> "TaskQuerySet":
        """What comes after this row in this order.

        The first column is bounded by itself, because a database begins a scan of an index
        at that alone.
        """
        if sort == "newest":
            older = Q(created__lt=row.created) | Q(pk__lt=row.pk)
            return self.filter(older, created__lte=row.created)
        later = Q(sort_due__gte=row.sort_due)
        later &= Q(sort_due__gt=row.sort_due) | Q(pk__gt=row.pk)
        if sort == "priority":
            return self.filter(Q(rank__gt=row.rank) | later, rank__gte=row.rank)
        return self.filter(later)

    def page(self, sort: str, after: Any, size: int) -> dict[str, Any]:
        """The first rows in this order, or those behind the row `after`, for a template.

        `next` is the key to go on from, "" at the end; `begun` whether there is a page
        before.
        """
        rows = self.in_order(sort)
        found = list((rows.behind(after, sort) if after else rows)[: size + 1])
        return {
            "rows": found[:size],
            "begun": after is not None,
            "next": found[size - 1].key if len(found) > size else "",
        }
