"""The notes of a chart: the list, one of them, beginning, signing and amending it."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from canvas_admin.audit import trail
from canvas_admin.records.forms import SavedAlready
from patients import access, areas, gate, profile_changes
from patients.forms.notes import AddendumForm, NoteForm, NoteInErrorForm, SignForm
from patients.kinds import BY_MODEL, KINDS
from patients.models import (
    Addendum,
    Appointment,
    Command,
    Note,
    Patient,
    ReasonForVisit,
)

PAGE = 25
SHOWN = (
    Command.State.STAGED,
    Command.State.COMMITTED,
    Command.State.ENTERED_IN_ERROR,
)
RELATED = ("provider", "location", "visit_type", "signed_by", "originator")


@require_safe
def notes(request: HttpRequest, key: str) -> HttpResponse:
    """All notes, the newest first; ?show=in-error shows writers those that do not count."""
    patient = gate.open_patient(request, key, *areas.OPEN_CHART)
    may_write = request.user.has_perms(areas.WRITE_CHART)
    wrong = may_write and request.GET.get("show") == "in-error"
    rows = _notes(request, patient)
    rows = rows.filter(state=Note.State.DELETED) if wrong else rows.counting()
    context = {
        "patient": patient,
        "wrong": wrong,
        **rows.page(request.GET.get("after", ""), PAGE),
    }
    _shown(request, patient, "patient.notes")
    return render(request, "patients/notes/list.html", context)


@require_safe
def note(request: HttpRequest, key: str, note: str) -> HttpResponse:
    """A note with everything in it, and for whoever may write what can be done with it."""
    patient = gate.open_patient(request, key, *areas.OPEN_CHART)
    row = find_note(request, patient, note)
    _shown(request, patient, "patient.note", note=row.key)
    return show_note(request, row)


@require_http_methods(["GET", "HEAD", "POST"])
def new_note(request: HttpRequest, key: str) -> HttpResponse:
    """A note of a visit that was in nobody's schedule."""
    patient = gate.open_patient(request, key, *areas.WRITE_CHART)
    form = NoteForm(
        request.POST or None,
        actor=request.user,
        instance=Note(patient=patient),
    )
    return save_into(request, form, "note.begun", _("New note"), _("The note is open."))


@require_POST
def start_note(request: HttpRequest, key: str, appointment: str) -> HttpResponse:
    """The note of an appointment, begun with its reason; the one there is, if there is one."""
    patient = gate.open_patient(request, key, *areas.WRITE_CHART)
    rows = Appointment.objects.of(patient, gate.reach(request))
    visit = gate.open_row(rows, appointment, patient)
    if visit.status in Appointment.FREE:
        messages.error(request, _("Nobody came to this appointment."))
        return redirect("patients:appointment", key=patient.key, appointment=visit.key)
    try:
        row = visit.notes.counting().first() or _begin(request, visit)
    except IntegrityError:
        # Somebody else began it at this moment.
        row = visit.notes.counting().get()
    return to_note(row)


@require_http_methods(["GET", "HEAD", "POST"])
def edit_note(request: HttpRequest, key: str, note: str) -> HttpResponse:
    """The head of an open note."""
    patient = gate.open_patient(request, key, *areas.WRITE_CHART)
    row = find_note(request, patient, note)
    if not row.open:
        return refuse(request, row)
    form = NoteForm(request.POST or None, actor=request.user, instance=row)
    return save_into(request, form, "note.changed", _("Edit note"), _("Saved."))


