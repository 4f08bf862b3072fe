"""Asking for access to a patient out of reach (S2; security A1, A5)."""

from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from canvas_admin.audit import trail
from canvas_admin.records.models import find_row, key_from_form
from patients import access, areas, gate, handles
from patients.decisions import page_open_to
from patients.forms import AccessRequestForm
from patients.models import AccessRequest, Patient
from patients.search import reveal

ASKS_PER_HOUR = 20


@require_http_methods(["GET", "HEAD", "POST"])
def request_access(request: HttpRequest) -> HttpResponse:
    """Ask for one grey row of "See all patients", which a handle names.

    The page shows name and date of birth; nothing of the patient is in its address.
    """
    gate.require(request, *areas.FIND_PATIENTS)
    if request.method != "POST":
        return redirect("patients:access-requests")
    handle = request.POST.get("patient", "")
    patient = handles.unseal(request.user, handle, handles.REQUEST)
    if patient is None or patient.merged_into_id:
        return _too_late(request, patient)
    if access.opened(gate.reach(request), [patient.pk]):
        return _lead_to(request, patient)
    # One handle makes one request, however often it is sent.
    key = key_from_form(AccessRequest, request.user, handle)
    form = AccessRequestForm(request.POST if "send" in request.POST else None)
    context = {"form": form, "handle": handle}
    earlier = _earlier(request, patient, key)
    if earlier is None and form.is_valid():
        if not _within_ration(request):
            return _show(request, patient, status=429, most=ASKS_PER_HOUR, **context)
        if _sent(request, patient, form, key):
            messages.success(request, _("Your request was sent."))
            return redirect("patients:access-requests")
        earlier = _earlier(request, patient, key)
    return _show(request, patient, earlier=earlier, **context)


def _too_late(request: HttpRequest, patient: Patient | None) -> HttpResponse:
    """An old, altered or foreign handle, and a record that was merged, all alike."""
    key = patient.key if patient else ""
    trail.refused(request, "access_request.ask", key, reason="handle")
    return render(request, "patients/request_access.html", {"patient": None})


def _lead_to(request: HttpRequest, patient: Patient) -> HttpResponse:
    """To the chart or profile of a patient within reach, if the person may open it."""
    if area := page_open_to(request.user, patient):
        messages.info(request, _("You can open this patient already."))
        return redirect(area.url_name, key=patient.key)
    said = _(
        "This patient is within your reach already. To open a page of a patient you need "
        "another group; ask a person with “Staff Permissions”."
    )
    messages.info(request, said)
    return redirect("patients:access-requests")


def _earlier(request: HttpRequest, patient: Patient, key: str) -> AccessRequest | None:
    """The person's open request for this patient, or the one that this page made."""
    own = AccessRequest.objects.filter(staff__user=request.user).with_people()
    return own.waiting().filter(patient=patient).first() or find_row(own, key)


def _within_ration(request: HttpRequest) -> bool:
    return trail.within_ration(
        request, "request-access", ASKS_PER_HOUR, "access_request.ask"
    )


def _sent(
    request: HttpRequest, patient: Patient, form: AccessRequestForm, key: str
) -> bool:
    """Save the request; False when the person has one by now, from another tab."""
    row = form.save(commit=False)
    row.key, row.patient, row.staff = key, patient, request.user.staff
    try:
        with transaction.atomic():
            row.save()
            row.record("ask", request.user, "", request, wanted_for=row.wanted_for)
    except IntegrityError:
        return False
    return True


def _show(
    request: HttpRequest, patient: Patient, status: int = 200, **context: Any
) -> HttpResponse:
    """The page about one patient: the form, or the request that there is already."""
    trail.shown(request, "access_request.ask", [(patient.key, "")])
    context["patient"] = reveal.shown(patient, within_reach=False)
    return render(request, "patients/request_access.html", context, status=status)
