"""Several tasks of a list at once: chosen, looked at once more, changed, and undone."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from patients import areas
from patients.gate import reach, require
from tasks import bulk as acts
from tasks import gate
from tasks.forms.bulk import FORMS
from tasks.models import TaskLabel
from tasks.views.listing import Wanted


@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Show what would be done with the ticked tasks; with `decided`, do it.

    ?from=list, with the list's codes, leads back to the list.
    """
    require(request, *areas.WRITE_TASKS)
    back = Wanted.of(request, list(TaskLabel.objects.all()))
    form_class = FORMS.get(request.POST.get("act", ""))
    chosen, done = acts.chosen(request.POST), None
    if problem := _problem(form_class, len(chosen)):
        messages.warning(request, problem)
        return redirect(back.address())
    if "decided" in request.POST:
        found, form, done = acts.attempt(request, chosen, form_class)
    else:
        found = acts.look(reach(request), chosen)
        form = form_class(tasks=found.ready, actor=request.user)
    gate.shown(request, "tasks.bulk", *found.there)
    context = {"form": form, "found": found, "done": done, "back": back}
    template = "tasks/bulk_done.html" if done else "tasks/bulk.html"
    return render(request, template, context)


@require_POST
def reopen(request: HttpRequest) -> HttpResponse:
    """Open again what one act has ended, where nobody has touched it since."""
    require(request, *areas.WRITE_TASKS)
    counted = acts.reopen(request, request.POST.get("undo", ""))
    if counted is None:
        text = _("This can be undone for 15 minutes. Open each task instead.")
        messages.warning(request, text)
        return redirect("tasks:list")
    opened, left = counted
    text = ngettext(
        "%(number)s task is open again.", "%(number)s tasks are open again.", opened
    )
    messages.success(request, text % {"number": opened})
    if left:
        text = ngettext(
            "%(number)s task was changed meanwhile and stays as it is.",
            "%(number)s tasks were changed meanwhile and stay as they are.",
            left,
        )
        messages.info(request, text % {"number": left})
    return redirect("tasks:list")


def _problem(form_class: Any, number: int) -> str:
    """What is wrong with the choice; "" when nothing is."""
    if form_class is None or not number:
        return _("Tick tasks, and choose what to do with them.")
    if number > acts.MOST:
        return _("Choose %(most)s tasks at most.") % {"most": acts.MOST}
    return ""
