"""The form of a comment."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.forms import SavedOnceForm
from patients.forms.fields import validate_seen
from tasks.models import Task, TaskComment

LONGEST = 5000


class LinesField(forms.CharField):
    """Some lines of text; nothing in them but line breaks may be unseen."""

    widget = forms.Textarea(attrs={"rows": 3, "autocomplete": "off"})

    def to_python(self, value: Any) -> str:
        lines = super().to_python(value).expandtabs().splitlines()
        return "\n".join(line.rstrip() for line in lines)

    def run_validators(self, value: str) -> None:
        super().run_validators(value)
        for line in value.split("\n"):
            validate_seen(line)


class CommentForm(SavedOnceForm):
    """A comment is written once and never changed, so it has no version."""

    text = LinesField(label=_("Comment"), max_length=LONGEST)
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
            self.instance.author = getattr(actor, "staff", None)

    @property
    def task(self) -> Task:
        """What the comment is about."""
        return self.instance.task
