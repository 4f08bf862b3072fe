"""FHIR DiagnosticReport over what laboratories and imaging report."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from canvas_admin.fhir.parameters import Coded, Instant, Parameter, Token
from canvas_admin.fhir.resources import Json, filled, instant, reference
from patients import areas
from patients.api.of_patient import EVERY, InParts, OfPatient, concept
from patients.models import ImagingReport, LabReport, Observation
from patients.models.results import ReportStatus

SECTION = "http://terminology.hl7.org/CodeSystem/v2-0074"
LAB, IMAGING = "LAB", "RAD"
# What imaging alone has is a report that is ready.
STATUSES = {ReportStatus.AVAILABLE: ReportStatus.FINAL}


def _status(code: str) -> Any:
    ours = [code, *(own for own, theirs in STATUSES.items() if theirs == code)]
    return lambda: Q(status__in=ours)


class Reports(OfPatient):
    """The reports of one model."""

    type = "DiagnosticReport"
    permissions = {"read": areas.OPEN_CHART, "search": areas.OPEN_CHART}
    category: str

    def more(self) -> dict[str, Parameter]:
        known = [each for each in ReportStatus.values if each not in STATUSES]
        return {
            "category": Coded({self.category: lambda: EVERY}),
            "code": Token("code"),
            "date": Instant("reported"),
            "status": Coded({code: _status(code) for code in known}),
        }

    def to_fhir(self, request: Any, rows: Sequence[Any]) -> list[Json]:
        return [to_fhir(row) for row in rows]


class LabReports(Reports):
    """What laboratories report, with the values."""

    model, category = LabReport, LAB

    def rows(self, request: Any) -> QuerySet:
        values = Observation.objects.filter(entered_in_error=False).order_by("pk")
        return super().rows(request).prefetch_related(Prefetch("values", values))


class ImagingReports(Reports):
    """What imaging reports."""

    model, category = ImagingReport, IMAGING


class DiagnosticReportResource(InParts):
    """Lab reports, with their values inside, and imaging reports; read and searched."""

    type, permissions = "DiagnosticReport", Reports.permissions
    parts = (LabReports(), ImagingReports())


def to_fhir(row: LabReport | ImagingReport) -> Json:
    """One report; the values of a laboratory's are contained in it."""
    is_lab = isinstance(row, LabReport)
    values = list(row.values.all()) if is_lab else []
    return filled(
        resourceType="DiagnosticReport",
        id=row.key,
        contained=[_observation(row, value) for value in values],
        status=STATUSES.get(row.status, row.status),
        category=[concept(SECTION, LAB if is_lab else IMAGING)],
        code=concept(row.system, row.code, row.display, text=row.display),
        subject=reference("Patient", row.patient.key),
        effectiveDateTime=instant(row.reported),
        result=[{"reference": f"#{value.key}"} for value in values],
        conclusion=row.conclusion,
    )


def _observation(report: LabReport, row: Observation) -> Json:
    return filled(
        resourceType="Observation",
        id=row.key,
        status=row.status,
        code=concept(row.system, row.code, row.display, text=row.display),
        subject=reference("Patient", report.patient.key),
        effectiveDateTime=instant(row.observed),
        **_value(row),
        interpretation=[{"text": row.interpretation}] if row.interpretation else [],
        referenceRange=[{"text": row.reference_range}] if row.reference_range else [],
    )


def _value(row: Observation) -> Json:
    """A number with its unit, else the text that came."""
    number = row.value.replace(".", "", 1).removeprefix("-")
    if number.isascii() and number.isdecimal() and len(number) < 16:
        return {"valueQuantity": filled(value=float(row.value), unit=row.unit)}
    return {"valueString": row.value} if row.value else {}
