"""FHIR DiagnosticReport over what laboratories and imaging report."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from canvas_admin.fhir.parameters import Coded, Instant, Parameter, Token
from canvas_admin.fhir.resources import Json, filled, instant, reference
from canvas_admin.fhir.searching import Parts, Rows, Search
from patients import areas
from patients.api.of_patient import OfPatient, concept
from patients.models import ImagingReport, LabReport, Observation
from patients.models.results import ReportStatus

SECTION = "http://terminology.hl7.org/CodeSystem/v2-0074"
LAB, IMAGING = "LAB", "RAD"
# What imaging alone has is a report that is ready.
STATUSES = {ReportStatus.AVAILABLE: ReportStatus.FINAL}


def _status(code: str) -> Any:
    ours = [code, *(own for own, theirs in STATUSES.items() if theirs == code)]
    return lambda: Q(status__in=ours)


class DiagnosticReportResource(OfPatient):
    """Lab reports, with their values inside, and imaging reports; read and searched."""

    type, model = "DiagnosticReport", LabReport
    permissions = {"read": areas.OPEN_CHART, "search": areas.OPEN_CHART}

    def more(self) -> dict[str, Parameter]:
        known = [each for each in ReportStatus.values if each not in STATUSES]
        return {
            "category": Coded({LAB: Q, IMAGING: Q}),
            "code": Token("code"),
            "date": Instant("reported"),
            "status": Coded({code: _status(code) for code in known}),
        }

    def rows(self, request: Any) -> QuerySet:
        values = Observation.objects.filter(entered_in_error=False).order_by("pk")
        return super().rows(request).prefetch_related(Prefetch("values", values))

    def images(self, request: Any) -> QuerySet:
        """The imaging reports, as rows() are those of laboratories."""
        return IMAGES.rows(request)

    def find(self, request: Any, logical_id: str) -> Any:
        if not self.id_pattern.fullmatch(logical_id):
            return None
        wanted = {"key": logical_id}
        report = self.rows(request).filter(**wanted).first()
        return report or self.images(request).filter(**wanted).first()

    def matches(self, request: Any, search: Search) -> Parts:
        parts = [(LAB, self.rows(request)), (IMAGING, self.images(request))]
        return Parts(
            tuple(
                Rows(rows.filter(_narrowed(request, search, kind)), self.usual_order)
                for kind, rows in parts
            )
        )

    def to_fhir(self, request: Any, rows: Sequence[Any]) -> list[Json]:
        return [to_fhir(row) for row in rows]


class Images(OfPatient):
    """Where imaging reports are; they are served with those of laboratories."""

    type, model = "DiagnosticReport", ImagingReport
    permissions: dict[str, tuple[str, ...]] = {}

    def to_fhir(self, request: Any, rows: Sequence[Any]) -> list[Json]:
        return [to_fhir(row) for row in rows]


IMAGES = Images()


def _narrowed(request: Any, search: Search, kind: str) -> Q:
    found = Q()
    for asked in search.asked:
        if asked.name != "category":
            found &= asked.condition(request)
            continue
        codes = [value.rpartition("|")[2] for value in asked.values]
        if (kind in codes) == (asked.modifier == "not"):
            found &= Q(pk__in=())
    return found


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
