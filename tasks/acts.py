"""What people do with a task: each act checked, saved and on the trail, or nothing of it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from canvas_admin.audit import trail
from staffing.models import staff_of
from tasks import gate
from tasks.models import Task


def save(request: HttpRequest, form: Any, act: str) -> bool:
    """Check and save a form about a task; False when the person has to look again.

    Raises Refused when the patient has left the person's reach, SavedAlready for a form
    that was sent before.
    """
    try:
        with transaction.atomic():
            seen = gate.still_open(request, form.task)
            if not form.is_valid() or form.unconfirmed:
                return False
            form.save()
            record(request, act, form.task, seen, fields=form.changed)
    except IntegrityError:
        sentence = _(
            "Somebody saved something alike at this moment. Look, and try again."
        )
        form.add_error(None, sentence)
        return False
    return True


@transaction.atomic
def claim(request: HttpRequest, task: Task) -> Task:
    """Take a task that nobody has; it stays with its team as well.

    Raises ValidationError, which says who has it, for whoever comes second.
    """
    seen = gate.still_open(request, task)
    task, me = locked(task), staff_of(request.user)
    if me is None:
        raise ValidationError(_("Only a staff member can take a task."))
    if not task.is_open:
        raise ValidationError(_("Nothing is left to do here: the task has ended."))
    if task.assignee and task.assignee != me:
        raise ValidationError(_("%(name)s has this task.") % {"name": task.assignee})
    if task.assignee != me:
        task.hand_to(me, task.team)
        task.save()
        record(request, "task.claim", task, seen)
    return task


@transaction.atomic
def set_status(request: HttpRequest, task: Task, status: str, version: str) -> None:
    """Complete, close or reopen what the person saw in this version.

    Raises ValidationError when somebody changed it since.
    """
    seen = gate.still_open(request, task)
    task = locked(task)
    if str(task.version) != version or task.status == status:
        raise ValidationError(
            _("Somebody changed this meanwhile. Look at it and choose again.")
        )
    task.set_status(status, staff_of(request.user))
    task.save()
    record(request, "task.status", task, seen, status=status)


def locked(task: Task) -> Task:
    """The task as it is now, locked until the end of the transaction."""
    Task.objects.select_for_update().get(pk=task.pk)
    # Only now: what a lock joins, PostgreSQL reads as it was before the wait.
    return Task.objects.with_people().get(pk=task.pk)


def record(
    request: HttpRequest, act: str, task: Task, seen: trail.Seen, **detail: Any
) -> None:
    """An act with a task on the trail, with whose the task is now, by keys."""
    trail.done(
        request.user,
        act,
        seen,
        request=request,
        subject=f"task/{task.key}",
        assignee=task.assignee.key if task.assignee else "",
        team=task.team.key if task.team else "",
        **detail,
    )
