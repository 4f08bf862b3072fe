"""FHIR ImagingStudy and our row of an imaging report."""

from typing import Any

from canvas_admin.fhir.elements import Coding
from patients.fhir.clinical import ClinicalRows, at, first, rows, status
from patients.models import ImagingReport
from patients.models.results import ReportStatus


def from_fhir(resource: dict[str, Any], source_id: str) -> ClinicalRows:
    """The row of a validated ImagingStudy; the images themselves are elsewhere."""
    said, in_error = status(resource, ReportStatus.UNKNOWN)
    series = (resource.get("series") or [{}])[0]
    modality = _name(series.get("modality"))
    what = first(resource.get("procedureCode"))
    if not what.display:
        what = Coding(display=resource.get("description") or modality)
    return rows(
        ImagingReport,
        resource,
        source_id,
        what,
        in_error=in_error,
        status=said,
        modality=modality,
        body_site=_name(series.get("bodySite")),
        reported=at(resource, "started"),
        conclusion="",
    )


def _name(coding: dict[str, Any] | None) -> str:
    """The words of a Coding, else its code."""
    coding = coding or {}
    return coding.get("display") or coding.get("code") or ""
