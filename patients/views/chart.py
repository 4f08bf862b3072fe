"""The chart: for now who the patient is, the conditions and the care team."""

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from canvas_admin.audit import trail
from patients import access, areas
from patients.gate import open_patient
from patients.models import Condition
from patients.views.care_team import care_team


@require_safe
def chart(request: HttpRequest, key: str) -> HttpResponse:
    """A patient's chart, for a person who may read it and reaches the patient."""
    patient = open_patient(request, key, *areas.OPEN_CHART)
    conditions = list(
        Condition.objects.visible_to(request.user)
        .filter(patient=patient, entered_in_error=False)
        .order_by(F("onset").desc(nulls_last=True), "pk")
    )
    context = {
        "patient": patient,
        "current": [row for row in conditions if row.ongoing],
        "past": [row for row in conditions if not row.ongoing],
        "care_team": care_team(request.user, patient),
    }
    trail.shown(request, "patient.chart", access.paths_to(request.user, [patient]))
    return render(request, "patients/chart.html", context)
