"""The coverages and claims that a bundle brings: planned without the database, then written.

What was changed here is left as it is, whatever its source says later: a row's version is
then another than the one that the import left.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from canvas_admin.fhir.bundles import Bundle, Entry, Rejected, located
from canvas_admin.fhir.rows import take
from canvas_admin.records import clock
from patients.fhir import claim, coverage
from patients.fhir.claim import ClaimRows
from patients.fhir.coverage import CoverageRows
from patients.importing.chart import is_about
from patients.models import (
    Claim,
    ClaimDiagnosis,
    ClaimLine,
    ClaimStateChange,
    Coverage,
    Note,
    Patient,
)
from patients.models.claims import new_number
from patients.revenue import claim_keys
from patients.revenue.claim_states import ClaimState
from patients.search import stream_keys
from staffing.models import Staff

Counts = Counter[tuple[str, str]]
# A claim, what its source says, and the state that it had before.
Incoming = tuple[Claim, ClaimRows, str]
RANKS = Coverage.Rank.values


@dataclass(frozen=True)
class Revenue:
    """What a bundle says of payers and claims; each claim names its coverage's source id.

    What is no insurance, or no bill, is not among them.
    """

    coverages: list[tuple[Entry, CoverageRows]]
    claims: list[tuple[ClaimRows, str]]


def plan_revenue(
    bundle: Bundle, about: Entry, entries: dict[str, list[tuple[Entry, dict]]]
) -> Revenue:
    """The coverages and claims of the bundle's patient. Raises BrokenBundle, located."""
    coverages, claims = [], []
    for entry, resource in entries["Coverage"]:
        with located(entry):
            rows = coverage.from_fhir(bundle, resource, entry.source_id)
            is_about(bundle, about, rows.subject)
        if rows.fields:
            coverages.append((entry, rows))
    for entry, resource in entries["Claim"]:
        with located(entry):
            rows = claim.from_fhir(bundle, resource, entry.source_id)
            is_about(bundle, about, rows.subject)
        found = bundle.find(rows.coverage)
        if resource.get("use") == claim.BILL:
            claims.append((rows, found.source_id if found else ""))
    return Revenue(coverages, claims)


def write_revenue(
    patient: Patient, revenue: Revenue, people: dict[int, Staff]
) -> Counts:
    """Make the patient's records hold these; `people` are staff by their entry's index.

    Raises BrokenBundle for a fourth coverage that holds now.
    """
    counts = Counter()
    for entry, rows in revenue.coverages:
        with located(entry):
            counts["Coverage", _write_coverage(patient, rows)] += 1
    if revenue.claims:
        counts += _write_claims(patient, revenue.claims, people)
    return counts


def _write_coverage(patient: Patient, rows: CoverageRows) -> str:
    row = patient.coverages.filter(source_id=rows.source_id).first()
    if row and (row.source_digest == rows.digest or _changed_here(row)):
        return "unchanged"
    outcome = "updated" if row else "created"
    row = row or Coverage(patient=patient, source_id=rows.source_id)
    take(row, rows.fields | {"source_digest": rows.digest})
    if not (row.over or row.entered_in_error):
        row.rank = _free_rank(row)
    row.source_version = row.version + 1
    row.save()
    if row.active or outcome == "updated":
        row.follow_up(None)
    return outcome


def _free_rank(row: Coverage) -> int:
    """The rank that its source gives it, or the next that no other coverage has now."""
    taken = row.patient.coverages.filter(active=True).exclude(pk=row.pk)
    taken.filter(end__lt=clock.today()).update(active=False)
    ranks = set(taken.values_list("rank", flat=True))
    free = [rank for rank in (row.rank, *RANKS) if rank not in ranks]
    if not free:
        raise Rejected("the patient has three coverages already, which are the most")
    return free[0]


def _changed_here(row: Any) -> bool:
    return row.version != row.source_version


def _write_claims(
    patient: Patient, claims: list[tuple[ClaimRows, str]], people: dict[int, Staff]
) -> Counts:
    counts = Counter()
    there = {row.source_id: row for row in patient.claims.exclude(source_id="")}
    payers = {row.source_id: row for row in patient.coverages.exclude(source_id="")}
    notes = _notes_without_claim(patient, [rows for rows, _coverage in claims])
    new: list[Incoming] = []
    for rows, named in claims:
        row = there.get(rows.source_id)
        if row and (row.source_digest == rows.digest or _changed_here(row)):
            counts["Claim", "unchanged"] += 1
            continue
        row = row or Claim(
            patient=patient, source_id=rows.source_id, number=new_number()
        )
        before = row.state if row.pk else ""
        _take_over(row, rows, payers.get(named), people)
        if row.pk:
            _update(row, rows, before)
            counts["Claim", "updated"] += 1
        else:
            source = rows.encounter.source_id if rows.encounter else ""
            row.note = notes.pop(source, None)
            new.append((row, rows, before))
            counts["Claim", "created"] += 1
    Claim.objects.bulk_create(row for row, *_rows in new)
    if new:
        stream_keys.refresh([patient.pk], claim_keys.CLAIMS)
    _fill(new)
    return counts


def _take_over(
    row: Claim, rows: ClaimRows, payer: Coverage | None, people: dict[int, Staff]
) -> None:
    practitioner = rows.practitioner
    # What was sent without an insurance was sent to the patient.
    to_patient = payer is None and rows.state == ClaimState.FILED
    row.state = ClaimState.PATIENT_BALANCE if to_patient else rows.state
    row.service_date = rows.service_date
    row.coverage, row.source_digest = payer, rows.digest
    row.provider = people.get(practitioner.index) if practitioner else None


def _update(row: Claim, rows: ClaimRows, before: str) -> None:
    """What its source says differently now takes the place of what it said before."""
    gone = {"removed": clock.now(), "removed_reason": _("Changed by its source")}
    row.lines.filter(removed=None).update(**gone)
    row.diagnoses.filter(removed=None).update(**gone)
    row.source_version = row.version + 1
    row.save()
    _fill([(row, rows, before)])


def _fill(claims: list[Incoming]) -> None:
    """The diagnoses, lines and first history of these claims, in three statements."""
    diagnoses, lines, changes = [], [], []
    for row, rows, before in claims:
        about = {"claim": row, "patient": row.patient}
        diagnoses += [ClaimDiagnosis(**about, **each) for each in rows.diagnoses]
        lines += [ClaimLine(**about, **each) for each in rows.lines]
        if before != row.state:
            why = {"before": before, "after": row.state, "reason": _("Imported")}
            changes.append(ClaimStateChange(**about, **why))
    ClaimDiagnosis.objects.bulk_create(diagnoses)
    ClaimLine.objects.bulk_create(lines)
    ClaimStateChange.objects.bulk_create(changes)


def _notes_without_claim(patient: Patient, claims: list[ClaimRows]) -> dict[str, Note]:
    """The notes that were imported of the visits that are billed, by their source's id."""
    named = {rows.encounter.source_id for rows in claims if rows.encounter}
    notes = Note.objects.filter(patient=patient, source_id__in=named - {""})
    taken = Claim.objects.filter(note__in=notes).values("note")
    return {note.source_id: note for note in notes.exclude(pk__in=taken)}
