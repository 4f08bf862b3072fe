"""What the pages beside the stock admin share: their gate, frame, rows and history."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from canvas_admin.audit import trail
from canvas_admin.records.models import Keyed, find_row
from patients import gate, self_gain
from patients.models import Patient, PatientGroup

# The audit trail's word for what administration may see of patients out of reach (A8).
ADMINISTRATION = "administration"


def open_group(request: HttpRequest, group_id: UUID, *permissions: str) -> PatientGroup:
    """The patient group of an address, for a person with these model permissions.

    Raises PermissionDenied without them, and Http404 for an unknown or deleted group.
    """
    gate.require(request, *permissions)
    rows = PatientGroup.objects.filter(retired__isnull=True).select_related(
        "auth_group"
    )
    group = rows.filter(externally_exposable_id=group_id).first()
    if group is None:
        raise Http404
    return group


@contextmanager
def changing(request: HttpRequest, group: PatientGroup, action: str) -> Iterator[None]:
    """A transaction that holds the group's row; what self_gain refuses is in the trail.

    The refusal is recorded after the rollback (DESIGN section 9), and raised again.
    `action` is the trail's name for the act.
    """
    try:
        with transaction.atomic():
            PatientGroup.objects.select_for_update().get(pk=group.pk)
            yield
    except self_gain.SelfGain as refusal:
        record_self_gain(request, group, action, *(p.key for p in refusal.patients))
        raise


def record_self_gain(
    request: HttpRequest, group: PatientGroup, action: str, *patients: str
) -> None:
    """The row of the trail for what self_gain refused, with the keys of the patients."""
    trail.refused(
        request, action, *patients, group=group.public_id, reason=self_gain.CODE
    )


def row_or_404(rows: models.QuerySet, key: str) -> Any:
    """The row with this key among these; raises Http404."""
    row = find_row(rows, key)
    if row is None:
        raise Http404
    return row


def address(page: str, group: PatientGroup, *arguments: str) -> str:
    """The address of one of a group's pages, such as "members"."""
    return reverse(
        f"admin:patients_patientgroup_{page}", args=(group.public_id, *arguments)
    )


def seen(patients: list[Patient]) -> list[tuple[str, str]]:
    """What the trail records of patients who are shown to an administrator."""
    return [(key, ADMINISTRATION) for key in dict.fromkeys(p.key for p in patients)]


def show(
    request: HttpRequest,
    template: str,
    title: str,
    status: int = 200,
    of: type[models.Model] = PatientGroup,
    **context: Any,
) -> HttpResponse:
    """A page inside the frame of the administration; `of` is the model it belongs to."""
    context |= admin.site.each_context(request)
    context |= {"title": title, "opts": of._meta}
    name = f"admin/patients/{of._meta.model_name}/{template}.html"
    return render(request, name, context, status=status)


def note(request: HttpRequest, row: Keyed, sentence: str) -> None:
    """A line in a row's history; it names no patient (reference/security.md F6)."""
    LogEntry.objects.create(
        user_id=request.user.pk,
        content_type=ContentType.objects.get_for_model(row),
        object_id=row.public_id,
        object_repr=str(row),
        action_flag=CHANGE,
        change_message=sentence,
    )
