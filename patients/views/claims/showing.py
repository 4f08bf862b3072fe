"""What the pages of claims have in common."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from canvas_admin.records.forms import SavedAlready
from patients import gate, profile_changes
from patients.models import Claim, Patient


def claims_of(request: HttpRequest, patient: Patient) -> Any:
    """This patient's claims, within the person's reach."""
    rows = Claim.objects.about(patient, gate.reach(request))
    about = ("patient", "coverage", "provider", "location")
    return rows.select_related(*about, "note__visit_type", "note__location")


def open_claim(request: HttpRequest, patient: Patient, key: str) -> Claim:
    """This patient's claim of this key, as though there were none of others'."""
    return gate.open_row(claims_of(request, patient), key, patient)


def to_claim(claim: Claim) -> HttpResponse:
    """The page of a claim."""
    return redirect("patients:claim", key=claim.patient.key, claim=claim.key)


def saved(
    request: HttpRequest,
    form: Any,
    act: str,
    sentence: str,
    claim_of: Callable[[Any], Claim],
) -> HttpResponse | None:
    """Save a posted form and go to its claim; None when the person has to look again.

    `claim_of` tells the claim of the row that the form is about.
    """
    try:
        if not profile_changes.save(request, form, act):
            return None
        messages.success(request, sentence)
        return to_claim(claim_of(form.instance))
    except SavedAlready as before:
        messages.info(
            request, _("This form was saved before, so nothing was saved again.")
        )
        return to_claim(claim_of(before.row))


def show_form(
    request: HttpRequest,
    patient: Patient,
    form: Any,
    title: str,
    claim: Claim | None = None,
    **context: Any,
) -> HttpResponse:
    """The page of a form about a claim."""
    gate.shown(request, "patient.claim_form", patient)
    context |= {"patient": patient, "claim": claim, "form": form, "title": title}
    return render(request, "patients/claims/form.html", context)
