"""A patient's appointments: the list, one of them, booking, changing, its status."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from canvas_admin.records.forms import SavedAlready
from patients import access, areas, booking, gate
from patients.forms.booking import BookingForm
from patients.models import Appointment, Patient

PAGE = 25


@require_safe
def appointments(request: HttpRequest, key: str) -> HttpResponse:
    """A patient's appointments, the latest first; ?after= is the key of the last one shown."""
    patient = gate.open_patient(request, key, *areas.SEE_APPOINTMENTS)
    reach = gate.reach(request)
    context = {
        "patient": patient,
        **listed(patient, reach).page(request.GET.get("after", ""), PAGE),
        **with_reason(request),
    }
    gate.shown(request, "patient.appointments", patient)
    return render(request, "patients/appointments.html", context)


def listed(patient: Patient, reach: access.Reach) -> Any:
    """The patient's appointments, with all that a list shows of them."""
    rows = Appointment.objects.of(patient, reach)
    return rows.select_related("provider", "location", "visit_type")


@require_safe
def appointment(request: HttpRequest, key: str, appointment: str) -> HttpResponse:
    """One appointment, and what the person may do with it."""
    patient = gate.open_patient(request, key, *areas.SEE_APPOINTMENTS)
    return _page(request, _row(request, patient, appointment))


@require_http_methods(["GET", "HEAD", "POST"])
def book(request: HttpRequest, key: str) -> HttpResponse:
    """A new appointment for a patient within reach."""
    patient = gate.open_patient(request, key, *areas.BOOK)
    form = BookingForm(request.POST or None, patient=patient, actor=request.user)
    if request.method != "POST":
        return _form(request, patient, form)
    return _saved(request, patient, form, "appointment.book", _("It is booked."))


@require_http_methods(["GET", "HEAD", "POST"])
def reschedule(request: HttpRequest, key: str, appointment: str) -> HttpResponse:
    """Another time, place or provider. Clinical text stays out of sight without the right."""
    patient = gate.open_patient(request, key, *areas.RESCHEDULE)
    row = _row(request, patient, appointment)
    form = BookingForm(
        request.POST or None,
        patient=patient,
        actor=request.user,
        with_reason=request.user.has_perms(areas.OPEN_CHART),
        instance=row,
    )
    if request.method != "POST":
        return _form(request, patient, form)
    return _saved(request, patient, form, "appointment.change", _("It is changed."))


@require_POST
def appointment_status(
    request: HttpRequest, key: str, appointment: str
) -> HttpResponse:
    """Set the status; what was cancelled stays so."""
    patient = gate.open_patient(request, key, *areas.CHANGE_STATUS)
    row = _row(request, patient, appointment)
    wanted = request.POST.get("status", "")
    if wanted not in dict(_statuses()):
        return _page(request, row, [_("Choose one of the statuses.")], status=400)
    try:
        booking.set_status(row, wanted, request, request.POST.get("form_version", ""))
    except ValidationError as error:
        row = _row(request, patient, appointment)
        return _page(request, row, error.messages, status=409)
    messages.success(request, _("The status is changed."))
    return redirect("patients:appointment", key=patient.key, appointment=row.key)


def _row(request: HttpRequest, patient: Patient, key: str) -> Appointment:
    """This patient's appointment of this key, as though there were none of others'."""
    rows = Appointment.objects.of(patient, gate.reach(request))
    rows = rows.select_related("patient", "provider", "location", "visit_type")
    return gate.open_row(rows, key, patient)


def _saved(
    request: HttpRequest, patient: Patient, form: BookingForm, act: str, said: str
) -> HttpResponse:
    """Save what the form says, or show what is wrong with it."""
    try:
        if form.is_valid():
            booking.save(form.instance, request, act)
            messages.success(request, said)
            row = form.instance
        else:
            return _form(request, patient, form)
    except SavedAlready as before:
        row = before.row
        messages.info(
            request, _("This form was saved before, so nothing was saved again.")
        )
    except ValidationError as error:
        form.add_error(None, error.messages)
        return _form(request, patient, form)
    return redirect("patients:appointment", key=patient.key, appointment=row.key)


def _form(request: HttpRequest, patient: Patient, form: BookingForm) -> HttpResponse:
    gate.shown(request, "patient.booking", patient)
    context = {"patient": patient, "form": form}
    return render(request, "patients/book.html", context)


def _page(
    request: HttpRequest,
    row: Appointment,
    problems: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    gate.shown(request, "patient.appointment", row.patient)
    context = {
        "patient": row.patient,
        "row": row,
        "start": row.start.astimezone(row.zone),
        "end": row.end.astimezone(row.zone),
        "statuses": [each for each in _statuses() if each[0] != row.status],
        "problems": problems,
        **with_reason(request),
        **_notes(request, row),
    }
    return render(request, "patients/appointment.html", context, status=status)


def with_reason(request: HttpRequest) -> dict[str, Any]:
    """Whether the reason for a visit, which is clinical text, may be shown."""
    return {"with_reason": request.user.has_perms(areas.OPEN_CHART)}


def _notes(request: HttpRequest, row: Appointment) -> dict[str, Any]:
    """The note of an appointment to whoever opens the chart; else, whether to begin one."""
    if not request.user.has_perms(areas.OPEN_CHART):
        return {}
    may_start = request.user.has_perms(areas.WRITE_CHART)
    return {
        "notes": list(row.notes.counting()),
        "may_start_note": may_start and row.status not in Appointment.FREE,
    }


def _statuses() -> list[tuple[str, Any]]:
    """The statuses that people give."""
    left_out = Appointment.Status.ENTERED_IN_ERROR
    return [each for each in Appointment.Status.choices if each[0] != left_out]
