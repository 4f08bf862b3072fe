"""The list of tasks, by codes in the address."""

from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from canvas_admin.records.models import find_row
from patients import areas
from patients.gate import reach, require
from patients.work import kind_of
from patients.work.queues import Person, Queue, Whose
from staffing.models import Staff, staff_of
from tasks import gate
from tasks.models import Task, TaskLabel
from tasks.querysets import TaskQuerySet

PAGE = 25
WHOSE = {
    "mine": _("Mine and my teams’"),
    "unassigned": _("Unassigned"),
    "all": _("All within reach"),
}
STATUSES = {status.lower(): (status, name) for status, name in Task.Status.choices}
SORTS = {
    "due": _("By due date"),
    "priority": _("By priority"),
    "newest": _("Newest first"),
}


@dataclass(frozen=True)
class Wanted:
    """Which tasks a request asks for. What is no such code counts as not given."""

    whose: str = "mine"
    status: str = "open"
    label: str = ""
    sort: str = "due"

    @classmethod
    def of(cls, request: HttpRequest, labels: list[TaskLabel]) -> "Wanted":
        """?whose=, ?status= and ?sort= are codes, ?label= is a label's key."""
        keys = dict.fromkeys(label.key for label in labels)
        known = {"whose": WHOSE, "status": STATUSES, "label": keys, "sort": SORTS}
        asked = {name: request.GET.get(name) for name in known}
        return cls(**{n: code for n, code in asked.items() if code in known[n]})

    def address(self, after: str = "", **changed: str) -> str:
        """The list's address with these codes changed, going on after a task's key."""
        given = replace(self, **changed).codes | ({"after": after} if after else {})
        return reverse("tasks:list") + (f"?{urlencode(given)}" if given else "")

    @property
    def codes(self) -> dict[str, str]:
        """Those that are not the usual ones."""
        usual = asdict(Wanted())
        return {n: code for n, code in asdict(self).items() if code != usual[n]}

    @property
    def origin(self) -> str:
        """What an act in the list keeps in its address, to lead back here."""
        return "?" + urlencode({"from": "list", **self.codes})

    def rows(self, visible: TaskQuerySet, staff: Staff | None) -> TaskQuerySet:
        """Those of the visible tasks that are asked for."""
        rows = visible.filter(status=STATUSES[self.status][0])
        if self.label:
            rows = rows.filter(labelled__label__key=self.label)
        if self.whose == "all":
            return rows
        return rows.unassigned() if self.whose == "unassigned" else rows.of(staff)


@require_safe
def task_list(request: HttpRequest) -> HttpResponse:
    """One's own tasks and the teams' that nobody took (facts 3.5), or others in reach.

    S2: "Items assigned to staff will not be visible to them if they do not have access to
    the patient": neither here nor in the numbers. ?after= is the key of a visible task.
    """
    require(request, *areas.SEE_TASKS)
    labels = list(TaskLabel.objects.all())
    wanted, person = Wanted.of(request, labels), Person.of(reach(request))
    page = _page(request, wanted, person)
    gate.shown(request, "tasks", *page["rows"])
    context = {
        **page,
        "next": page["next"] and wanted.address(after=page["next"]),
        "wanted": wanted,
        "person": person,
        "first": wanted.address(),
        "tabs": [
            (title, wanted.address(whose=whose), whose == wanted.whose)
            for whose, title in WHOSE.items()
        ],
        "labels": labels,
        "statuses": [(code, name) for code, (_status, name) in STATUSES.items()],
        "sorts": SORTS.items(),
    }
    return render(request, "tasks/list.html", context)


def _page(request: HttpRequest, wanted: Wanted, person: Person) -> dict[str, Any]:
    """A page of what is wanted; of all open tasks there are keys in each order."""
    after = request.GET.get("after", "")
    if (wanted.status, wanted.label) == ("open", ""):
        sort = "" if wanted.sort == "due" else wanted.sort
        queue = Queue(kind_of(Task), person, Whose(wanted.whose), sort)
        return queue.page(after, PAGE)
    visible = Task.objects.visible_to(person.reach)
    rows = wanted.rows(visible, staff_of(request.user)).with_people()
    return rows.page(wanted.sort, find_row(visible, after), PAGE)
