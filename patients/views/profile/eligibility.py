"""The button that asks a payer whether a coverage holds."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from canvas_admin.records.forms import SavedAlready
from patients import areas, gate
from patients.eligibility import checking
from patients.forms.coverages import EligibilityForm
from patients.models import EligibilityCheck
from patients.views.profile.sections import COVERAGES
from patients.views.profile.showing import to_profile

RUN = (*areas.OPEN_PROFILE, "patients.add_eligibilitycheck")


@require_POST
def eligibility(request: HttpRequest, key: str, row: str) -> HttpResponse:
    """Ask the payer; the answer stands with the coverage on the profile.

    S2: "Includes actions like running eligibility checks."
    """
    patient = gate.open_patient(request, key, *RUN)
    rows = COVERAGES.rows(gate.reach(request), patient).filter(entered_in_error=False)
    coverage = gate.open_row(rows, row, patient)
    form = EligibilityForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("This form is damaged. Open a new one."))
        return to_profile(patient, COVERAGES.slug)
    try:
        check = checking.run(request, coverage, form.cleaned_data["form_token"])
    except SavedAlready:
        messages.info(
            request, _("This check was run before, so nobody was asked again.")
        )
    else:
        _say(request, check)
    return to_profile(patient, COVERAGES.slug)


def _say(request: HttpRequest, check: EligibilityCheck) -> None:
    if check.outcome == EligibilityCheck.Outcome.FAILED:
        sentence = _("The eligibility check failed. What is known stands below.")
        messages.warning(request, sentence)
    else:
        messages.success(request, _("The payer's answer stands below."))
