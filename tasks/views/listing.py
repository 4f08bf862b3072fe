"""The list of tasks, by codes in the address."""

from dataclasses import asdict, dataclass, replace
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from patients import areas
from patients.gate import reach, require
from patients.work.queues import Person, Queue, Whose
from tasks import gate
from tasks.models import Task, TaskLabel
from tasks.shelves import SHELVES

PAGE = 25
WHOSE = {
    "mine": _("Mine and my teams’"),
    "unassigned": _("Unassigned"),
    "all": _("All within reach"),
}
STATUSES = {status.lower(): name for status, name in Task.Status.choices}
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

    def queue(self, person: Person, labels: list[TaskLabel]) -> Queue:
        """The tasks that are asked for; those that have ended are in one order alone."""
        shelf = SHELVES[self.status]
        label = next((each.pk for each in labels if each.key == self.label), None)
        sort = self.sort if self.sort in shelf.orders else ""
        return Queue(shelf, person, Whose(self.whose), sort, label)


@require_safe
def task_list(request: HttpRequest) -> HttpResponse:
    """One's own tasks and the teams' that nobody took (facts 3.5), or others in reach.

    S2: "Items assigned to staff will not be visible to them if they do not have access to
    the patient": neither here nor in the numbers. ?after= is the key of a visible task.
    """
    require(request, *areas.SEE_TASKS)
    labels = list(TaskLabel.objects.all())
    wanted, person = Wanted.of(request, labels), Person.of(reach(request))
    page = wanted.queue(person, labels).page(request.GET.get("after", ""), PAGE)
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
        "statuses": STATUSES.items(),
        "sorts": SORTS.items() if wanted.status == "open" else (),
    }
    return render(request, "tasks/list.html", context)
