"""What can be done with several tasks at once: one form for each act."""

from collections import Counter
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from patients import areas
from patients.forms.assigning import AssigningForm
from patients.work.assigning import Assignees, Sight
from staffing.models import Staff, Team, staff_of
from tasks.models import Task, TaskLabel

Status = Task.Status


class BulkForm(forms.Form):
    """An act on several tasks; `code` names it in a form, `act` on the trail."""

    code: str
    act: str
    title: Any
    button: Any
    # What it means, in a sentence above the tasks.
    hint: Any = ""
    # Whether the tasks end, which can be undone.
    ends = False
    # Whether a person who is right in everything has still to confirm.
    unconfirmed = False

    def __init__(
        self, *args: Any, tasks: list[Task], actor: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.tasks, self.actor = tasks, actor
        self.offer()

    def offer(self) -> None:
        """Fill in the choices."""

    @property
    def asks(self) -> bool:
        """Whether it was sent, is right in everything, and has still to be confirmed."""
        sent = self.is_bound and bool(self.tasks)
        return sent and self.is_valid() and self.unconfirmed

    def apply(self, task: Task) -> dict[str, Any] | None:
        """Change and save one task; what the trail says of it, or None if it is so."""
        raise NotImplementedError

    def said(self, number: int) -> str:
        """What was done, to so many tasks."""
        raise NotImplementedError


class AssignForm(AssigningForm, BulkForm):
    """Hand tasks to a person or a team; asks first when not all will see them (S2).

    A person gets a task as if it had been taken: its team stays. A team gets it from
    whoever has it.
    """

    code, act = "assign", "task.assign"
    title, button = gettext_lazy("Hand over tasks"), gettext_lazy("Hand over")
    hint = gettext_lazy(
        "Choose a person or a team. With a person alone, a task stays with its team."
    )
    seen_with = areas.SEE_TASKS
    reassigned = True

    def offer(self) -> None:
        about = [task.patient for task in self.tasks] or [None]
        self.offer_to(Assignees(about[0], self.seen_with, others=about[1:]))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not self.chosen:
            raise ValidationError(_("Choose a person or a team."))
        return cleaned

    def apply(self, task: Task) -> dict[str, Any] | None:
        to = self.holders(task)
        if to == (task.assignee, task.team):
            return None
        task.hand_to(*to)
        task.save()
        return {}

    def holders(self, task: Task) -> tuple[Staff | None, Team | None]:
        """The person and the team that a task gets."""
        person, team = self.cleaned_data["assignee"], self.cleaned_data["team"]
        return person, team or (task.team if person else None)

    def said(self, number: int) -> str:
        words = {"number": number, "name": self.chosen}
        return (
            ngettext(
                "%(number)s task is handed to %(name)s.",
                "%(number)s tasks are handed to %(name)s.",
                number,
            )
            % words
        )

    @property
    def about(self) -> tuple[str, ...]:
        return tuple(f"{task.key}.{task.version}" for task in self.tasks)

    @property
    def sights(self) -> list[tuple[Task, Sight]]:
        """Each task with who of those chosen will see it."""
        data = self.cleaned_data
        chosen = (data.get("assignee"), data.get("team"))
        sight_of = self.assignees.sight_of
        return [(task, sight_of(task.patient_id, *chosen)) for task in self.tasks]

    def _people(self) -> list[Any]:
        groups: dict[str, list[Any]] = {
            _("Will see all of them"): [],
            _("Will see some of them"): [],
            _("Will see none of them"): [],
        }
        every, some, none = groups.values()
        number, patients = len(self.tasks), Counter(t.patient_id for t in self.tasks)
        for each in self.assignees.people:
            sees = sum(
                times
                for patient, times in patients.items()
                if self.assignees.sight_of(patient, each, None).able
            )
            words = {"person": each.name, "sees": sees, "number": number}
            label = _("%(person)s (%(sees)s of %(number)s)") % words
            if 0 < sees < number:
                some.append((each.key, label))
            else:
                (every if sees else none).append((each.key, each.name))
        return [(title, people) for title, people in groups.items() if people]

    def _team(self, team: Team) -> str:
        sight = self.assignees.sight(None, team)
        words = {"team": team.name, "able": len(sight.able), "total": sight.total}
        return _("%(team)s (%(able)s of %(total)s will see all of them)") % words


class EndForm(BulkForm):
    """Tasks end, as completed or as closed."""

    act = "task.status"
    ends = True
    status: str

    def apply(self, task: Task) -> dict[str, Any] | None:
        task.set_status(self.status, staff_of(self.actor))
        task.save()
        return {"status": self.status}


class CompleteForm(EndForm):
    """They were done."""

    code, status = "complete", Status.COMPLETED
    title, button = gettext_lazy("Complete tasks"), gettext_lazy("Complete")
    hint = gettext_lazy("They were done. You can reopen them on the next page.")

    def said(self, number: int) -> str:
        text = ngettext(
            "%(number)s task is completed.", "%(number)s tasks are completed.", number
        )
        return text % {"number": number}


class CloseForm(EndForm):
    """They were not done, and need not be."""

    code, status = "close", Status.CLOSED
    title = gettext_lazy("Close tasks without doing them")
    button = gettext_lazy("Close")
    hint = gettext_lazy(
        "They were not done and need not be. You can reopen them on the next page."
    )

    def said(self, number: int) -> str:
        text = ngettext(
            "%(number)s task is closed.", "%(number)s tasks are closed.", number
        )
        return text % {"number": number}


class LabelForm(BulkForm):
    """One more label; those that tasks have stay."""

    code, act = "label", "task.change"
    title, button = gettext_lazy("Add a label to tasks"), gettext_lazy("Add the label")

    label = forms.ModelChoiceField(
        TaskLabel.objects.filter(active=True),
        to_field_name="key",
        label=gettext_lazy("Label"),
        empty_label=gettext_lazy("Choose a label"),
    )

    def apply(self, task: Task) -> dict[str, Any] | None:
        label = self.cleaned_data["label"]
        if label in task.labels.all():
            return None
        # Whoever edits the task meanwhile would take the label off again.
        task.save()
        task.add_labels([label])
        return {"fields": ["labels"]}

    def said(self, number: int) -> str:
        text = ngettext(
            "%(number)s task has the label “%(label)s” now.",
            "%(number)s tasks have the label “%(label)s” now.",
            number,
        )
        return text % {"number": number, "label": self.cleaned_data["label"]}


FORMS = {form.code: form for form in (AssignForm, CompleteForm, CloseForm, LabelForm)}
