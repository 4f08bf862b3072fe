"""One claim: its lines, diagnoses, money and history, and where it can go."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from patients import areas, gate, profile_changes
from patients.forms.claims import MoveForm
from patients.models import Claim
from patients.views.claims.showing import claims_of, open_claim, to_claim


@require_safe
def claim(request: HttpRequest, key: str, claim: str) -> HttpResponse:
    """A claim, and what the person may do with it."""
    patient = gate.open_patient(request, key, *areas.SEE_CLAIMS)
    row = gate.open_row(claims_of(request, patient).with_totals(), claim, patient)
    return _page(request, row, MoveForm(instance=row))


@require_POST
def claim_state(request: HttpRequest, key: str, claim: str) -> HttpResponse:
    """Move a claim to another state, from the one in which the person saw it."""
    patient = gate.open_patient(request, key, *areas.WRITE_CLAIMS)
    row = open_claim(request, patient, claim)
    form = MoveForm(request.POST, actor=request.user, instance=row)
    if profile_changes.save(request, form, "claim.move"):
        state = form.instance.get_state_display()
        messages.success(request, _("The claim is in “%(state)s”.") % {"state": state})
        return to_claim(row)
    row = gate.open_row(claims_of(request, patient).with_totals(), claim, patient)
    return _page(request, row, form)


def _page(request: HttpRequest, row: Claim, form: MoveForm) -> HttpResponse:
    postings = list(row.postings.select_related("posted_by", "reversed_by"))
    context: dict[str, Any] = {
        "patient": row.patient,
        "claim": row,
        "form": form,
        "diagnoses": _parted(row.diagnoses.select_related("removed_by")),
        "lines": _parted(row.lines.select_related("removed_by")),
        "postings": postings,
        "changes": list(row.changes.select_related("by")),
        "snooze": row.snoozes.filter(ended__isnull=True).first(),
    }
    gate.shown(request, "patient.claim", row.patient)
    return render(request, "patients/claims/claim.html", context)


def _parted(rows: Any) -> dict[str, list[Any]]:
    """What is on the claim, and what was taken off."""
    rows = list(rows)
    return {
        "on": [row for row in rows if row.removed is None],
        "off": [row for row in rows if row.removed is not None],
    }
