"""The notes that a bundle brought. Runs in the transaction of patients.importing.bundle."""

from collections import Counter

from django.db.models import F
from django.utils.translation import gettext as _

from canvas_admin.records import clock
from patients.fhir.encounter import NoteRows
from patients.models import Command, Note, Patient, ReasonForVisit
from staffing.models import Location, Staff

Counts = Counter[tuple[str, str]]
KIND = "Encounter"


def write_notes(
    patient: Patient, incoming: list[tuple[NoteRows, Staff | None]]
) -> Counts:
    """Make the chart hold these, found again by their source's id.

    An imported note is signed from the start: it was, where it comes from. Its source alone
    can change what it says; what was entered in error here stays so.
    """
    places = {row.name.casefold(): row for row in Location.objects.all()}
    there = {row.source_id: row for row in patient.notes.exclude(source_id="")}
    new, counts = [], Counter()
    for rows, provider in incoming:
        values = {
            **rows.fields,
            "provider": provider,
            "location": _place(rows, places),
            "source_digest": rows.digest,
            **_state(rows),
        }
        note = there.get(rows.fields["source_id"])
        if note is None:
            new.append((Note(patient=patient, **values), rows))
            counts[KIND, "created"] += 1
        elif note.source_digest == rows.digest:
            counts[KIND, "unchanged"] += 1
        else:
            _rewrite(note, values, rows)
            counts[KIND, "updated"] += 1
    notes = Note.objects.bulk_create(note for note, _rows in new)
    ReasonForVisit.objects.bulk_create(
        _reason(note, rows)
        for note, (_note, rows) in zip(notes, new, strict=True)
        if rows.reason
    )
    return counts


def _place(rows: NoteRows, places: dict[str, Location]) -> Location | None:
    """The first of the clinic's places that has a name which the source gives."""
    found = (places.get(" ".join(name.split()).casefold()) for name in rows.places)
    return next(filter(None, found), None)


def _state(rows: NoteRows) -> dict[str, str]:
    if rows.in_error:
        reason = _("Marked so by its source")
        return {"state": Note.State.DELETED, "error_reason": reason}
    return {"state": Note.State.LOCKED}


def _rewrite(note: Note, values: dict, rows: NoteRows) -> None:
    """What the source says now. Not by save(), which keeps a signed note as it is."""
    if note.in_error:
        values = {n: v for n, v in values.items() if n not in ("state", "error_reason")}
    changed = {**values, "version": F("version") + 1, "modified": clock.now()}
    Note.objects.filter(pk=note.pk).update(**changed)
    reasons = ReasonForVisit.objects.filter(note=note)
    if rows.reason and not reasons.update(comment=rows.reason):
        reasons.bulk_create([_reason(note, rows)])


def _reason(note: Note, rows: NoteRows) -> ReasonForVisit:
    wrong = Command.State.ENTERED_IN_ERROR if rows.in_error else None
    return ReasonForVisit(
        note=note,
        patient_id=note.patient_id,
        position=1,
        state=wrong or Command.State.COMMITTED,
        committed_at=note.started,
        comment=rows.reason,
    )
