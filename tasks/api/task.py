"""FHIR Task over our tasks (facts 3)."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.urls import reverse

from canvas_admin.audit import trail
from canvas_admin.fhir.parameters import Instant, Of, Reference, Text, Token
from canvas_admin.fhir.resources import (
    KEY,
    UUID,
    Include,
    Json,
    Resource,
    filled,
    instant,
    reference,
)
from canvas_admin.fhir.searching import Rows, Search, Ways
from patients import access, areas
from patients.api.of_patient import proposed, within
from patients.gate import reach
from patients.models.folded import folded_words
from tasks.api import task_writing
from tasks.api.task_writing import STATUSES, TASK_GROUP
from tasks.models import Task, TaskComment, TaskTaskLabel

PERMALINK = "http://schemas.canvasmedical.com/fhir/extensions/task-permalink"
FHIR_STATUSES = {ours: theirs for theirs, ours in STATUSES.items()}
_NO_OWNER = Q(assignee__isnull=True)


class TaskResource(Resource):
    """Tasks within reach; about a patient out of reach there is none (DESIGN section 5)."""

    type = "Task"
    public_field, id_pattern = "externally_exposable_id", UUID
    permissions = {
        "read": areas.SEE_TASKS,
        "search": areas.SEE_TASKS,
        "create": areas.WRITE_TASKS,
        "update": areas.WRITE_TASKS,
    }
    sorts = {"_id": ("externally_exposable_id",), "due-date": ("due",)}
    includes = {
        "patient": Include("patient", "Patient"),
        "owner": Include("assignee", "Practitioner"),
        "requester": Include("creator", "Practitioner"),
    }

    def __init__(self) -> None:
        self.parameters = {
            "_id": self.by_id(),
            "description": Text("folded_title", "title", folded_words),
            "due": Instant("due", missing=Q(due__isnull=True)),
            "label": Of(TaskTaskLabel, "task", Token("label__name")),
            "modified": Instant("modified"),
            "owner": Reference("assignee__key", "Practitioner", KEY, missing=_NO_OWNER),
            "patient": Reference(
                "patient__key", "Patient", KEY, missing=Q(patient__isnull=True)
            ),
            "priority": Token("priority", missing=Q(priority="")),
            "requester": Reference("creator__key", "Practitioner", KEY),
            "status": Token("status", STATUSES),
        }

    def rows(self, request: Any) -> QuerySet:
        return _with_all(Task.objects.visible_to(reach(request)))

    def matches(self, request: Any, search: Search) -> Rows | Ways:
        if not proposed(request, "patient"):
            return super().matches(request, search)
        # Of a narrow reach: one condition of both would be looked for among all tasks.
        about = (
            within(request, Task.objects.all()),
            Task.objects.filter(patient__isnull=True),
        )
        asked, order = search.condition(request), self.order(search)
        ways = tuple(Rows(tasks.filter(asked), order) for tasks in about)
        return Ways(Rows(_with_all(Task.objects.all()), order), ways)

    def to_fhir(self, request: Any, rows: Sequence[Task]) -> list[Json]:
        return [to_fhir(task, request.build_absolute_uri) for task in rows]

    def seen(self, request: Any, rows: Sequence[Task]) -> trail.Seen:
        patients = {task.patient_id: task.patient for task in rows if task.patient_id}
        return access.paths_to(reach(request), list(patients.values()))

    def create(self, request: Any, data: Json) -> Task:
        return task_writing.create(request, data)

    def update(
        self, request: Any, row: Task, data: Json, check: Callable[[Task], None]
    ) -> Task:
        return task_writing.update(request, row, data, check)


def _with_all(tasks: QuerySet) -> QuerySet:
    """These tasks with what a resource tells of them."""
    comments = TaskComment.objects.select_related("author").order_by("written", "pk")
    rows = tasks.with_people().select_related("creator")
    return rows.prefetch_related(Prefetch("comments", comments))


def to_fhir(task: Task, at: Callable[[str], str]) -> Json:
    """A task as facts 3.3 have it; `at` makes a path of ours an address."""
    return filled(
        resourceType="Task",
        id=str(task.externally_exposable_id),
        extension=list(_extensions(task, at)),
        status=FHIR_STATUSES[task.status],
        priority=task.priority,
        description=task.title,
        for_=task.patient and reference("Patient", task.patient.key),
        authoredOn=instant(task.created),
        lastModified=instant(task.modified),
        requester=task.creator and reference("Practitioner", task.creator.key),
        owner=task.assignee and reference("Practitioner", task.assignee.key),
        intent="unknown",
        restriction=task.due and {"period": {"end": instant(task.due)}},
        note=[_note(comment) for comment in task.comments.all()],
        input=[
            {"type": {"text": "label"}, "valueString": label.name}
            for label in task.labels.all()
        ],
    )


def _extensions(task: Task, at: Callable[[str], str]) -> Any:
    if task.team:
        team = str(task.team.externally_exposable_id)
        yield {
            "url": TASK_GROUP,
            "valueReference": reference("Group", team, task.team.name),
        }
    page = reverse("tasks:detail", kwargs={"key": task.key})
    yield {"url": PERMALINK, "valueString": at(page)}


def _note(comment: TaskComment) -> Json:
    author = comment.author and reference("Practitioner", comment.author.key)
    return filled(
        authorReference=author, time=instant(comment.written), text=comment.text
    )
