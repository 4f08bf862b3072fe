"""A section of the profile for whoever changes it: its rows, a new one, a change."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from canvas_admin.records.forms import SavedAlready
from patients import gate, profile_changes
from patients.models import Patient
from patients.views.profile.sections import Section, is_past, marks
from patients.views.profile.showing import show_form, to_profile


@require_safe
def rows(request: HttpRequest, key: str, section: Section) -> HttpResponse:
    """All rows of a section, the past and the wrong ones last, each to be changed."""
    patient = gate.open_patient(request, key, *section.permissions("change"))
    reach = gate.reach(request)
    found = sorted(section.rows(reach, patient), key=is_past)
    context = {
        "patient": patient,
        "section": section,
        "home": section.home,
        "rows": [_in_words(section, patient, row) for row in found],
        # No group gives "change" without "add".
        "add": section.address(patient, "add"),
    }
    gate.shown(request, f"patient.{section.code}", patient)
    return render(request, "patients/profile/rows.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add_row(request: HttpRequest, key: str, section: Section) -> HttpResponse:
    """A new row of a section."""
    patient = gate.open_patient(request, key, *section.permissions("add"))
    return _edit(
        request,
        section,
        section.new_form or section.form,
        section.model(patient=patient),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def change_row(
    request: HttpRequest, key: str, row: str, section: Section
) -> HttpResponse:
    """A row of a section that is there; one of another patient is like a missing one."""
    patient = gate.open_patient(request, key, *section.permissions("change"))
    found = gate.open_row(section.rows(gate.reach(request), patient), row, patient)
    return _edit(request, section, section.form, found)


def _edit(
    request: HttpRequest, section: Section, form_class: Any, row: Any
) -> HttpResponse:
    """The form; once it is saved, the profile again."""
    patient, is_new = row.patient, row.pk is None
    about = {
        "section": section,
        "title": _("%(what)s (new)") % {"what": section.one} if is_new else section.one,
        "about": "" if is_new else f"{section.label(row)}: {section.text(row)}",
        "back": section.address(patient),
        "history": [] if is_new or not section.history else section.history(row),
    }
    if request.method != "POST":
        form = form_class(actor=request.user, instance=row)
        return show_form(request, patient, form, section.code, **about)
    form = form_class(request.POST, actor=request.user, instance=row)
    act = f"patient.{section.code}.{'added' if is_new else 'changed'}"
    try:
        if not profile_changes.save(request, form, act):
            return show_form(request, patient, form, section.code, **about)
        messages.success(request, _("“%(what)s” is saved.") % {"what": section.title})
    except SavedAlready:
        messages.info(
            request, _("This form was saved before, so nothing was saved again.")
        )
    return to_profile(patient, section.slug, section.home)


def _in_words(section: Section, patient: Patient, row: Any) -> dict[str, Any]:
    label = section.label(row)
    return {
        "label": label,
        "text": section.text(row),
        "marks": [each for each in marks(row) if each[0] != label],
        "start": getattr(row, "start", None),
        "end": getattr(row, "end", None),
        "reason": getattr(row, "entered_in_error_reason", ""),
        "change": section.address(patient, "change", row=row.key),
    }
