"""Routing rules: what becomes of new tasks, as a clinic's administrators decide.

S1: "When X occurs: when a task is created. Under Y conditions: targeted_task_title = Y. I
want Z to happen: assign to group_name or practitioner and add label(s)."
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.records.models import Keyed, Versioned
from tasks.models.labels import TaskLabel
from tasks.origins import Origin
from tasks.patterns import compiled

LONGEST_NAME = 100
MOST_DAYS = 365
END_OF_DAY = time(23, 59)


@dataclass(frozen=True)
class Facts:
    """What rules ask of a task: the labels and patient groups by primary key."""

    title: str
    origin: str
    labels: Collection[int]
    groups: Collection[int]


class RuleQuerySet(models.QuerySet):
    """Questions about routing rules."""

    def with_parts(self) -> "RuleQuerySet":
        """With what a rule asks and does: two queries, however many there are."""
        rows = self.select_related("assignee", "team", "label", "patient_group")
        return rows.prefetch_related("labels")


class RoutingRule(Versioned):
    """When all conditions that are set hold for a new task, the effects that are set.

    A rule without a condition matches nothing. Active rules are asked by their position.
    """

    class Comparison(models.TextChoices):
        EQUALS = "equals", gettext_lazy("is exactly")
        BEGINS = "begins", gettext_lazy("begins with")
        MATCHES = "matches", gettext_lazy("matches the pattern")

    name = models.CharField(
        gettext_lazy("name"),
        max_length=LONGEST_NAME,
        unique=True,
        help_text=gettext_lazy(
            "Whoever sees a task that the rule matched sees this name, so let it tell "
            "nothing about the patient."
        ),
    )
    active = models.BooleanField(
        gettext_lazy("active"),
        default=True,
        help_text=gettext_lazy("A rule that is not active can be tried out as well."),
    )
    position = models.PositiveIntegerField(editable=False)
    stop_after_match = models.BooleanField(
        gettext_lazy("stop after this rule"),
        default=False,
        help_text=gettext_lazy(
            "Rules below it are not asked when it has matched. Otherwise they are, and "
            "the last that assigns a task, or sets its due date, decides."
        ),
    )
    comparison = models.CharField(
        gettext_lazy("the title"), max_length=7, choices=Comparison, blank=True
    )
    title = models.CharField(
        gettext_lazy("this text"),
        max_length=500,
        blank=True,
        help_text=gettext_lazy(
            "Capital and small letters are told apart. In a pattern * stands for any "
            "text and ? for one character: “Refer patient to *” matches every referral."
        ),
    )
    origin = models.CharField(
        gettext_lazy("the origin is"), max_length=15, choices=Origin, blank=True
    )
    label = models.ForeignKey(
        TaskLabel,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=gettext_lazy("it has the label"),
        help_text=gettext_lazy(
            "From the start: chosen when it was made, by its origin, or by a rule above."
        ),
    )
    patient_group = models.ForeignKey(
        "patients.PatientGroup",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=gettext_lazy("the patient is in the group"),
        help_text=gettext_lazy("At the time when the task is made."),
    )
    assignee = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=gettext_lazy("assign to the person"),
    )
    team = models.ForeignKey(
        "staffing.Team",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=gettext_lazy("assign to the team"),
    )
    labels = models.ManyToManyField(
        TaskLabel,
        blank=True,
        related_name="+",
        verbose_name=gettext_lazy("add labels"),
    )
    due_days = models.PositiveSmallIntegerField(
        gettext_lazy("due in days"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_DAYS)],
        help_text=gettext_lazy(
            "At the end of that day (23:59) by the clinic's clock; 0 is the same day. A "
            "task that was made with a due date keeps it."
        ),
    )

    objects = RuleQuerySet.as_manager()

    class Meta:
        ordering = ["position", "id"]
        verbose_name = gettext_lazy("routing rule")
        constraints = [
            models.CheckConstraint(
                condition=Q(comparison="", title="")
                | (~Q(comparison="") & ~Q(title="")),
                name="rule_compares_the_title",
                violation_error_message=gettext_lazy(
                    "Choose how the title is compared, and type with what."
                ),
            ),
            models.CheckConstraint(
                condition=~Q(comparison="")
                | ~Q(origin="")
                | Q(label__isnull=False)
                | Q(patient_group__isnull=False),
                name="rule_has_a_condition",
                violation_error_message=gettext_lazy(
                    "Set at least one condition, so that the rule does not catch every "
                    "task."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a new rule is the last one."""
        if self.position is None:
            last = RoutingRule.objects.aggregate(last=Max("position"))["last"]
            self.position = (last or 0) + 1
        super().save(*args, **kwargs)

    def matches(self, facts: Facts) -> bool:
        """Whether there are conditions, and all of them hold."""
        asked = (
            (self.comparison, lambda: self._title_fits(facts.title)),
            (self.origin, lambda: self.origin == facts.origin),
            (self.label_id, lambda: self.label_id in facts.labels),
            (self.patient_group_id, lambda: self.patient_group_id in facts.groups),
        )
        held = [holds() for is_set, holds in asked if is_set]
        return bool(held) and all(held)

    def _title_fits(self, title: str) -> bool:
        if self.comparison == self.Comparison.EQUALS:
            return title == self.title
        if self.comparison == self.Comparison.BEGINS:
            return title.startswith(self.title)
        return compiled(self.title).fullmatch(title) is not None

    @property
    def holder(self) -> tuple[Any, Any]:
        """The person and the team to whom it gives; nobody who has left."""
        here = self.assignee if self.assignee and self.assignee.active else None
        return here, self.team

    @property
    def assigns(self) -> bool:
        """Whether it gives a task to anybody."""
        return any(self.holder)

    @property
    def put_on(self) -> list[TaskLabel]:
        """The labels that it adds; an inactive one goes onto no further task."""
        return [label for label in self.labels.all() if label.active]

    def due(self, now: datetime) -> datetime | None:
        """When a task that is made now is due: at the end of a day of the clinic."""
        if self.due_days is None:
            return None
        day = timezone.localdate(now) + timedelta(days=self.due_days)
        return timezone.make_aware(datetime.combine(day, END_OF_DAY))


class TaskRouting(Keyed):
    """That a rule matched a new task, and what it did; written once, with the task.

    The rule's name as it was then: it may be changed or deleted, which leaves tasks as
    they are. What a later rule did otherwise counts as that one's.
    """

    task = models.ForeignKey(
        "tasks.Task", on_delete=models.PROTECT, related_name="routings"
    )
    rule_key = models.CharField(max_length=32, editable=False)
    rule_name = models.CharField(max_length=LONGEST_NAME, editable=False)
    assigned = models.BooleanField(default=False, editable=False)
    labelled = models.BooleanField(default=False, editable=False)
    dated = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["id"]
        verbose_name = gettext_lazy("routing of a task")

    def __str__(self) -> str:
        return f"routing {self.key[:8]}"

    @property
    def said(self) -> str:
        """What it did, in words."""
        did = (
            (self.assigned, _("assigned it")),
            (self.labelled, _("added labels")),
            (self.dated, _("set when it is due")),
        )
        return ", ".join(words for done, words in did if done) or _("changed nothing")
