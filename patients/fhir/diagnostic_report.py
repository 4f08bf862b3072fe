"""FHIR DiagnosticReport and our rows of lab and imaging reports."""

from dataclasses import replace
from typing import Any

from canvas_admin.fhir import elements
from patients.fhir.clinical import ClinicalRows, at, moment, rows, status
from patients.models import ImagingReport, LabReport
from patients.models.results import ReportStatus

# HL7's v2-0074 and LOINC's class: what is an image's report and no laboratory's.
IMAGING = {"RAD", "IMG", "CT", "CUS", "NMR", "NMS", "OUS", "RUS", "VUS", "LP29684-5"}


def from_fhir(resource: dict[str, Any], source_id: str) -> ClinicalRows:
    """The row of a validated DiagnosticReport, and the observations that a lab's names."""
    said, in_error = status(resource, ReportStatus.UNKNOWN)
    found = rows(
        ImagingReport if _categories(resource) & IMAGING else LabReport,
        resource,
        source_id,
        elements.coding(resource.get("code")),
        in_error=in_error,
        status=said,
        reported=moment(resource, "effective") or at(resource, "issued"),
        conclusion=resource.get("conclusion") or "",
    )
    named = tuple(
        each["reference"]
        for each in resource.get("result") or []
        if each.get("reference")
    )
    return replace(found, results=named if found.model is LabReport else ())


def _categories(resource: dict[str, Any]) -> set[str]:
    return {
        code
        for concept in resource.get("category") or []
        for each in concept.get("coding") or []
        if (code := each.get("code"))
    }
