"""The profile: demographics, names, addresses, identifiers, care team."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from canvas_admin.audit import trail
from patients import access, areas, gate
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
    patient = gate.open_patient(request, key, *areas.OPEN_PROFILE)
    reach = gate.reach(request)
    parts = {
        name: list(model.objects.visible_to(reach).filter(patient=patient))
        for name, model in (
            ("names", PatientName),
            ("addresses", PatientAddress),
            ("contact_points", PatientContactPoint),
            ("identifiers", PatientIdentifier),
        )
    }
    team = care_team(reach, patient)
    context = {"patient": patient, **parts, "care_team": team}
    trail.shown(request, "patient.profile", access.paths_to(reach, [patient]))
    return render(request, "patients/profile.html", context)
