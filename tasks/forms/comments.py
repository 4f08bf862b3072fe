"""The form of a comment."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from canvas_admin.records.forms import SavedOnceForm
from patients.forms.fields import NarrativeField
from staffing.models import staff_of
from tasks.models import Task, TaskComment

LONGEST = 5000


class CommentForm(SavedOnceForm):
    """A comment is written once and never changed, so it has no version."""

    text = NarrativeField(label=_("Comment"), max_length=LONGEST)
    form_version = None
    unconfirmed = False
    changed = ("text",)

    class Meta:
        model = TaskComment
        fields = ["text"]

    def __init__(
        self, *args: Any, task: Task | None = None, actor: Any = None, **kwargs: Any
    ) -> None:
        self.actor = actor
        super().__init__(*args, **kwargs)
        if task is not None:
            self.instance.task = task
            self.instance.author = staff_of(actor)

    @property
    def task(self) -> Task:
        """What the comment is about."""
        return self.instance.task
