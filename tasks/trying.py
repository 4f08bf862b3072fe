"""What a routing rule would have done with the tasks of the last 30 days; changes nothing.

Each task is asked as it is now: its title, its labels, and the groups of which its patient
is a member today. The rule is asked alone, without those above it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import BooleanField, Exists, OuterRef, QuerySet, Value

from canvas_admin.records import clock
from patients.models import PatientGroupMember
from staffing.models import TeamResponsibility
from tasks.models import RoutingRule, Task, TaskLabel, TaskRouting, TaskTaskLabel
from tasks.models.rules import Facts
from tasks.origins import RESPONSIBLE

SPAN = timedelta(days=30)
LOOKED = 10_000


class Row(NamedTuple):
    """What is read of a task."""

    pk: int
    created: datetime
    title: str
    origin: str
    responsibility: str
    due: datetime | None
    assignee: int | None
    team: int | None
    has_label: bool
    in_group: bool

    def facts(self, rule: RoutingRule) -> Facts:
        """As this rule asks for them: of labels and groups it asks for one."""
        labels = [rule.label_id] if self.has_label else []
        groups = [rule.patient_group_id] if self.in_group else []
        return Facts(self.title, self.origin, labels, groups)


@dataclass(frozen=True)
class Change:
    """What the rule would have changed of a task that it matched."""

    assigned: bool
    labels: tuple[TaskLabel, ...]
    dated: bool

    def __bool__(self) -> bool:
        return bool(self.assigned or self.labels or self.dated)


@dataclass
class Trial:
    """A rule, tried. `found` are the tasks that it matched (primary keys), newest first."""

    rule: RoutingRule
    looked: int = 0
    stopped: bool = False
    found: dict[int, Change] = field(default_factory=dict)

    @property
    def matched(self) -> int:
        """How many tasks it would have matched."""
        return len(self.found)

    @property
    def changed(self) -> int:
        """How many of them would be otherwise now."""
        return sum(1 for change in self.found.values() if change)


def try_out(rule: RoutingRule) -> Trial:
    """Ask the newest tasks, LOOKED at most; 4 queries at most, whatever they are."""
    since = clock.now() - SPAN
    rows = [Row._make(values) for values in _newest(rule)]
    trial = Trial(rule, stopped=len(rows) > LOOKED and rows[-1].created >= since)
    looked = [row for row in rows[:LOOKED] if row.created >= since]
    trial.looked = len(looked)
    matched = [row for row in looked if rule.matches(row.facts(rule))]
    if matched:
        seen = _Seen.of(rule, matched[-1].pk)
        trial.found = {row.pk: seen.change(row) for row in matched}
    return trial


def _newest(rule: RoutingRule) -> QuerySet:
    """Rows of the newest tasks, and one more than are looked at.

    By primary key, the one order of all tasks for which there is an index.
    """
    no = Value(value=False, output_field=BooleanField())
    labelled = TaskTaskLabel.objects.filter(task=OuterRef("pk"), label=rule.label_id)
    grouped = PatientGroupMember.objects.in_force(
        member=OuterRef("patient"),
        patient_group=rule.patient_group_id,
        patient_group__retired__isnull=True,
    )
    tasks = Task.objects.annotate(
        has_label=Exists(labelled) if rule.label_id else no,
        in_group=Exists(grouped) if rule.patient_group_id else no,
    )
    return tasks.order_by("-pk").values_list(*Row._fields)[: LOOKED + 1]


@dataclass(frozen=True)
class _Seen:
    """What the rule does, and what is known of the tasks from one on.

    `holder` and `put_on` are the rule's; `labels` are those of them that tasks have,
    `routed` the tasks that a rule gave to somebody.
    """

    rule: RoutingRule
    holder: tuple[int | None, ...]
    put_on: tuple[TaskLabel, ...]
    labels: dict[int, set[int]]
    responsible: dict[str, int]
    routed: frozenset[int]

    @classmethod
    def of(cls, rule: RoutingRule, first: int) -> "_Seen":
        """Of tasks with this primary key or a later one: 3 queries."""
        put_on, labels = tuple(rule.put_on), {}
        rows = TaskTaskLabel.objects.filter(task__gte=first, label__in=put_on)
        for task, label in rows.values_list("task", "label"):
            labels.setdefault(task, set()).add(label)
        routed = TaskRouting.objects.filter(task__gte=first, assigned=True)
        return cls(
            rule,
            tuple(each and each.pk for each in rule.holder),
            put_on,
            labels,
            dict(TeamResponsibility.objects.values_list("code", "team")),
            frozenset(routed.values_list("task", flat=True)),
        )

    def change(self, row: Row) -> Change:
        """What the rule would have changed of this task."""
        has = self.labels.get(row.pk, ())
        elsewhere = (row.assignee, row.team) != self.holder
        return Change(
            assigned=any(self.holder) and elsewhere and self._is_free(row),
            labels=tuple(label for label in self.put_on if label.pk not in has),
            dated=self.rule.due_days is not None and row.due is None,
        )

    def _is_free(self, row: Row) -> bool:
        """Whether nobody chose who has it: nobody, the responsible team, or by a rule."""
        if row.assignee is None and row.team is None:
            return True
        code = row.responsibility or RESPONSIBLE.get(row.origin, "")
        team = self.responsible.get(code)
        return row.pk in self.routed or (team is not None and row.team == team)
