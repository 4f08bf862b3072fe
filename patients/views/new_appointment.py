"""Booking from the schedule: first the patient, among those within reach."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from canvas_admin.audit import trail
from patients import areas, gate
from patients.forms import SearchForm
from patients.search import streams

MOST = 20


@require_http_methods(["GET", "HEAD", "POST"])
def new_appointment(request: HttpRequest) -> HttpResponse:
    """Find the patient to book for; each that is found leads to the form."""
    gate.require(request, *areas.BOOK)
    if request.method != "POST":
        return render(request, "patients/new_appointment.html", {})
    form = SearchForm(request.POST)
    if not form.is_valid():
        context = {"text": form.text, "problem": form.problem}
        return render(request, "patients/new_appointment.html", context)
    query = form.cleaned_data["q"]
    page = streams.search(gate.reach(request), query, MOST)
    trail.shown(request, "patient.search", page.seen)
    context = {
        "text": query.text,
        "rows": page.patients,
        "none": _("No patient within your reach has this name or date of birth."),
    }
    return render(request, "patients/new_appointment.html", context)
