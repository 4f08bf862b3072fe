"""The forms of a task: a new one, what is written on it, and whose it is."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.records.forms import SavedOnceForm, VersionedForm
from canvas_admin.records.widgets import MomentControl
from patients import areas
from patients.forms.assigning import AssigningForm
from patients.forms.fields import validate_seen
from patients.models import Patient
from staffing.models import staff_of
from tasks.models import Task, TaskLabel

EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
HIDDEN = {"form_version", "form_token"}


class AboutTask(forms.Form):
    """What the forms of a task have in common."""

    # Whether a person who is right in everything has still to confirm.
    unconfirmed = False

    @property
    def task(self) -> Task:
        """The task of the form."""
        return self.instance

    @property
    def changed(self) -> list[str]:
        """The names of the fields that were changed, as the audit trail has them."""
        return [name for name in self.changed_data if name not in HIDDEN]


class WordsForm(AboutTask):
    """What is written on a task, its labels among it."""

    title = forms.CharField(
        label=gettext_lazy("What is to be done?"),
        max_length=Task.LONGEST_TITLE,
        validators=[validate_seen],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    due = forms.DateTimeField(
        label=gettext_lazy("Due"),
        required=False,
        widget=MomentControl(attrs={"step": 60}),
    )
    labels = forms.ModelMultipleChoiceField(
        TaskLabel.objects.none(),
        to_field_name="key",
        required=False,
        label=gettext_lazy("Labels"),
        widget=forms.CheckboxSelectMultiple,
    )

    def offer_labels(self) -> None:
        """The active labels, and those that the task has."""
        kept = TaskLabel.objects.filter(active=True)
        if self.instance.pk:
            has = self.instance.labels.all()
            kept |= TaskLabel.objects.filter(pk__in=[label.pk for label in has])
            self.initial["labels"] = list(has)
        self.fields["labels"].queryset = kept

    def clean_due(self) -> datetime | None:
        """An instant within what calendars of clinics hold."""
        due = self.cleaned_data["due"]
        if due and not EARLIEST <= due <= LATEST:
            raise ValidationError(_("This year is impossible."))
        return due

    def save(self, commit: bool = True) -> Task:
        """Save the task with exactly these labels; routing adds to those of a new one."""
        labels, adding = self.cleaned_data["labels"], self.instance.pk is None
        if adding:
            self.instance.begin_with(labels)
        task = super().save(commit)
        if not adding:
            task.set_labels(labels)
        return task


class EditForm(WordsForm, VersionedForm):
    """What is written on a task that is there."""

    class Meta:
        model = Task
        fields = ["title", "due", "priority"]

    field_order = ["title", "due", "priority", "labels"]

    def __init__(self, *args: Any, actor: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_labels()


class NewForm(AssigningForm, WordsForm, SavedOnceForm):
    """A new task, about a patient or about none."""

    seen_with = areas.SEE_TASKS

    class Meta:
        model = Task
        fields = ["title", "due", "priority", "assignee", "team"]

    field_order = ["title", "due", "priority", "labels", "assignee", "team"]

    def __init__(
        self,
        *args: Any,
        patient: Patient | None = None,
        actor: Any = None,
        **kwargs: Any,
    ) -> None:
        self.actor = actor
        super().__init__(*args, **kwargs)
        if patient is not None:
            self.instance.patient = patient
        self.instance.creator = staff_of(actor)
        self.offer_labels()
        self.offer()


class HandOverForm(AssigningForm, AboutTask, VersionedForm):
    """Whose a task is."""

    seen_with = areas.SEE_TASKS

    class Meta:
        model = Task
        fields = ["assignee", "team"]

    def __init__(self, *args: Any, actor: Any = None, **kwargs: Any) -> None:
        self.actor = actor
        super().__init__(*args, **kwargs)
        self.offer()

    def save(self, commit: bool = True) -> Task:
        """Save whose it is, and since when."""
        if self.reassigned:
            data = self.cleaned_data
            self.instance.hand_to(data["assignee"], data["team"])
        return super().save(commit)
