"""Changing a task that is open: what is written on it, and whose it is."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from patients import areas
from tasks import acts, gate
from tasks.forms.tasks import EditForm, HandOverForm


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, key: str) -> HttpResponse:
    """Title, due date, priority and labels."""
    return _change(request, key, EditForm, "task.change", _("Edit task"))


@require_http_methods(["GET", "HEAD", "POST"])
def hand_over(request: HttpRequest, key: str) -> HttpResponse:
    """Give it to a person or a team; asks first when not all of them will see it (S2)."""
    return _change(request, key, HandOverForm, "task.assign", _("Hand over"))


def _change(
    request: HttpRequest, key: str, form_class: Any, act: str, page_title: str
) -> HttpResponse:
    task = gate.open_task(request, key, *areas.WRITE_TASKS)
    if not task.is_open:
        messages.info(request, _("This task has ended. Reopen it first."))
        return redirect("tasks:detail", key=task.key)
    title = task.title
    form = form_class(request.POST or None, instance=task, actor=request.user)
    asks = False
    if request.method == "POST":
        if acts.save(request, form, act):
            messages.success(request, _("The task is saved."))
            return redirect("tasks:detail", key=task.key)
        asks = form.is_valid() and form.unconfirmed
    gate.shown(request, "task.form", task)
    context = {
        "task": task,
        "patient": task.patient,
        "form": form,
        "page_title": page_title,
        "title": title,
        "asks": asks,
    }
    return render(request, "tasks/form.html", context)
