"""What a FHIR Task that comes in makes of a task of ours (facts 3.2, 3.4)."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from django.db import transaction

from canvas_admin.fhir import elements, outcomes
from canvas_admin.fhir.bundles import Rejected
from canvas_admin.fhir.references import id_in, named, names_nobody, needed_id_in
from canvas_admin.fhir.resources import KEY, UUID, Json
from canvas_admin.fhir.rows import fit
from canvas_admin.records import clock
from patients.gate import find_patient
from patients.models import Patient
from staffing.models import Staff, Team, staff_of
from tasks import acts, gate
from tasks.models import Task, TaskComment, TaskLabel

TASK_GROUP = "http://schemas.canvasmedical.com/fhir/extensions/task-group"
# Ours for FHIR's (facts 3.2).
STATUSES = {
    "requested": Task.Status.OPEN,
    "completed": Task.Status.COMPLETED,
    "cancelled": Task.Status.CLOSED,
}
NOTES = 100
LABELS = 50


def create(request: Any, data: Json) -> Task:
    """A new task, with its labels and comments, or nothing of it."""
    said = Said(request, data)
    task = Task(creator=said.requester, patient=said.patient(None), title=said.title)
    task.priority, task.due = said.priority, said.due
    task.created = said.authored or clock.now()
    task.assignee, task.team = said.owner, said.team
    with transaction.atomic():
        seen = gate.still_open(request, task)
        if said.status != Task.Status.OPEN:
            task.set_status(said.status, staff_of(request.user))
        task.begin_with(said.labels(()))
        task.save()
        said.comment(task)
        acts.record(request, "task.create", task, seen)
    return task


def update(request: Any, task: Task, data: Json, check: Callable[[Task], None]) -> Task:
    """The task as it is said to be; team, time of making and comments stay if not said.

    A task never changes its patient: about nobody it may come to be about one.
    """
    said = Said(request, data)
    with transaction.atomic():
        seen = gate.still_open(request, task)
        task = acts.locked(task)
        check(task)
        task.patient = said.patient(task.patient)
        if task.patient and not seen:
            seen = gate.still_open(request, task)
        task.creator, task.title = said.requester, said.title
        task.priority, task.due = said.priority, said.due
        task.created = said.authored or task.created
        team = said.team or task.team
        if (task.assignee, task.team) != (said.owner, team):
            task.hand_to(said.owner, team)
        if task.status != said.status:
            task.set_status(said.status, staff_of(request.user))
        task.save()
        task.set_labels(said.labels(task.labels.all()))
        said.comment(task)
        acts.record(request, "task.change", task, seen)
    return Task.objects.get(pk=task.pk)


class Said:
    """What a Task says in our terms.

    Raises Rejected for what cannot be, and Problem (422) for what names nobody: a staff
    member, a patient or a team that is missing or out of reach, all alike.
    """

    def __init__(self, request: Any, data: Json) -> None:
        self.request, self.data = request, data
        if data.get("intent") != "unknown":
            raise Rejected("body -> intent — must be 'unknown'")
        self.status = _one_of(STATUSES, data.get("status"), "status")
        self.priority = data.get("priority") or ""
        if self.priority and self.priority not in Task.Priority.values:
            raise Rejected(
                f"body -> priority — is none of {', '.join(Task.Priority.values)}"
            )
        self.title = (data.get("description") or "").strip()
        fit(Task, {"title": self.title}, "body -> description")
        self.due = _instant(
            ((data.get("restriction") or {}).get("period") or {}).get("end"),
            "restriction -> period -> end",
        )
        self.authored = _instant(data.get("authoredOn"), "authoredOn")
        requester = needed_id_in(
            data.get("requester"), "Practitioner", KEY, "requester"
        )
        (self.requester,) = _staff([requester])
        owner = id_in(data.get("owner"), "Practitioner", KEY, "owner")
        (self.owner,) = _staff([owner]) if owner else (None,)
        if self.owner and self.owner.service:
            raise names_nobody("Practitioner", self.owner.key)
        self.team = _team(data)
        notes = _few(data.get("note"), NOTES, "note")
        self.notes = list(zip(map(_text, notes), _authors(notes), notes, strict=True))

    def patient(self, before: Patient | None) -> Patient | None:
        """Whom it is about: who is said, or before was said."""
        said = id_in(self.data.get("for"), "Patient", KEY, "for")
        if said is None:
            return before
        patient = find_patient(self.request, said)
        if patient is None:
            raise names_nobody("Patient", said)
        if before is not None and patient != before:
            raise outcomes.against_the_rules("A task stays with its patient")
        return patient

    def labels(self, has: Iterable[TaskLabel]) -> list[TaskLabel]:
        """The labels by name; new names become labels, ended ones are for whoever has them."""
        names = dict.fromkeys(
            (each.get("valueString") or "").strip()
            for each in _few(self.data.get("input"), LABELS, "input")
            if (each.get("type") or {}).get("text") == "label"
        )
        for name in names:
            if not name:
                raise Rejected("body -> input — a label has a name")
            fit(TaskLabel, {"name": name}, "body -> input")
        found = labels_named(names)
        for label in found:
            if not label.active and label not in has:
                raise outcomes.against_the_rules(f"The label '{label}' is inactive")
        return found

    def comment(self, task: Task) -> None:
        """Add the comments that are said; those that are there stay (facts 3.2)."""
        TaskComment.objects.write(
            TaskComment(
                task=task,
                author=author,
                text=text,
                written=_instant(note.get("time"), "note -> time") or clock.now(),
            )
            for text, author, note in self.notes
        )


def labels_named(names: Collection[str]) -> list[TaskLabel]:
    """The labels of these names; those that nobody has made yet are made."""
    there = set(TaskLabel.objects.filter(name__in=names).values_list("name", flat=True))
    TaskLabel.objects.bulk_create(
        [TaskLabel(name=name) for name in names if name not in there],
        ignore_conflicts=True,
    )
    found = {label.name: label for label in TaskLabel.objects.filter(name__in=names)}
    return [found[name] for name in names]


def _text(note: Json) -> str:
    text = (note.get("text") or "").strip()
    if not text:
        raise Rejected("body -> note — a note has a text")
    return text


def _one_of(known: dict[str, Any], code: str | None, at: str) -> Any:
    if code not in known:
        raise Rejected(f"body -> {at} — is none of {', '.join(known)}")
    return known[code]


def _few(rows: list[Json] | None, most: int, at: str) -> list[Json]:
    if len(rows or []) > most:
        raise Rejected(f"body -> {at} — repeats more than {most} times")
    return rows or []


def _instant(text: str | None, at: str) -> Any:
    return elements.instant(text, f"body -> {at}") if text else None


def _authors(notes: Sequence[Json]) -> list[Staff]:
    return _staff(
        [
            needed_id_in(
                note.get("authorReference"), "Practitioner", KEY, f"note -> {at}"
            )
            for at, note in enumerate(notes)
        ]
    )


def _staff(keys: Sequence[str]) -> list[Staff]:
    found = {each.key: each for each in Staff.objects.filter(key__in=keys)}
    return named("Practitioner", keys, found)


def _team(data: Json) -> Team | None:
    """The team that the last task-group extension names (facts 3.4)."""
    groups = [
        each.get("valueReference")
        for each in data.get("extension") or []
        if each.get("url") == TASK_GROUP
    ]
    if not groups:
        return None
    found = id_in(groups[-1], "Group", UUID, "extension")
    team = found and Team.objects.filter(externally_exposable_id=found).first()
    if not team:
        raise names_nobody("Group", found or "")
    return team
