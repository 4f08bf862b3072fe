"""A patient's claims: the list, a new one, and what a claim says of itself."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from canvas_admin.records import clock
from patients import areas, balances, claiming, gate
from patients.forms.claims import ClaimForm
from patients.models import Claim, Patient
from patients.views.claims.showing import (
    claims_of,
    open_claim,
    saved,
    seen,
    show_form,
)

PAGE = 25


@require_safe
def claims(request: HttpRequest, key: str) -> HttpResponse:
    """The patient's claims and balance; ?after= is the key of the last claim shown."""
    patient = gate.open_patient(request, key, *areas.SEE_CLAIMS)
    rows = claims_of(request, patient).with_totals()
    context = {
        "patient": patient,
        "balance": balances.balance_of(patient, gate.reach(request)),
        **rows.page(request.GET.get("after", ""), PAGE),
    }
    seen(request, patient, "patient.claims")
    return render(request, "patients/claims/of_patient.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add_claim(request: HttpRequest, key: str) -> HttpResponse:
    """A new claim, for the coverage that comes first today."""
    patient = gate.open_patient(request, key, *areas.WRITE_CLAIMS)
    claim = Claim(patient=patient)
    if request.method != "POST":
        form = ClaimForm(
            actor=request.user, instance=claim, initial=_usual(patient, claim)
        )
        return show_form(request, patient, form, _("New claim"))
    form = ClaimForm(request.POST, actor=request.user, instance=claim)
    answer = saved(request, form, "claim.add", _("The claim is made."), lambda row: row)
    return answer or show_form(request, patient, form, _("New claim"))


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
    return show_form(request, patient, form, _("Change claim"), row)


def _usual(patient: Patient, claim: Claim) -> dict[str, object]:
    today = clock.today()
    return {
        "service_date": today,
        "coverage": claiming.coverage_on(patient, today),
    }
