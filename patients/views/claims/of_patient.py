"""A patient's claims: the list, a new one, and what a claim says of itself."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from canvas_admin.records import clock
from patients import areas, gate
from patients.forms.claims import ClaimForm
from patients.models import Claim, Note, Patient
from patients.revenue import balances, claiming
from patients.views.claims.showing import (
    claims_of,
    open_claim,
    saved,
    show_form,
)

PAGE = 25
# So many notes that wait for a claim are offered at once.
NOTES = 10


@require_safe
def claims(request: HttpRequest, key: str) -> HttpResponse:
    """The patient's claims and balance; ?after= is the key of the last claim shown."""
    patient = gate.open_patient(request, key, *areas.SEE_CLAIMS)
    rows = claims_of(request, patient).with_totals()
    context = {
        "patient": patient,
        "balance": balances.balance_of(patient, gate.reach(request)),
        "notes": list(claiming.unclaimed(_signed(request, patient))[:NOTES]),
        **rows.page(request.GET.get("after", ""), PAGE),
    }
    gate.shown(request, "patient.claims", patient)
    return render(request, "patients/claims/of_patient.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add_claim(request: HttpRequest, key: str, note: str = "") -> HttpResponse:
    """A new claim: by hand for today, or for the visit of a signed note."""
    patient = gate.open_patient(request, key, *areas.WRITE_CLAIMS)
    if note:
        row = gate.open_row(_signed(request, patient), note, patient)
        claim = claiming.for_note(row)
    else:
        today = clock.today()
        coverage = claiming.coverage_on(patient, today)
        claim = Claim(patient=patient, service_date=today, coverage=coverage)
    form = ClaimForm(request.POST or None, actor=request.user, instance=claim)
    if request.method == "POST":
        said = _("The claim is made.")
        answer = saved(request, form, "claim.add", said, lambda row: row)
        if answer:
            return answer
    codes = claiming.codes_in(claim.note)
    return show_form(request, patient, form, _("New claim"), codes=codes)


@require_http_methods(["GET", "HEAD", "POST"])
def change_claim(request: HttpRequest, key: str, claim: str) -> HttpResponse:
    """Date, provider, place and coverage, while the state of the claim allows it."""
    patient = gate.open_patient(request, key, *areas.WRITE_CLAIMS)
    row = open_claim(request, patient, claim)
    form = ClaimForm(request.POST or None, actor=request.user, instance=row)
    if request.method == "POST":
        said = _("The claim is changed.")
        answer = saved(request, form, "claim.change", said, lambda row: row)
        if answer:
            return answer
    return show_form(request, patient, form, _("Edit claim"), row)


def _signed(request: HttpRequest, patient: Patient) -> Any:
    """The patient's signed notes; a claim tells of one when and where it was, and by whom."""
    rows = Note.objects.in_chart_of(patient, gate.reach(request))
    rows = rows.filter(state=Note.State.LOCKED)
    return rows.select_related("patient", "provider", "location", "visit_type")
