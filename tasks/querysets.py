"""Which tasks a person sees."""

from typing import Any

from django.db.models import Q

from canvas_admin.events.tracking import ChangeTrackedQuerySet
from patients import access
from patients.access import Reach
from staffing.standing import NOTHING


class TaskQuerySet(ChangeTrackedQuerySet):
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

    def with_people(self) -> "TaskQuerySet":
        """With what a page shows of each, so that it asks no more for a row."""
        rows = self.select_related("patient", "assignee", "team")
        return rows.prefetch_related("labels")
