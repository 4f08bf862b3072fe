"""What the forms of the profile answer: the form again, or the profile."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from patients import gate
from patients.models import Patient
from patients.views.profile.sections import PROFILE, Home


def show_form(
    request: HttpRequest, patient: Patient, form: Any, code: str, **context: Any
) -> HttpResponse:
    """The page of a form about a patient, on the trail like every page that shows one."""
    asks = form.is_bound and not form.errors and form.unconfirmed
    section = context.get("section")
    home = section.home if section else PROFILE
    context |= {"patient": patient, "form": form, "asks": asks, "home": home}
    gate.shown(request, f"patient.{code}", patient)
    return render(request, "patients/profile/form.html", context)


def to_profile(patient: Patient, part: str, home: Home = PROFILE) -> HttpResponse:
    """The profile, or another page of sections, at one of its parts."""
    return redirect(f"{reverse(home.url_name, args=[patient.key])}#{part}")
