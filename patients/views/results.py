"""All results of one kind in a patient's chart, the newest first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from patients import access, areas, gate
from patients.models import (
    ClinicalDocument,
    ImagingReport,
    LabReport,
    Observation,
    Patient,
)
from patients.views.stored_files import file_answer

PAGE = 25


def _labs(patient: Patient, reach: access.Reach) -> QuerySet:
    values = Observation.objects.in_chart_of(patient, reach).order_by("pk")
    rows = LabReport.objects.in_chart_of(patient, reach)
    return rows.prefetch_related(Prefetch("values", values))


def _imaging(patient: Patient, reach: access.Reach) -> QuerySet:
    return ImagingReport.objects.in_chart_of(patient, reach)


def _documents(patient: Patient, reach: access.Reach) -> QuerySet:
    return ClinicalDocument.objects.in_chart_of(patient, reach)


def _observations(patient: Patient, reach: access.Reach) -> QuerySet:
    rows = Observation.objects.in_chart_of(patient, reach)
    return rows.filter(report__isnull=True)


@dataclass(frozen=True)
class Kind:
    """A kind of result, under its code in the address; `rows` are those of a patient."""

    code: str
    title: Any
    none: Any
    rows: Callable[[Patient, access.Reach], QuerySet]
    with_files: bool = False

    @property
    def template(self) -> str:
        """How its rows are shown."""
        return f"patients/_{self.code.replace('-', '_')}.html"


KINDS = {
    kind.code: kind
    for kind in (
        Kind("labs", _("Lab results"), _("No lab result is recorded."), _labs, True),
        Kind("imaging", _("Imaging"), _("No imaging is recorded."), _imaging, True),
        Kind(
            "clinical-documents",
            _("Other documents"),
            _("No other document is recorded."),
            _documents,
            True,
        ),
        Kind(
            "observations",
            _("Vitals and other observations"),
            _("No observation is recorded."),
            _observations,
        ),
    )
}


@require_safe
def results(request: HttpRequest, key: str, kind: str) -> HttpResponse:
    """A page of results; ?after= is the key of the last row of the page before.

    Begins with the newest where there is no such row.
    """
    patient = gate.open_patient(request, key, *areas.OPEN_CHART)
    if kind not in KINDS:
        raise Http404
    reach = gate.reach(request)
    rows = KINDS[kind].rows(patient, reach)
    context = {
        "patient": patient,
        "kind": KINDS[kind],
        **rows.page(request.GET.get("after", ""), PAGE),
    }
    gate.shown(request, f"patient.{kind}", patient)
    return render(request, "patients/results.html", context)


@require_safe
def result_file(request: HttpRequest, key: str, kind: str, row: str) -> HttpResponse:
    """The file of a result, for whoever may open the chart."""
    patient = gate.open_patient(request, key, *areas.OPEN_CHART)
    if kind not in KINDS or not KINDS[kind].with_files:
        raise Http404
    reach = gate.reach(request)
    found = gate.open_row(KINDS[kind].rows(patient, reach), row, patient)
    answer = file_answer(found, "result")
    gate.shown(request, "patient.result_file", patient, row=found.key)
    return answer
