"""What the pages of a note share: finding it, showing it, and saving a form about it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from canvas_admin.records.forms import SavedAlready
from patients import areas, booking, gate, profile_changes
from patients.command_kinds import BY_MODEL, KINDS
from patients.models import Command, Note, Patient

SHOWN = (
    Command.State.STAGED,
    Command.State.COMMITTED,
    Command.State.ENTERED_IN_ERROR,
)
RELATED = ("provider", "location", "visit_type", "signed_by", "originator")


def find_note(request: HttpRequest, patient: Patient, key: str) -> Note:
    """This patient's note of this key, as though there were none of others'.

    One that was entered in error is there for whoever writes.
    """
    rows = notes_of(request, patient)
    if not request.user.has_perms(areas.WRITE_CHART):
        rows = rows.counting()
    return gate.open_row(rows, key, patient)


def show_note(
    request: HttpRequest, row: Note, status: int = 200, **context: Any
) -> HttpResponse:
    """The page of a note, on the trail."""
    context |= {
        "patient": row.patient,
        "note": row,
        "commands": _in_words(row.commands(*SHOWN)),
        "addenda": list(row.addenda.select_related("author")),
        "history": list(row.state_changes.select_related("by")),
        "reviews": list(_reviews(row)),
        "kinds": KINDS.values(),
    }
    shown(request, row.patient, "patient.note", note=row.key)
    return render(request, "patients/notes/note.html", context, status=status)


def save_into(
    request: HttpRequest,
    form: Any,
    act: str,
    title: str,
    said: str,
    template: str = "patients/notes/form.html",
    reading: Callable[[], dict[str, Any]] = dict,
    then: profile_changes.Then | None = None,
    **context: Any,
) -> HttpResponse:
    """Save a form about a note, or show it, with what is wrong with it.

    `reading` gives what else the page shows, read behind what the form knows of the note,
    so that nobody signs more than was shown. `then` is done in the form's transaction.
    """
    try:
        if request.method == "POST" and _saved(request, form, act, then):
            messages.success(request, said)
            return to_note(note_of(form.instance))
    except SavedAlready as before:
        messages.info(
            request, _("This form was saved before, so nothing was saved again.")
        )
        return to_note(note_of(before.row))
    row = note_of(form.instance)
    context |= {"patient": row.patient, "note": row, "form": form, "title": title}
    context |= reading()
    context["asks"] = form.is_bound and not form.errors and form.unconfirmed
    shown(request, row.patient, "patient.note_form")
    return render(request, template, context)


def note_of(row: Any) -> Note:
    """The note that a row is, or belongs to."""
    return row if isinstance(row, Note) else row.note


def to_note(row: Note) -> HttpResponse:
    """The page of a note."""
    return redirect("patients:note", key=row.patient.key, note=row.key)


def refuse(request: HttpRequest, row: Note, why: Any = "") -> HttpResponse:
    """The note, with the sentence why this cannot be done with it."""
    return show_note(request, row, status=409, problem=why or row.why_closed)


def _saved(
    request: HttpRequest, form: Any, act: str, then: profile_changes.Then | None
) -> bool:
    """Whether it was saved; what a note or a command refuses, the form says."""
    try:
        return profile_changes.save(request, form, act, then)
    except ValidationError as error:
        form.add_error(None, error.messages)
        return False


def notes_of(request: HttpRequest, patient: Patient) -> Any:
    """A patient's notes within reach, those that were entered in error among them."""
    rows = Note.objects.about(patient, gate.reach(request))
    return rows.select_related("patient", *RELATED)


def to_sign(row: Note) -> dict[str, Any]:
    """What of a note is signed, and what hinders it."""
    return {
        "staged": _in_words(row.commands(Command.State.STAGED)),
        "committed": _in_words(row.commands(Command.State.COMMITTED)),
        "visit": booking.visit_that_ends_with(row),
    }


def _reviews(row: Note) -> Any:
    """Whom somebody asked to look at a note, with their tasks."""
    asked = row.reviews.select_related("assignee", "team", "asked_by")
    return asked.prefetch_related("tasks")


def _in_words(commands: list[Command]) -> list[dict[str, Any]]:
    return [{"kind": BY_MODEL[type(row)], "row": row} for row in commands]


def shown(request: HttpRequest, patient: Patient, act: str, **detail: Any) -> None:
    """Record that a page about this patient is about to be shown."""
    gate.shown(request, act, patient, **detail)
