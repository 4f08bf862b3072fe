"""The members of a patient group: look at them, and put a patient in.

Who may be put in is asked of patients.self_gain.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from canvas_admin.audit import trail
from canvas_admin.records.forms import VersionedForm
from canvas_admin.records.models import find_row
from patients import self_gain
from patients.admin import memberships, pages, picker
from patients.admin.moments import MomentField
from patients.forms import SearchForm
from patients.models import Patient, PatientGroup, PatientGroupMember

VIEW = "patients.view_patientgroupmember"
ADD = "patients.add_patientgroupmember"

# [group, text]: what was typed to find a member, in the session and in no address.
FILTER = "patients.members.filter"
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
                cleaned[name] = self.initial.get(name, cleaned[name])
        return cleaned


@READ
def members(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """A page of the group's members: name, date of birth, mark, dates (security A8).

    ?state= is one of memberships.STATES; ?after= is the key of the last membership shown.
    """
    group = pages.open_group(request, group_id, VIEW)
    state = memberships.state_code(request.GET.get("state", ""))
    typed = SearchForm(request.POST) if request.method == "POST" else None
    if typed is not None and _keep_filter(request, group, typed):
        return redirect(f"{pages.address('members', group)}?state={state}")
    kept = SearchForm({"q": _kept_text(request, group)})
    page = memberships.page(
        group,
        state,
        query=kept.cleaned_data["q"] if kept.is_valid() else None,
        after=find_row(group.memberships.all(), request.GET.get("after", "")),
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
        found = picker.show_again(request, patient, group)
    elif request.method == "POST":
        found = picker.find(request, group=group)
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


def put_in(request: HttpRequest, group: PatientGroup, row: PatientGroupMember) -> None:
    """Save a new membership; raises ValidationError when the patient may not come in."""
    with pages.changing(request, group, "patient_group.member_added"):
        refuse_a_second(row)
        self_gain.check_adding(request.user, group, [row.member])
        row.save(by=request.user)
        pages.note(request, group, _("A member was put in."))


def refuse_a_second(row: PatientGroupMember) -> None:
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
    picker.refuse_nobody(form, patient)
    form.instance.member = patient
    if not form.is_valid():
        return False
    try:
        put_in(request, group, form.instance)
    except ValidationError as error:
        form.add_error(None, error)
        return False
    return True


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
