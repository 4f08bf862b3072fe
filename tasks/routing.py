"""What becomes of a new task: whose it is, when it is due, and which labels it has.

S1: "By assigning responsibilities to teams, you can drive how automated tasks in Canvas
are assigned", and where that is not granular enough, tasks are routed by rules. What a
task was made with was chosen, by a person, a program or a protocol, and stays. Else an
automated task goes to the responsible team; then the rules are asked in their order.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from canvas_admin.records import clock
from patients.models import PatientGroupMember
from staffing.models import Team
from tasks.models.labels import TaskLabel
from tasks.models.rules import Facts, RoutingRule, TaskRouting
from tasks.origins import RESPONSIBLE


def team_for(origin: str, named: str = "") -> Team | None:
    """The team that holds the named responsibility, else that of this origin.

    None where nobody does.
    """
    if not (code := named or RESPONSIBLE.get(origin)):
        return None
    return Team.objects.filter(responsibilities__code=code).first()


@dataclass
class Course:
    """The way of a new task through the rules; `labels` are by primary key.

    `chosen` and `dated` say that whoever made it chose a person or team, or a due date.
    """

    task: Any
    labels: dict[int, TaskLabel]
    chosen: bool
    dated: bool
    rows: list[TaskRouting] = field(default_factory=list)

    def follow(self, rules: Iterable[RoutingRule], groups: set[int]) -> None:
        """Ask these rules in turn; each sees the labels that those before it added."""
        task = self.task
        facts = Facts(task.title, task.origin, self.labels.keys(), groups)
        for rule in rules:
            if rule.matches(facts):
                self._obey(rule)
                if rule.stop_after_match:
                    return

    def _obey(self, rule: RoutingRule) -> None:
        row = TaskRouting(rule_key=rule.key, rule_name=rule.name)
        if rule.assigns and not self.chosen:
            self.task.hand_to(*rule.holder)
            self._credit("assigned", row)
        if rule.due_days is not None and not self.dated:
            self.task.due = rule.due(clock.now())
            self._credit("dated", row)
        before = len(self.labels)
        self.labels |= {label.pk: label for label in rule.put_on}
        row.labelled = len(self.labels) > before
        self.rows.append(row)

    def _credit(self, what: str, row: TaskRouting) -> None:
        """This rule has the last word so far."""
        for each in self.rows:
            setattr(each, what, False)
        setattr(row, what, True)


def route(task: Any, labels: Iterable[TaskLabel]) -> Course:
    """Give a new task, before it is saved, to somebody; what is saved after it.

    `labels` are those that it is made with. Constant queries, whatever rules there are.
    A task that has ended already has nothing to be routed for.
    """
    found = {label.pk: label for label in labels}
    course = Course(task, found, task.assigned, task.due is not None)
    if task.origin:
        course.labels |= {label.pk: label for label in _labels_of(task.origin)}
        if not course.chosen:
            task.hand_to(team=team_for(task.origin, task.responsibility))
    if task.is_open:
        rules = list(RoutingRule.objects.filter(active=True).with_parts())
        course.follow(rules, _groups_of(task.patient_id, rules))
    return course


def _labels_of(origin: str) -> Iterable[TaskLabel]:
    """Facts 6.4: a label with an origin is put on tasks of that origin."""
    return TaskLabel.objects.filter(origins__origin=origin, active=True)


def _groups_of(patient: int | None, rules: list[RoutingRule]) -> set[int]:
    """Those patient groups of which rules ask that the patient is in now."""
    asked = {rule.patient_group_id for rule in rules if rule.patient_group_id}
    if patient is None or not asked:
        return set()
    rows = PatientGroupMember.objects.in_force(
        member=patient,
        patient_group__in=asked,
        patient_group__retired__isnull=True,
    )
    return set(rows.values_list("patient_group", flat=True))
