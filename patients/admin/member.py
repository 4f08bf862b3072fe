"""One membership of a patient group: change it, take the patient out, put back.

Rows are history and are never deleted. Anybody may be taken out; who may be put back, or
stay longer, is asked of patients.self_gain.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _

from canvas_admin.audit import trail
from canvas_admin.records import clock
from patients import self_gain
from patients.admin import pages
from patients.admin.members import (
    ADD,
    READ,
    MembershipForm,
    put_in,
    refuse_a_second,
)
from patients.models import Patient, PatientGroup, PatientGroupMember

CHANGE = "patients.change_patientgroupmember"

# {membership: what to put back}: what this session took out.
TAKEN_OUT = "patients.members.taken_out"


@READ
def member(request: HttpRequest, group_id: UUID, key: str) -> HttpResponse:
    """Change the dates of a membership, or lock it."""
    group = pages.open_group(request, group_id, CHANGE)
    row = pages.row_or_404(group.memberships.select_related("member"), key)
    form = MembershipForm(request.POST or None, instance=row)
    if request.method == "POST" and _changed(request, group, form):
        messages.success(request, _("The membership is saved."))
        return redirect(pages.address("members", group))
    trail.shown(
        request,
        "patient_group.member",
        pages.seen([row.member]),
        group=group.public_id,
    )
    title = _("Member of %(group)s") % {"group": group}
    going_on = group.memberships.going_on().filter(pk=row.pk).exists()
    return pages.show(
        request, "member", title, group=group, row=row, form=form, going_on=going_on
    )


@READ
def remove(request: HttpRequest, group_id: UUID, key: str) -> HttpResponse:
    """Take a member out, as of now; asks first, and offers the way back afterwards."""
    group = pages.open_group(request, group_id, CHANGE)
    row = pages.row_or_404(group.memberships.select_related("member"), key)
    if request.method != "POST":
        title = _("Take out of %(group)s") % {"group": group}
        return _ask(request, "member_remove", title, group, row)
    if before := _taken_out(request, group, row):
        taken = request.session.get(TAKEN_OUT, {})
        request.session[TAKEN_OUT] = {**taken, row.key: before}
        said = _("The patient is taken out of “%(group)s”.") % {"group": group}
        way_back = pages.address("member_restore", group, row.key)
        link = format_html('{} <a href="{}">{}</a>', said, way_back, _("Put back"))
        messages.success(request, link)
    else:
        messages.info(request, _("This membership has ended already."))
    return redirect(pages.address("members", group))


@READ
def restore(request: HttpRequest, group_id: UUID, key: str) -> HttpResponse:
    """Put back whom this session took out, as the membership was before."""
    group = pages.open_group(request, group_id, ADD)
    row = pages.row_or_404(group.memberships.select_related("member"), key)
    before = request.session.get(TAKEN_OUT, {}).get(key)
    if before is None:
        messages.info(request, _("There is nothing to put back."))
        return redirect(pages.address("members", group))
    problems: list[str] = []
    if request.method == "POST":
        try:
            _put_back(request, group, row.member, before)
        except ValidationError as error:
            problems = error.messages
        else:
            taken = request.session[TAKEN_OUT]
            request.session[TAKEN_OUT] = {k: v for k, v in taken.items() if k != key}
            messages.success(
                request, _("The patient is back in “%(group)s”.") % {"group": group}
            )
            return redirect(pages.address("members", group))
    title = _("Put back into %(group)s") % {"group": group}
    return _ask(request, "member_restore", title, group, row, problems=problems)


def _changed(request: HttpRequest, group: PatientGroup, form: MembershipForm) -> bool:
    """Whether the form could be saved; if not, it says why."""
    try:
        # It holds the group, as whoever puts a patient in does: two open memberships
        # cannot race.
        with pages.changing(request, group, "patient_group.member_changed"):
            return _saved(request, group, form)
    except ValidationError as error:
        form.add_error(None, error)
        return False


def _saved(request: HttpRequest, group: PatientGroup, form: MembershipForm) -> bool:
    """Whether the form is valid, and saved then; raises ValidationError for the dates."""
    before = PatientGroupMember.objects.select_for_update().get(pk=form.instance.pk)
    if not form.is_valid():
        return False
    if form.has_changed():
        refuse_a_second(form.instance)
    self_gain.check_dates(request.user, before, form.instance)
    form.instance.save(by=request.user)
    pages.note(request, group, _("A membership was changed."))
    return True


def _taken_out(
    request: HttpRequest, group: PatientGroup, row: PatientGroupMember
) -> dict[str, Any] | None:
    """End the membership; what is needed to put it back, or None if it had ended."""
    with transaction.atomic():
        row = PatientGroupMember.objects.select_for_update().get(pk=row.pk)
        if not row.goes_on:
            return None
        before = {"start": row.start_date.isoformat(), "locked": row.locked}
        before["end"] = row.end_date.isoformat() if row.end_date else None
        row.end(by=request.user)
        pages.note(request, group, _("A member was taken out."))
        return before


def _put_back(
    request: HttpRequest, group: PatientGroup, patient: Patient, before: dict[str, Any]
) -> None:
    start = datetime.fromisoformat(before["start"])
    end = before["end"] and datetime.fromisoformat(before["end"])
    row = PatientGroupMember(
        patient_group=group,
        member=patient,
        start_date=max(start, clock.now()),
        end_date=end,
        locked=before["locked"],
    )
    if not row.goes_on:
        raise ValidationError(_("The membership would have ended by now."))
    put_in(request, group, row)


def _ask(
    request: HttpRequest,
    template: str,
    title: str,
    group: PatientGroup,
    row: PatientGroupMember,
    **context: Any,
) -> HttpResponse:
    """A page with one question about one member, who is shown by name (A8)."""
    shown = pages.seen([row.member])
    trail.shown(request, "patient_group.member", shown, group=group.public_id)
    return pages.show(request, template, title, group=group, row=row, **context)
