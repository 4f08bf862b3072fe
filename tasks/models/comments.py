"""What people write to each other about a task."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from canvas_admin.events.tracking import ChangeTracked
from canvas_admin.records import clock
from canvas_admin.records.models import Keyed
from patients.querysets import DatedQuerySet
from tasks.models.tasks import Task


class CommentQuerySet(DatedQuerySet):
    """Questions about comments, whose patient is that of their task."""

    def visible_to(self, account: Any) -> "CommentQuerySet":
        """Those of tasks that this account sees."""
        return self.filter(task__in=Task.objects.visible_to(account))

    def write(self, comments: Iterable["TaskComment"]) -> None:
        """Save new comments, however many, in a constant number of queries."""
        with transaction.atomic():
            made = self.bulk_create(comments)
            _touch({comment.task_id for comment in made})


class TaskComment(ChangeTracked, Keyed):
    """A comment; it is never changed. It counts as a modification of its task (facts 3.2)."""

    change_type = "task"
    dated_by = "written"

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="comments")
    author = models.ForeignKey(
        "staffing.Staff", on_delete=models.PROTECT, null=True, related_name="+"
    )
    text = models.TextField(_("comment"))
    written = models.DateTimeField(default=clock.now, editable=False)

    objects = CommentQuerySet.as_manager()

    class Meta:
        ordering = ["written", "id"]
        verbose_name = _("task comment")
        indexes = [models.Index(fields=["task", "written"], name="comment_of_task")]

    def __str__(self) -> str:
        return f"task comment {self.key[:8]}"

    @property
    def changed_patient(self) -> int | None:
        return self.task.patient_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            _touch([self.task_id])


def _touch(tasks: Collection[int]) -> None:
    """They were modified; not by save(): whoever edits one meanwhile is in nobody's way."""
    if tasks:
        Task.objects.filter(pk__in=tasks).update(modified=clock.now())
