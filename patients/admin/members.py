"""The members of a patient group: look, add, change, take out, put back.

Rows are history and are never deleted. Who may be put in is asked of patients.self_gain;
anybody may be taken out.
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
from django.views.decorators.http import require_http_methods

from canvas_admin.audit import trail
from canvas_admin.records import clock
from canvas_admin.records.forms import VersionedForm
from patients import self_gain
from patients.admin import memberships, pages, picker
from patients.admin.moments import MomentField
from patients.forms import SearchForm
from patients.models import Patient, PatientGroup, PatientGroupMember

VIEW = "patients.view_patientgroupmember"
ADD = "patients.add_patientgroupmember"
CHANGE = "patients.change_patientgroupmember"

# [group, text]: what was typed to find a member, in the session and in no address.
FILTER = "patients.members.filter"
# {membership: what to put back}: what this session took out.
TAKEN_OUT = "patients.members.taken_out"

READ = require_http_methods(["GET", "HEAD", "POST"])


class MembershipForm(VersionedForm):
    """From when until when a patient is in the group, and whether locked."""

    class Meta:
        model = PatientGroupMember
        fields = ("start_date", "end_date", "locked")
        field_classes = {"start_date": MomentField, "end_date": MomentField}
        widgets = {"start_date": MomentField.widget, "end_date": MomentField.widget}

    def clean(self) -> dict[str, Any]:
        """An instant that was left alone keeps its seconds."""
        cleaned = super().clean()
        for name in ("start_date", "end_date"):
            if name in cleaned and name not in self.changed_data:
                cleaned[name] = self.initial.get(name)
        return cleaned


@READ
def members(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """A page of the group's members: name, date of birth, mark, dates (security A8).

    ?state= is one of memberships.STATES; ?after= is the key of the last membership shown.
    """
    group = pages.open_group(request, group_id, VIEW)
    typed = SearchForm(request.POST) if request.method == "POST" else None
    if typed is not None and _keep_filter(request, group, typed):
        return redirect(request.get_full_path())
    kept = SearchForm({"q": _kept_text(request, group)})
    state = memberships.state_code(request.GET.get("state", ""))
    page = memberships.page(
        group,
        state,
        query=kept.cleaned_data["q"] if kept.is_valid() else None,
        after=pages.find_row(group.memberships.all(), request.GET.get("after", "")),
    )
    shown = pages.seen([row.member for row in page.rows])
    trail.shown(request, "patient_group.members", shown, group=group.public_id)
    return pages.show(
        request,
        "members",
        _("Members of %(group)s") % {"group": group},
        group=group,
        page=page,
        state=state,
        states=memberships.STATES.values(),
        filter=typed or kept,
        filtered=kept.is_valid(),
        address=pages.address("members", group),
    )


@READ
def add(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """Put a patient in: find, choose, from when until when."""
    group = pages.open_group(request, group_id, ADD)
    row = PatientGroupMember(patient_group=group)
    acts = request.method == "POST" and "find" not in request.POST
    form = MembershipForm(request.POST if acts else None, instance=row)
    found = picker.Found()
    if acts:
        patient = picker.chosen(request)
        if _added(request, group, patient, form):
            messages.success(
                request, _("The patient is in “%(group)s”.") % {"group": group}
            )
            page = "member_add" if "another" in request.POST else "members"
            return redirect(pages.address(page, group))
        found = picker.show_again(request, patient)
    elif request.method == "POST":
        found = picker.find(request)
        form = MembershipForm(instance=row, initial=_typed_dates(request))
    return pages.show(
        request,
        "member_add",
        _("Add a member to %(group)s") % {"group": group},
        status=found.status,
        group=group,
        form=form,
        found=found,
        most=picker.ROWS,
    )


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
        return _ask(
            request,
            "member_remove",
            _("Take out of %(group)s") % {"group": group},
            group,
            row,
        )
    before = {"start": row.start_date.isoformat(), "locked": row.locked}
    before["end"] = row.end_date and row.end_date.isoformat()
    if not row.goes_on:
        messages.info(request, _("This membership has ended already."))
        return redirect(pages.address("members", group))
    with transaction.atomic():
        row.end(by=request.user)
        pages.note(request, group, _("A member was taken out."))
    request.session[TAKEN_OUT] = {
        **request.session.get(TAKEN_OUT, {}),
        row.key: before,
    }
    said = format_html(
        '{} <a href="{}">{}</a>',
        _("The patient is taken out of “%(group)s”.") % {"group": group},
        pages.address("member_restore", group, row.key),
        _("Put back"),
    )
    messages.success(request, said)
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


def put_in(request: HttpRequest, group: PatientGroup, row: PatientGroupMember) -> None:
    """Save a new membership; raises ValidationError when the patient may not come in."""
    with transaction.atomic():
        PatientGroup.objects.select_for_update().get(pk=group.pk)
        _refuse_a_second(row)
        self_gain.check_adding(request.user, group, [row.member])
        row.save(by=request.user)
        pages.note(request, group, _("A member was put in."))


def _refuse_a_second(row: PatientGroupMember) -> None:
    """Raises ValidationError when another membership of the patient goes on."""
    others = row.patient_group.memberships.exclude(pk=row.pk).filter(member=row.member)
    if row.goes_on and others.going_on().exists():
        raise ValidationError(
            _("This patient is in the group already, or will be; see the members.")
        )


def _added(
    request: HttpRequest,
    group: PatientGroup,
    patient: Patient | None,
    form: MembershipForm,
) -> bool:
    """Whether the form could be saved; if not, it says why."""
    if patient is None:
        form.add_error(
            None,
            _("Choose a patient. What was found is good for 15 minutes; find again."),
        )
        return False
    form.instance.member = patient
    if not form.is_valid():
        return False
    try:
        put_in(request, group, form.instance)
    except ValidationError as error:
        form.add_error(None, error)
        return False
    return True


def _changed(request: HttpRequest, group: PatientGroup, form: MembershipForm) -> bool:
    """Whether the form could be saved; if not, it says why."""
    with transaction.atomic():
        before = PatientGroupMember.objects.select_for_update().get(pk=form.instance.pk)
        if not form.is_valid():
            return False
        try:
            if form.has_changed():
                _refuse_a_second(form.instance)
            self_gain.check_dates(request.user, before, form.instance)
        except ValidationError as error:
            form.add_error(None, error)
            return False
        form.instance.save(by=request.user)
        pages.note(request, group, _("A membership was changed."))
        return True


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


def _typed_dates(request: HttpRequest) -> dict[str, Any]:
    """The dates that stood in the form when "Find" was pressed, where they are dates."""
    typed = MembershipForm(request.POST)
    typed.is_valid()
    return {
        name: typed.cleaned_data[name]
        for name in MembershipForm.Meta.fields
        if typed.cleaned_data.get(name)
    }


def _kept_text(request: HttpRequest, group: PatientGroup) -> str:
    group_id, text = request.session.get(FILTER, ("", ""))
    return text if group_id == group.public_id else ""


def _keep_filter(request: HttpRequest, group: PatientGroup, typed: SearchForm) -> bool:
    """Keep the typed text, or drop it when asked or empty; False if it cannot be used."""
    if "clear" in request.POST or not typed.text:
        request.session.pop(FILTER, None)
        return True
    if typed.is_valid():
        request.session[FILTER] = [group.public_id, typed.text]
        return True
    return False