@require_http_methods(["GET", "HEAD", "POST"])
def sign_note(request: HttpRequest, key: str, note: str) -> HttpResponse:
    """Sign what is shown; first, what is still staged is listed."""
    patient = gate.open_patient(request, key, *areas.WRITE_CHART)
    row = find_note(request, patient, note)
    if not row.open:
        return refuse(request, row)
    form = SignForm(request.POST or None, actor=request.user, instance=row)
    return save_into(
        request,
        form,
        "note.signed",
        _("Sign note"),
        _("The note is signed."),
        template="patients/notes/sign.html",
        reading=lambda: _to_sign(row),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def note_in_error(request: HttpRequest, key: str, note: str) -> HttpResponse:
    """Say that a note should not be there, and why; everything in it goes with it."""
    patient = gate.open_patient(request, key, *areas.WRITE_CHART)
    row = find_note(request, patient, note)
    if row.in_error:
        return refuse(request, row)
    form = NoteInErrorForm(request.POST or None, actor=request.user, instance=row)
    return save_into(
        request,
        form,
        "note.in_error",
        _("Enter note in error"),
        _("The note is entered in error."),
        danger=_("Enter in error"),
        about=_(
            "The note, everything in it and what that put into the chart no longer "
            "count. They are kept with this reason, and this cannot be taken back."
        ),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def addendum(request: HttpRequest, key: str, note: str) -> HttpResponse:
    """Something to be said about a signed note afterwards."""
    patient = gate.open_patient(request, key, *areas.WRITE_CHART)
    row = find_note(request, patient, note)
    if not row.locked:
        return refuse(request, row, _("Only a signed note gets addenda."))
    form = AddendumForm(
        request.POST or None,
        actor=request.user,
        instance=Addendum(patient=patient, note=row),
    )
    return save_into(
        request, form, "note.addendum", _("Addendum"), _("The addendum is saved.")
    )


def find_note(request: HttpRequest, patient: Patient, key: str) -> Note:
    """This patient's note of this key, as though there were none of others'.

    One that was entered in error is there for whoever writes.
    """
    rows = _notes(request, patient)
    if not request.user.has_perms(areas.WRITE_CHART):
        rows = rows.counting()
    return gate.open_row(rows, key, patient)


def show_note(
    request: HttpRequest, row: Note, status: int = 200, **context: Any
) -> HttpResponse:
    """The page of a note."""
    context |= {
        "patient": row.patient,
        "note": row,
        "commands": _in_words(row.commands(*SHOWN)),
        "addenda": row.addenda.select_related("author"),
        "history": row.state_changes.select_related("by"),
        "kinds": KINDS.values(),
    }
    return render(request, "patients/notes/note.html", context, status=status)


def save_into(
    request: HttpRequest,
    form: Any,
    act: str,
    title: str,
    said: str,
    template: str = "patients/notes/form.html",
    reading: Callable[[], dict[str, Any]] = dict,
    **context: Any,
) -> HttpResponse:
    """Save a form about a note, or show it, with what is wrong with it.

    `reading` gives what else the page shows, read behind what the form knows of the note,
    so that nobody signs more than was shown.
    """
    try:
        if request.method == "POST" and _saved(request, form, act):
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
    _shown(request, row.patient, "patient.note_form")
    return render(request, template, context)


def note_of(row: Any) -> Note:
    """The note that a row is, or belongs to."""
    return row if isinstance(row, Note) else row.note


def to_note(row: Note) -> HttpResponse:
    """The page of a note."""
    return redirect("patients:note", key=row.patient.key, note=row.key)


def refuse(request: HttpRequest, row: Note, why: Any = "") -> HttpResponse:
    """The note, with the sentence why this cannot be done with it."""
    _shown(request, row.patient, "patient.note", note=row.key)
    return show_note(request, row, status=409, problem=why or row.why_closed)


def _saved(request: HttpRequest, form: Any, act: str) -> bool:
    """Whether it was saved; what a note or a command refuses, the form says."""
    try:
        return profile_changes.save(request, form, act)
    except ValidationError as error:
        form.add_error(None, error.messages)
        return False


@transaction.atomic
def _begin(request: HttpRequest, visit: Appointment) -> Note:
    seen = gate.still_open(request, visit.patient)
    staff = getattr(request.user, "staff", None)
    row = Note(
        patient=visit.patient,
        appointment=visit,
        provider=visit.provider,
        location=visit.location,
        visit_type=visit.visit_type,
        started=visit.start,
        originator=staff,
    )
    row.save(by=request.user)
    if visit.reason:
        ReasonForVisit(note=row, comment=visit.reason, originator=staff).save()
    trail.done(
        request.user, "note.begun", seen, request=request, subject=f"note/{row.key}"
    )
    return row


def _notes(request: HttpRequest, patient: Patient) -> Any:
    rows = Note.objects.visible_to(gate.reach(request)).filter(patient=patient)
    return rows.select_related("patient", *RELATED)


def _to_sign(row: Note) -> dict[str, Any]:
    """What of a note is signed, and what hinders it."""
    return {
        "staged": _in_words(row.commands(Command.State.STAGED)),
        "committed": _in_words(row.commands(Command.State.COMMITTED)),
    }


def _in_words(commands: list[Command]) -> list[dict[str, Any]]:
    return [{"kind": BY_MODEL[type(row)], "row": row} for row in commands]


def _shown(request: HttpRequest, patient: Patient, act: str, **detail: Any) -> None:
    trail.shown(request, act, access.paths_to(gate.reach(request), [patient]), **detail)
