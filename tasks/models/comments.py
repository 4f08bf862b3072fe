"""What people write to each other about a task."""

from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from canvas_admin.records.models import Keyed
from tasks.models.tasks import Task


class TaskComment(Keyed):
    """A comment; it is never changed. It counts as a modification of its task (facts 3.2)."""

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="comments")
    author = models.ForeignKey(
        "staffing.Staff", on_delete=models.PROTECT, null=True, related_name="+"
    )
    text = models.TextField(_("comment"))
    written = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["written", "id"]
        verbose_name = _("task comment")

    def __str__(self) -> str:
        return f"task comment {self.key[:8]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            # No save(): whoever edits the task meanwhile is in nobody's way.
            Task.objects.filter(pk=self.task_id).update(modified=clock.now())
