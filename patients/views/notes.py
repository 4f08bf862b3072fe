"""The notes of a chart: the list, one of them, beginning, signing and amending it."""

from django.contrib import messages
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
from patients import areas, booking, gate
from patients.forms.notes import AddendumForm, NoteForm, NoteInErrorForm, SignForm
from patients.models import (
    Addendum,
    Appointment,
    Note,
    ReasonForVisit,
)
from patients.views.note_showing import (
    find_note,
    notes_of,
    refuse,
    save_into,
    show_note,
    shown,
    to_note,
    to_sign,
)
from staffing.models import staff_of

PAGE = 25


@require_safe
def notes(request: HttpRequest, key: str) -> HttpResponse:
    """All notes, the newest first; ?show=in-error shows writers those that do not count."""
    patient = gate.open_patient(request, key, *areas.OPEN_CHART)
    may_write = request.user.has_perms(areas.WRITE_CHART)
    wrong = may_write and request.GET.get("show") == "in-error"
    rows = notes_of(request, patient)
    rows = rows.filter(state=Note.State.DELETED) if wrong else rows.counting()
    context = {
        "patient": patient,
        "wrong": wrong,
        **rows.page(request.GET.get("after", ""), PAGE),
    }
    shown(request, patient, "patient.notes")
    return render(request, "patients/notes/list.html", context)


@require_safe
def note(request: HttpRequest, key: str, note: str) -> HttpResponse:
    """A note with everything in it, and for whoever may write what can be done with it."""
    patient = gate.open_patient(request, key, *areas.OPEN_CHART)
    return show_note(request, find_note(request, patient, note))


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
    """Sign what is shown; what is still staged is listed. Its appointment is over then."""
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
        reading=lambda: to_sign(row),
        then=booking.end_visit,
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


@transaction.atomic
def _begin(request: HttpRequest, visit: Appointment) -> Note:
    seen = gate.still_open(request, visit.patient)
    staff = staff_of(request.user)
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
