"""FHIR DocumentReference and our row of a clinical document, with what is attached."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from canvas_admin.fhir import elements
from canvas_admin.fhir.bundles import Rejected
from canvas_admin.fhir.validation import check_text
from patients.fhir.attachments import PDF, decoded, pdf
from patients.fhir.clinical import IN_ERROR, Attachment, ClinicalRows, at, rows
from patients.models import ClinicalDocument

TEXT = "text/plain"
CLINICAL_DATE = "http://schemas.canvasmedical.com/fhir/document-reference-clinical-date"
# LOINC: consultation notes.
CONSULTS = {"11488-4", "34140-4", "51851-4", "57133-1"}
# Categories of what belongs among the administrative documents, which no import brings.
ADMINISTRATIVE = {"patientadministrativedocument", "administrative", "invoicefull"}

Kind, Status = ClinicalDocument.Kind, ClinicalDocument.Status


def from_fhir(resource: dict[str, Any], source_id: str) -> ClinicalRows | None:
    """The row of a validated DocumentReference; None for an administrative one."""
    if ADMINISTRATIVE & set(_categories(resource)):
        return None
    what = elements.coding(resource.get("type"))
    if not what.display:
        what = elements.Coding(display=resource.get("description") or "")
    found = rows(
        ClinicalDocument,
        resource,
        source_id,
        what,
        in_error=IN_ERROR in (resource.get("status"), resource.get("docStatus")),
        kind=Kind.CONSULT if what.code in CONSULTS else Kind.OTHER,
        status=_status(resource),
        clinical_date=_clinical_date(resource),
        text=_text(resource),
    )
    return replace(found, attachment=_pdf(resource))


def _categories(resource: dict[str, Any]) -> list[str]:
    return [
        each.get("code") or ""
        for concept in resource.get("category") or []
        for each in concept.get("coding") or []
    ]


def _status(resource: dict[str, Any]) -> str:
    """How far the document is; nothing said is final, as papers are."""
    if resource.get("status") == "superseded":
        return Status.SUPERSEDED
    said = resource.get("docStatus")
    return said if said in (Status.PRELIMINARY, Status.AMENDED) else Status.FINAL


def _clinical_date(resource: dict[str, Any]) -> datetime | None:
    """What the original's extension says, else when the care was, else when it was written."""
    if day := elements.extension(resource, CLINICAL_DATE, "valueDate"):
        return elements.instant(day, "extension")
    period = (resource.get("context") or {}).get("period") or {}
    return at(period, "start") or at(resource, "date")


def _text(resource: dict[str, Any]) -> str:
    """The first attached text. Raises Rejected for one that cannot be read."""
    content, parameters = _attached(resource, TEXT)
    charset = parameters.partition("charset=")[2].strip('" ') or "utf-8"
    try:
        text = content.decode(charset)
    except (UnicodeDecodeError, LookupError) as error:
        raise Rejected("content: the text is not in its charset") from error
    check_text(text)
    return text


def _pdf(resource: dict[str, Any]) -> Attachment | None:
    """The first attached PDF. Raises Rejected for one that is none."""
    content, _parameters = _attached(resource, PDF)
    if not content:
        return None
    return pdf(content, "content")


def _attached(resource: dict[str, Any], wanted: str) -> tuple[bytes, str]:
    """The first attachment of this media type, and the type's parameters."""
    for each in resource.get("content") or []:
        attachment = each.get("attachment") or {}
        kind, _, parameters = (attachment.get("contentType") or "").partition(";")
        if kind.strip().lower() == wanted and attachment.get("data"):
            return decoded(attachment["data"], "content"), parameters.strip()
    return b"", ""
