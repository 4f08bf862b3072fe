"""The chart: notes, conditions, medications, allergies, immunizations, results, care team."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from patients import access, areas, gate
from patients.models import (
    AllergyIntolerance,
    Condition,
    Immunization,
    Medication,
    Note,
    Patient,
)
from patients.views.care_team import care_team
from patients.views.results import KINDS

# Of notes and each kind of result the chart shows the newest; all are a page of their own.
NEWEST = 5


@require_safe
def chart(request: HttpRequest, key: str) -> HttpResponse:
    """A patient's chart, for a person who may read it and reaches the patient."""
    patient = gate.open_patient(request, key, *areas.OPEN_CHART)
    reach = gate.reach(request)
    cards = patient.protocol_results.visible_to(reach).cards()
    context = {"patient": patient, "cards": cards, **contents(patient, reach)}
    gate.shown(request, "patient.chart", patient)
    return render(request, "patients/chart.html", context)


def contents(patient: Patient, reach: access.Reach) -> dict[str, Any]:
    """What the chart shows, on the page and in print."""

    def rows(model: Any) -> Any:
        return model.objects.in_chart_of(patient, reach).newest_first()

    notes = rows(Note).select_related("provider", "location", "visit_type")
    notes = list(notes[: NEWEST + 1])
    return {
        "notes": notes[:NEWEST],
        "more_notes": notes[NEWEST:],
        "conditions": _parted(rows(Condition)),
        "medications": _parted(rows(Medication)),
        "allergies": _parted(rows(AllergyIntolerance)),
        "immunizations": list(rows(Immunization)),
        "results": _newest(patient, reach),
        "care_team": care_team(reach, patient),
    }


def _parted(rows: Iterable[Any]) -> dict[str, list[Any]]:
    """What counts now, and what does not any more."""
    rows = list(rows)
    return {
        "current": [row for row in rows if row.ongoing],
        "past": [row for row in rows if not row.ongoing],
    }


def _newest(patient: Patient, reach: access.Reach) -> list[dict[str, Any]]:
    """The newest results of each kind, and whether there are more."""
    found = []
    for kind in KINDS.values():
        rows = list(kind.rows(patient, reach).newest_first()[: NEWEST + 1])
        found.append({"kind": kind, "rows": rows[:NEWEST], "more": rows[NEWEST:]})
    return found
