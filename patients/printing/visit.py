"""The summary of a visit, for the patient: what the note says that is meant for them."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from patients import units
from patients.models import (
    Command,
    Diagnosis,
    ImagingOrder,
    Instruction,
    LabOrder,
    Note,
    NoteTask,
    Plan,
    Prescription,
    ReasonForVisit,
    Referral,
    VitalSigns,
)
from patients.models.findings import plain
from patients.printing.blocks import facts, heading, paragraph
from patients.printing.sheet import Sheet
from patients.printing.wording import day, known, moment

Pairs = Iterator[tuple[Any, Any]]

# What is printed of each kind of command, the first field at its head. What the staff
# write for each other, and for pharmacies, is not among it.
FIELDS: dict[type[Command], tuple[str, ...]] = {
    ReasonForVisit: ("comment",),
    Diagnosis: ("display", "code", "assessment"),
    Plan: ("narrative",),
    Instruction: ("display", "narrative"),
    Prescription: ("display", "sig", "quantity", "refills", "pharmacy"),
    LabOrder: ("tests", "lab", "fasting", "specimen", "comment"),
    ImagingOrder: ("study", "centre", "priority", "comment"),
    Referral: ("refer_to", "contact", "priority", "clinical_question"),
    VitalSigns: ("comment",),
}
LEFT_OUT: set[type[Command]] = {NoteTask}


def visit_summary(
    sheet: Sheet, note: Note, commands: Sequence[Command], addenda: Sequence[Any]
) -> None:
    """The head of the note, its committed commands in their order, and the addenda."""
    heading(sheet, note.name)
    facts(sheet, _head(note))
    told = [command for command in commands if type(command) not in LEFT_OUT]
    for kind, rows in groupby(told, key=type):
        heading(sheet, capfirst(kind._meta.verbose_name))
        for command in rows:
            _command(sheet, command)
    if not told:
        heading(sheet, _("Nothing is written in this note."))
    for addendum in addenda:
        heading(sheet, _("Addendum"))
        paragraph(sheet, addendum.text)
        author = addendum.author.name if addendum.author else ""
        paragraph(sheet, f"{author} {moment(addendum.written)}".strip(), quiet=True)


def _head(note: Note) -> Pairs:
    zone = note.location.zone if note.location else None
    yield _("Date"), moment(note.started, zone)
    if note.visit_type and note.visit_type.name != note.name:
        yield _("Visit type"), note.visit_type.name
    yield _("Provider"), known(note.provider and note.provider.name)
    if note.location:
        yield _("Location"), note.location.name
    if note.open:
        yield _("Signed"), _("not yet: this is a draft")
    elif note.signed_by:
        yield _("Signed"), f"{note.signed_by.name}, {day(note.signed)}"


def _command(sheet: Sheet, command: Command) -> None:
    """What a command says first, and the rest of it below."""
    fields = [(name, _text(command, name)) for name in FIELDS[type(command)]]
    (_first, first), *rest = fields
    if first:
        paragraph(sheet, first, "B" if len(fields) > 1 else "")
    pairs = [(_label(command, name), text) for name, text in rest if text]
    if isinstance(command, VitalSigns):
        pairs = [
            (m.display, units.measured(value, m.unit)) for m, value in command.readings
        ]
    if pairs:
        facts(sheet, pairs)
    sheet.set_y(sheet.get_y() + 1)


def _label(command: Command, name: str) -> str:
    return capfirst(command._meta.get_field(name).verbose_name)


def _text(command: Command, name: str) -> str:
    """A field in words, empty where there is nothing to say."""
    value = getattr(command, name)
    if name == "quantity":
        return f"{plain(value)} {command.quantity_unit}".strip() if value else ""
    if name == "refills":
        return str(value)
    if isinstance(value, bool):
        return _("yes") if value else ""
    if choice := getattr(command, f"get_{name}_display", None):
        return str(choice())
    return str(value)
