"""The rows of the chart that a bundle brings: planned without the database, then written."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from django.utils.translation import gettext as _

from canvas_admin.fhir.bundles import Bundle, Entry, Rejected, located
from canvas_admin.fhir.rows import take
from patients.fhir import (
    allergy_intolerance,
    condition,
    diagnostic_report,
    document_reference,
    imaging_study,
    immunization,
    medication_request,
    observation,
)
from patients.fhir.clinical import ClinicalRows
from patients.models import ClinicalRow, LabReport, Observation, Patient, Reviewable

# What each resource becomes. Reports come before the observations that are in them.
CLINICAL = {
    "Condition": condition.from_fhir,
    "MedicationRequest": medication_request.from_fhir,
    "AllergyIntolerance": allergy_intolerance.from_fhir,
    "Immunization": immunization.from_fhir,
    "DiagnosticReport": diagnostic_report.from_fhir,
    "ImagingStudy": imaging_study.from_fhir,
    "Observation": observation.from_fhir,
    "DocumentReference": document_reference.from_fhir,
}

Chart = dict[str, list[ClinicalRows]]
Counts = Counter[tuple[str, str]]


def plan_chart(
    bundle: Bundle, about: Entry, entries: dict[str, list[tuple[Entry, dict]]]
) -> Chart:
    """The rows of the chart by type of resource, each value with the report it is in.

    What belongs into no chart is left out. `entries` are the bundle's, by type,
    validated. Raises BrokenBundle, located.
    """
    chart: Chart = {}
    reports: dict[int, str] = {}
    for kind, from_fhir in CLINICAL.items():
        chart[kind] = []
        for entry, resource in entries[kind]:
            with located(entry):
                _put_medication(bundle, resource)
                rows = from_fhir(resource, entry.source_id)
                if rows is None:
                    continue
                is_about(bundle, about, rows.subject)
                for reference in rows.results:
                    reports[_result(bundle, reference)] = rows.fields["source_id"]
            chart[kind].append(replace(rows, report=reports.get(entry.index, "")))
    return chart


def is_about(bundle: Bundle, about: Entry, reference: str) -> None:
    """Raises Rejected unless the reference means the bundle's patient."""
    found = bundle.find(reference)
    if found is None:
        raise Rejected("subject: refers to nothing in this bundle")
    if found is not about:
        raise Rejected("subject: is not this bundle's patient")


def _result(bundle: Bundle, reference: str) -> int:
    """The entry of an observation that a report names. Raises Rejected for none."""
    found = bundle.find(reference)
    if found is None or found.type != "Observation":
        raise Rejected("result: refers to no Observation in this bundle")
    return found.index


def _put_medication(bundle: Bundle, resource: dict) -> None:
    """Put the code of a Medication that is referred to in the place of the reference."""
    reference = resource.get("medicationReference")
    if not reference:
        return
    found = bundle.find(reference.get("reference") or "")
    concept = found.resource.get("code") if found else None
    resource["medicationCodeableConcept"] = concept or {
        "text": reference.get("display") or ""
    }


def write_chart(patient: Patient, chart: Chart) -> Counts:
    """Make the patient's chart hold these, found again by their source's id."""
    counts = Counter()
    for kind, incoming in chart.items():
        by_model: dict[type[ClinicalRow], list[ClinicalRows]] = {}
        for rows in incoming:
            by_model.setdefault(rows.model, []).append(rows)
        for model, rows in by_model.items():
            counts += _write_rows(patient, kind, model, rows)
    return counts


def _write_rows(
    patient: Patient,
    kind: str,
    model: type[ClinicalRow],
    incoming: list[ClinicalRows],
) -> Counts:
    reports = _reports(patient) if any(rows.report for rows in incoming) else {}
    there = {row.source_id: row for row in _from_sources(model, patient)}
    new, counts = [], Counter()
    for rows in incoming:
        values = {**rows.fields, "source_digest": rows.digest}
        if model is Observation:
            values["report"] = reports.get(rows.report)
        row = there.get(rows.fields["source_id"])
        if row is None:
            row = model(patient=patient, **values)
            _take_file(row, rows)
            if isinstance(row, Reviewable):
                row.came_by_import()
            new.append(row)
            counts[kind, "created"] += 1
        elif row.source_digest == rows.digest:
            counts[kind, "unchanged"] += 1
        else:
            changed = _take_file(row, rows) | take(row, values)
            if changed and getattr(row, "reviewed_by", None):
                # What somebody reviewed has changed.
                row.take_back_review()
                row.call_off(None, _("The result was changed by its source."))
            row.save()
            counts[kind, "updated"] += 1
    # What waits for a review has keys, and goes to somebody: it is saved by itself.
    model.objects.bulk_create(row for row in new if not _waits(row))
    for row in new:
        if _waits(row):
            row.save()
    return counts


def _waits(row: ClinicalRow) -> bool:
    return isinstance(row, Reviewable) and row.reviewed is None


def _take_file(row: ClinicalRow, rows: ClinicalRows) -> bool:
    """Put a file that came into the row; whether the row had another one before, or none."""
    came = rows.attachment
    if came is None or came.accepted.sha256 == row.sha256:
        return False
    row.keep(came.file, came.accepted)
    return True


def _from_sources(model: type[ClinicalRow], patient: Patient) -> Iterable[ClinicalRow]:
    return model.objects.filter(patient=patient).exclude(source_id="")


def _reports(patient: Patient) -> dict[str, LabReport]:
    return {row.source_id: row for row in _from_sources(LabReport, patient)}
