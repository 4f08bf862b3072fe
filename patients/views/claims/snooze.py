"""Putting a claim aside until a day."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from patients import areas, gate
from patients.forms.claim_snoozes import ClaimSnoozeForm
from patients.models import ClaimSnooze
from patients.views.claims.showing import open_claim, saved, show_form


@require_http_methods(["GET", "HEAD", "POST"])
def snooze_claim(request: HttpRequest, key: str, claim: str) -> HttpResponse:
    """Until when it waits, and for what; once it is saved, the claim again."""
    patient = gate.open_patient(request, key, *areas.WRITE_CLAIMS)
    found = open_claim(request, patient, claim)
    row = ClaimSnooze(claim=found, patient=patient)
    form = ClaimSnoozeForm(request.POST or None, actor=request.user, instance=row)
    if request.method == "POST":
        said = _("The claim is snoozed.")
        answer = saved(request, form, "claim.snoozed", said, lambda row: row.claim)
        if answer:
            return answer
    return show_form(request, patient, form, _("Snooze claim"), found)
