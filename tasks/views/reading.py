"""One task, with its comments and what can be done with it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from patients import areas
from tasks import cause_pages, gate
from tasks.forms.comments import CommentForm
from tasks.models import Task, TaskComment

COMMENTS = 25


@require_safe
def task(request: HttpRequest, key: str) -> HttpResponse:
    """The task; ?after= is the key of the last comment shown."""
    row = gate.open_task(request, key, *areas.SEE_TASKS)
    return task_page(request, row)


def task_page(
    request: HttpRequest,
    row: Task,
    *problems: str,
    form: Any = None,
    status: int = 200,
) -> HttpResponse:
    """The page of a task, with what went wrong and the comment that was refused."""
    comments = TaskComment.objects.filter(task=row).select_related("author")
    context = {
        "task": row,
        "patient": row.patient,
        "campaign": gate.campaign_of(request, row),
        "problems": problems,
        "form": form or CommentForm(),
        "cause": cause_pages.page_of(row, request.user),
        "takeable": row.is_open and row.assignee is None,
        "routings": list(row.routings.all()),
        **comments.page(request.GET.get("after", ""), COMMENTS),
    }
    gate.shown(request, "task", row)
    return render(request, "tasks/detail.html", context, status=status)
