"""Changing the patient's own fields."""

from copy import copy

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from patients import areas, gate, profile_changes
from patients.forms.demographics import DemographicsForm
from patients.views.profile.showing import show_form, to_profile

CODE = "demographics"


@require_http_methods(["GET", "HEAD", "POST"])
def demographics(request: HttpRequest, key: str) -> HttpResponse:
    """Birth, sex, gender, active and deceased; who leaves the lists is asked about."""
    patient = gate.open_patient(request, key, *areas.EDIT_PROFILE)
    about = {"title": _("Demographics"), "back": ""}
    # A form writes into its row what it refuses, too.
    shown = copy(patient)
    if request.method != "POST":
        form = DemographicsForm(actor=request.user, instance=patient)
        return show_form(request, shown, form, CODE, **about)
    form = DemographicsForm(request.POST, actor=request.user, instance=patient)
    if not profile_changes.save(request, form, "patient.demographics.changed"):
        return show_form(request, shown, form, CODE, **about)
    messages.success(request, _sentence(form))
    return to_profile(patient, CODE)


def _sentence(form: DemographicsForm) -> str:
    """What is said after saving, and how to undo what takes a patient off the lists."""
    if form.ends:
        return _(
            "Saved. Lists and first results no longer show this patient. To undo it, "
            "edit the demographics again."
        )
    return _("“%(what)s” is saved.") % {"what": _("Demographics")}
