"""The chart: for now who the patient is, the conditions and the care team."""

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from canvas_admin.audit import trail
from patients import access, areas, gate
from patients.models import Condition
from patients.views.care_team import care_team


@require_safe
def chart(request: HttpRequest, key: str) -> HttpResponse:
    """A patient's chart, for a person who may read it and reaches the patient."""
    patient = gate.open_patient(request, key, *areas.OPEN_CHART)
    reach = gate.reach(request)
    conditions = list(
        Condition.objects.visible_to(reach)
        .filter(patient=patient, entered_in_error=False)
        .order_by(F("onset").desc(nulls_last=True), "pk")
    )
    context = {
        "patient": patient,
        "current": [row for row in conditions if row.ongoing],
        "past": [row for row in conditions if not row.ongoing],
        "care_team": care_team(reach, patient),
    }
    trail.shown(request, "patient.chart", access.paths_to(reach, [patient]))
    return render(request, "patients/chart.html", context)
