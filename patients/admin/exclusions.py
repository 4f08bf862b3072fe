"""Exclusions: patients who are kept out of a group, whatever else is recorded."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from canvas_admin.audit import trail
from canvas_admin.records.models import find_row
from canvas_admin.records.validators import validate_seen
from patients import self_gain
from patients.admin import pages, picker
from patients.models import Patient, PatientGroup, PatientGroupExclusion

VIEW = "patients.view_patientgroupexclusion"
ADD = "patients.add_patientgroupexclusion"
LIFT = "patients.delete_patientgroupexclusion"
ROWS = 50

READ = require_http_methods(["GET", "HEAD", "POST"])


class ExclusionForm(forms.ModelForm):
    """Why a patient is kept out."""

    class Meta:
        model = PatientGroupExclusion
        fields = ("reason",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].validators.append(validate_seen)


@require_http_methods(["GET", "HEAD"])
def exclusions(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """A page of the group's exclusions, the newest first; ?after= is an exclusion's key."""
    group = pages.open_group(request, group_id, VIEW)
    rows = group.exclusions.select_related("patient").order_by("-pk")
    after = find_row(group.exclusions.all(), request.GET.get("after", ""))
    if after is not None:
        rows = rows.filter(pk__lt=after.pk)
    shown = list(rows[: ROWS + 1])
    last = shown[ROWS - 1].key if len(shown) > ROWS else ""
    del shown[ROWS:]
    seen = pages.seen([row.patient for row in shown])
    trail.shown(request, "patient_group.exclusions", seen, group=group.public_id)
    title = _("Exclusions from %(group)s") % {"group": group}
    return pages.show(request, "exclusions", title, group=group, rows=shown, last=last)


@READ
def add(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """Exclude a patient: find, choose, give the reason. It ends the membership."""
    group = pages.open_group(request, group_id, ADD)
    acts = request.method == "POST" and "find" not in request.POST
    row = PatientGroupExclusion(patient_group=group)
    typed = {"reason": request.POST.get("reason", "")}
    form = ExclusionForm(request.POST if acts else None, instance=row, initial=typed)
    found = picker.Found()
    if acts:
        patient = picker.chosen(request)
        if _excluded(request, group, patient, form):
            messages.success(
                request, _("The patient is kept out of “%(g)s”.") % {"g": group}
            )
            return redirect(pages.address("exclusions", group))
        found = picker.show_again(request, patient)
    elif request.method == "POST":
        found = picker.find(request)
    return pages.show(
        request,
        "exclusion_add",
        _("Exclude a patient from %(group)s") % {"group": group},
        status=found.status,
        group=group,
        form=form,
        found=found,
        most=picker.ROWS,
    )


@READ
def lift(request: HttpRequest, group_id: UUID, key: str) -> HttpResponse:
    """Lift an exclusion; asks first, and says that it restores nothing."""
    group = pages.open_group(request, group_id, LIFT)
    row = pages.row_or_404(group.exclusions.select_related("patient"), key)
    problems: list[str] = []
    if request.method == "POST":
        try:
            _lifted(request, group, row)
        except ValidationError as error:
            problems = error.messages
        else:
            messages.success(request, _("The exclusion is lifted."))
            return redirect(pages.address("exclusions", group))
    seen = pages.seen([row.patient])
    trail.shown(request, "patient_group.exclusion", seen, group=group.public_id)
    title = _("Lift an exclusion from %(group)s") % {"group": group}
    return pages.show(
        request, "exclusion_lift", title, group=group, row=row, problems=problems
    )


def _excluded(
    request: HttpRequest,
    group: PatientGroup,
    patient: Patient | None,
    form: ExclusionForm,
) -> bool:
    """Whether the form could be saved; if not, it says why."""
    picker.refuse_nobody(form, patient)
    form.instance.patient = patient
    if not form.is_valid():
        return False
    with pages.changing(request, group, "patient_group.excluded"):
        if group.exclusions.filter(patient=patient).exists():
            form.add_error(None, _("This patient is excluded already."))
            return False
        form.instance.save(by=request.user)
        pages.note(request, group, _("A patient was excluded."))
    return True


def _lifted(
    request: HttpRequest, group: PatientGroup, row: PatientGroupExclusion
) -> None:
    """Delete the exclusion; raises SelfGain when that would open the patient to one."""
    with pages.changing(request, group, "patient_group.exclusion_lifted"):
        self_gain.check_lifting(request.user, row)
        row.delete(by=request.user)
        pages.note(request, group, _("An exclusion was lifted."))
