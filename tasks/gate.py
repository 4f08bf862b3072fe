"""The gate in front of a task."""

from django.http import HttpRequest

from canvas_admin.audit import trail
from canvas_admin.records.models import find_row
from patients import areas, gate
from tasks.models import Campaign, Task


def open_task(request: HttpRequest, key: str, *permissions: str) -> Task:
    """The task with this key, for a person who may do this and reaches its patient.

    Raises patients.gate.Refused otherwise: for a missing permission, a patient out of
    reach, a key that no task has, and a text that is no key, all alike.
    """
    rows = Task.objects.visible_to(gate.reach(request)).with_people()
    task = find_row(rows.select_related("creator", "ended_by"), key)
    if task is None or not request.user.has_perms(permissions):
        raise gate.Refused("", about=f"task/{key}")
    return task


def open_campaign(request: HttpRequest, key: str) -> Campaign:
    """The campaign with this key, for a person who may run campaigns and sees this one.

    Raises patients.gate.Refused otherwise, always alike.
    """
    rows = Campaign.objects.visible_to(request.user)
    rows = rows.select_related("patient_group", "creator", "ended_by")
    campaign = find_row(rows, key)
    if campaign is None or not request.user.has_perms(areas.RUN_CAMPAIGNS):
        raise gate.Refused("", about=f"campaign/{key}")
    return campaign


def campaign_of(request: HttpRequest, task: Task) -> Campaign | None:
    """The campaign that a task is of, for a person who sees it."""
    if task.campaign_id is None:
        return None
    rows = Campaign.objects.visible_to(request.user)
    return rows.filter(pk=task.campaign_id).first()


def still_open(request: HttpRequest, task: Task) -> trail.Seen:
    """gate.still_open() of its patient; about no patient there is nothing to ask."""
    return gate.still_open(request, task.patient) if task.patient else []


def shown(request: HttpRequest, act: str, *tasks: Task) -> None:
    """Record that an answer is about to show these tasks' patients."""
    patients = {task.patient_id: task.patient for task in tasks if task.patient_id}
    gate.shown(request, act, *patients.values())
