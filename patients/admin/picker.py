"""The patient picker of administration (security A8): find, see who it is, choose.

It shows the name, the date of birth and whether the patient is inactive or deceased, and
names each by a handle. What is typed comes by POST alone. It works as a form in two steps,
and with htmx it suggests while one types.
"""

from dataclasses import dataclass, field

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from canvas_admin.audit import ration, trail
from patients import gate, handles
from patients.admin import pages
from patients.forms import SearchForm
from patients.models import Patient

ROWS = 20
PICKS_PER_HOUR = 120
PICK = "patients.view_patientgroupmember"


@dataclass(frozen=True)
class Candidate:
    """A patient who may be chosen; the key is not among the fields."""

    handle: str
    patient: Patient
    chosen: bool = False


@dataclass
class Found:
    """What a text found, or what to say instead."""

    text: str = ""
    rows: list[Candidate] = field(default_factory=list)
    more: bool = False
    hint: str = ""
    status: int = 200


def find(request: HttpRequest, chosen: Patient | None = None) -> Found:
    """What the text in this POST finds among all patients: twenty, and if there are more.

    Each use is counted and is in the audit trail with the patients shown.
    """
    form = SearchForm(request.POST)
    if not form.is_valid():
        return Found(text=form.text, hint=form.problem)
    query = form.cleaned_data["q"]
    if not query.enough_for_everyone:
        hint = _("Type at least two letters of a name, or a complete date of birth.")
        return Found(text=form.text, hint=hint)
    if not ration.take(request.user, "patient-pick", PICKS_PER_HOUR):
        hint = _(
            "You have looked for patients %(count)d times within an hour. It works "
            "again in a while."
        ) % {"count": PICKS_PER_HOUR}
        return Found(text=form.text, hint=hint, status=429)
    found = Patient.objects.filter(query.by_name_and_birth()).order_by("sort_name")
    patients = list(found[: ROWS + 1])
    more = len(patients) > ROWS
    del patients[ROWS:]
    trail.shown(request, "patient.pick", pages.seen(patients))
    hint = "" if patients else _("No patient has this name or date of birth.")
    rows = [_candidate(request, patient, chosen) for patient in patients]
    return Found(form.text, rows, more, hint)


def chosen(request: HttpRequest) -> Patient | None:
    """The patient whose handle this POST carries; None for none, an old or forged one."""
    return handles.unseal(request.user, request.POST.get("patient", ""), handles.PICK)


def refuse_nobody(form: forms.Form, patient: Patient | None) -> None:
    """An error in the form when no patient is chosen."""
    if patient is None:
        said = _("Choose a patient. What was found is good for 15 minutes; find again.")
        form.add_error(None, said)


def show_again(request: HttpRequest, patient: Patient | None) -> Found:
    """The rows of a form that comes back: what was found, or the chosen patient alone."""
    if request.POST.get("q"):
        return find(request, patient)
    if patient is None:
        return Found()
    trail.shown(request, "patient.pick", pages.seen([patient]))
    return Found(rows=[_candidate(request, patient, patient)])


@require_POST
def suggest(request: HttpRequest) -> HttpResponse:
    """The rows alone, for htmx, while somebody types."""
    gate.require(request, PICK)
    template = "admin/patients/patientgroup/_found.html"
    return render(request, template, {"found": find(request), "most": ROWS})


def _candidate(
    request: HttpRequest, patient: Patient, chosen: Patient | None
) -> Candidate:
    return Candidate(
        handles.seal(request.user, patient, handles.PICK), patient, patient == chosen
    )
