"""A pharmacy's request about a medicine: recording, reading and answering it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from canvas_admin.records.forms import SavedAlready
from patients import areas, gate, profile_changes
from patients.forms.refills import NewRefillForm
from patients.forms.work import RefillForm
from patients.models import Patient, RefillRequest
from patients.views.review import save, way_back
from patients.work.panels import BY_CODE
from staffing.models import staff_of


@require_http_methods(["GET", "HEAD", "POST"])
def refill(request: HttpRequest, key: str, row: str) -> HttpResponse:
    """The request; who may write the chart approves or denies it, once."""
    asked = areas.REVIEW if request.method == "POST" else areas.OPEN_CHART
    patient = gate.open_patient(request, key, *asked)
    rows = RefillRequest.objects.about(patient, gate.reach(request))
    rows = rows.select_related("medication", "assignee", "team", "answered_by")
    item = gate.open_row(rows, row, patient)
    answered, way = bool(item.answer), way_back(request, patient, BY_CODE["refills"])
    form = RefillForm(request.POST or None, instance=item)
    if request.method == "POST" and answered:
        messages.info(request, _("Somebody has answered this request already."))
    elif request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        item.decide(said["answer"], said["note"], staff_of(request.user))
        if save(request, item, f"refill.{item.answer}"):
            messages.success(request, _("The request is answered."))
        return redirect(way["back"])
    gate.shown(request, "patient.work_refills", patient)
    context = {"patient": patient, "item": item, "form": form, "answered": answered}
    context |= way
    return render(request, "patients/refill.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def record_refill(request: HttpRequest, key: str) -> HttpResponse:
    """A request that came by phone or fax; it goes to the team that is responsible."""
    patient = gate.open_patient(request, key, *areas.WRITE_CHART)
    form = NewRefillForm(
        request.POST or None,
        actor=request.user,
        instance=RefillRequest(patient=patient),
    )
    try:
        if request.method == "POST" and profile_changes.save(
            request, form, "refill.recorded"
        ):
            messages.success(request, _("The request is recorded."))
            return _to_refill(patient, form.instance)
    except SavedAlready as before:
        messages.info(
            request, _("This form was saved before, so nothing was saved again.")
        )
        return _to_refill(patient, before.row)
    gate.shown(request, "patient.refill_form", patient)
    context = {"patient": patient, "form": form}
    return render(request, "patients/record_refill.html", context)


def _to_refill(patient: Patient, row: RefillRequest) -> HttpResponse:
    return redirect("patients:refill", key=patient.key, row=row.key)
