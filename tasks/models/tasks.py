"""Tasks: work handed to a person or a team (facts 3)."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from canvas_admin.events.tracking import ChangeTracked, ChangeTrackedQuerySet
from canvas_admin.records import clock
from canvas_admin.records.models import Keyed
from patients.models import Patient, WorkItem
from patients.models.folded import FoldedField
from tasks import routing
from tasks.models import causes
from tasks.models.labels import TaskLabel
from tasks.models.rules import TaskRouting
from tasks.origins import Origin
from tasks.querysets import TaskQuerySet


class Task(ChangeTracked, causes.Caused, WorkItem):
    """Something to do, about a patient or about none.

    Its externally exposable id is the FHIR Task id. It may have a person, a team, both or
    neither: whose it is, `assignee` says, and while there is none, `team`.
    """

    change_type = "task"

    class Status(models.TextChoices):
        OPEN = "OPEN", _("Open")
        COMPLETED = "COMPLETED", _("Completed")
        CLOSED = "CLOSED", _("Closed")

    class Priority(models.TextChoices):
        STAT = "stat", _("Stat")
        URGENT = "urgent", _("Urgent")
        ROUTINE = "routine", _("Routine")

    RANKS = {Priority.STAT: 1, Priority.URGENT: 2, Priority.ROUTINE: 3, "": 4}
    LONGEST_TITLE = 500
    OPEN = Q(status="OPEN")
    dated_by = "due"
    came_by = "created"
    _first_labels: tuple[TaskLabel, ...] = ()

    externally_exposable_id = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False
    )
    patient = models.ForeignKey(
        Patient,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tasks",
        verbose_name=_("patient"),
    )
    title = models.CharField(_("title"), max_length=LONGEST_TITLE, blank=True)
    status = models.CharField(
        _("status"), max_length=9, choices=Status, default=Status.OPEN
    )
    priority = models.CharField(
        _("priority"), max_length=7, choices=Priority, blank=True
    )
    due = models.DateTimeField(_("due"), null=True, blank=True)
    # By which lists are sorted, written by save() alone.
    rank = models.PositiveSmallIntegerField(editable=False)
    folded_title = FoldedField("title")
    creator = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="created_tasks",
        verbose_name=_("made by"),
    )
    # Named, so that the page which deletes a team says that tasks are in the way.
    team = models.ForeignKey(
        "staffing.Team",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="tasks",
        verbose_name=_("team"),
    )
    origin = models.CharField(_("origin"), max_length=15, choices=Origin, blank=True)
    campaign = models.ForeignKey(
        "tasks.Campaign",
        on_delete=models.PROTECT,
        null=True,
        related_name="tasks",
        editable=False,
        # The index of a campaign's tasks begins with it.
        db_index=False,
    )
    labels = models.ManyToManyField(
        TaskLabel,
        through="TaskTaskLabel",
        related_name="tasks",
        verbose_name=_("labels"),
    )
    created = models.DateTimeField(default=clock.now, editable=False)
    ended = models.DateTimeField(null=True, editable=False)
    ended_by = models.ForeignKey(
        "staffing.Staff", on_delete=models.PROTECT, null=True, related_name="+"
    )

    # True while several are changed at once: their keys are kept together afterwards.
    keys_later = False

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name = _("task")
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "patient"], name="task_once_a_campaign"
            )
        ]
        indexes = [
            models.Index(
                fields=["campaign", "status", "id"],
                condition=Q(campaign__isnull=False),
                name="task_of_campaign",
            ),
            *causes.indexes(),
        ]

    def __str__(self) -> str:
        """Without its title, which may name a patient."""
        return f"task {self.key[:8]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a new task is routed, see tasks.routing."""
        self.rank = self.RANKS[self.priority]
        super().save(*args, **kwargs)

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done."""
        return self.status == self.Status.OPEN

    @property
    def untouched(self) -> bool:
        """Whether nobody has begun with it: no person has it, none but its maker wrote."""
        others = self.comments.exclude(author=self.creator_id)
        return self.is_open and self.assignee_id is None and not others.exists()

    @property
    def overdue(self) -> bool:
        """Whether it should have been done by now."""
        return self.is_open and self.due is not None and self.due < clock.now()

    @property
    def holder(self) -> Any:
        """Whose it is: the person, else the team, else None."""
        return self.assignee or self.team

    def begin_with(self, labels: Iterable[TaskLabel]) -> None:
        """Let a task that is not saved yet have these labels from the start.

        Rules are asked about them, and add to them.
        """
        self._first_labels = tuple(labels)

    def route(self) -> None:
        """Give a new task to somebody, and date it, as routing says."""
        self._course = routing.route(self, self._first_labels)
        if self.assigned and not self.assigned_at:
            self.assigned_at = clock.now()

    def furnish(self) -> None:
        """Put on a new task's labels, and note the rules that matched."""
        put_on = self._course.labels.values()
        TaskTaskLabel.objects.bulk_create(
            TaskTaskLabel(task=self, label=label) for label in put_on
        )
        for row in self._course.rows:
            row.task = self
        TaskRouting.objects.bulk_create(self._course.rows)

    def keep_keys(self) -> None:
        """Make its keys what they must be, now or with those of the others."""
        if not self.keys_later:
            super().keep_keys()

    def set_status(self, status: str, by: Any) -> None:
        """Complete, close or reopen it; saves nothing. `by` is a staff member, or None."""
        ends = status != self.Status.OPEN
        self.status = status
        self.ended, self.ended_by = (clock.now(), by) if ends else (None, None)

    def add_labels(self, labels: Iterable[TaskLabel]) -> None:
        """Put these labels on it, too."""
        with transaction.atomic():
            Task.objects.select_for_update(of=("self",)).get(pk=self.pk)
            has = set(self.labelled.values_list("label", flat=True))
            TaskTaskLabel.objects.bulk_create(
                TaskTaskLabel(task=self, label=label)
                for label in labels
                if label.pk not in has
            )
            self.keep_keys()

    def set_labels(self, labels: Iterable[TaskLabel]) -> None:
        """Let it have these labels and no others."""
        labels = list(labels)
        with transaction.atomic():
            self.labelled.exclude(label__in=labels).delete()
            self.add_labels(labels)


class TaskTaskLabel(ChangeTracked, Keyed):
    """A label on a task; Task.set_labels() writes it, for the task has keys by its labels."""

    change_type = "task"

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="labelled")
    label = models.ForeignKey(
        TaskLabel, on_delete=models.PROTECT, related_name="labelled"
    )

    objects = ChangeTrackedQuerySet.as_manager()

    class Meta:
        verbose_name = _("label of a task")
        constraints = [
            models.UniqueConstraint(fields=["task", "label"], name="label_once_a_task")
        ]

    def __str__(self) -> str:
        return str(self.label)

    @property
    def changed_patient(self) -> int | None:
        return self.task.patient_id
