"""What is done with a task by one button: take it, end it, write about it."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from canvas_admin.records.forms import SavedAlready
from patients import areas
from tasks import acts
from tasks.forms.comments import CommentForm
from tasks.gate import open_task
from tasks.models import Task, TaskLabel
from tasks.views.listing import Wanted
from tasks.views.reading import task_page

Status = Task.Status


@require_POST
def claim(request: HttpRequest, key: str) -> HttpResponse:
    """Take a task that nobody has; who comes second is told who has it.

    ?from=list, with the list's codes, leads back to the list.
    """
    row = open_task(request, key, *areas.WRITE_TASKS)
    try:
        acts.claim(request, row)
    except ValidationError as error:
        row = open_task(request, key)
        return task_page(request, row, *error.messages, status=409)
    messages.success(request, _("The task is yours."))
    if request.GET.get("from") == "list":
        return redirect(Wanted.of(request, list(TaskLabel.objects.all())).address())
    return redirect("tasks:detail", key=row.key)


@require_POST
def set_status(request: HttpRequest, key: str) -> HttpResponse:
    """Complete it, close it without having done it, or open it again."""
    row = open_task(request, key, *areas.WRITE_TASKS)
    said = {
        Status.COMPLETED: _("The task is completed."),
        Status.CLOSED: _("The task is closed."),
        Status.OPEN: _("The task is open again."),
    }
    wanted = request.POST.get("status", "")
    if wanted not in said:
        return task_page(request, row, _("Choose what to do."), status=400)
    try:
        acts.set_status(request, row, wanted, request.POST.get("form_version", ""))
    except ValidationError as error:
        row = open_task(request, key)
        return task_page(request, row, *error.messages, status=409)
    messages.success(request, said[wanted])
    return redirect("tasks:detail", key=row.key)


@require_POST
def comment(request: HttpRequest, key: str) -> HttpResponse:
    """Write a comment; the task may have ended."""
    row = open_task(request, key, *areas.WRITE_TASKS)
    form = CommentForm(request.POST, task=row, actor=request.user)
    try:
        if not acts.save(request, form, "task.comment"):
            return task_page(request, row, form=form)
        messages.success(request, _("The comment is saved."))
    except SavedAlready:
        messages.info(
            request, _("This form was saved before, so nothing was saved again.")
        )
    return redirect("tasks:detail", key=row.key)
