"""The profile: demographics, names, addresses, identifiers, care team."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from canvas_admin.audit import trail
from patients import access, areas
from patients.gate import open_patient
from patients.models import (
    PatientAddress,
    PatientContactPoint,
    PatientIdentifier,
    PatientName,
)
from patients.views.care_team import care_team


@require_safe
def profile(request: HttpRequest, key: str) -> HttpResponse:
    """A patient's profile, for a person who may read it and reaches the patient.

    S2: "the page where demographics, addresses, etc. are placed".
    """
    patient = open_patient(request, key, *areas.OPEN_PROFILE)
    parts = {
        name: list(model.objects.visible_to(request.user).filter(patient=patient))
        for name, model in (
            ("names", PatientName),
            ("addresses", PatientAddress),
            ("contact_points", PatientContactPoint),
            ("identifiers", PatientIdentifier),
        )
    }
    team = care_team(request.user, patient)
    context = {"patient": patient, **parts, "care_team": team}
    trail.shown(request, "patient.profile", access.paths_to(request.user, [patient]))
    return render(request, "patients/profile.html", context)
