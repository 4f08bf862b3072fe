"""The patient picker of administration (security A8): find, see who it is, choose.

It shows the name, the date of birth and whether the patient is inactive or deceased, and
names each by a handle; on the way into a group it marks who is in. What is typed comes by
POST alone. It works as a form in two steps, and with htmx it suggests while one types.
"""

from dataclasses import dataclass, field

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from canvas_admin.audit import trail
from patients import gate, handles
from patients.admin import pages
from patients.forms import SearchForm
from patients.models import Patient, PatientGroup, PatientGroupMember
from patients.search import reveal

ROWS = 20
PICKS_PER_HOUR = 120
PICK = "patients.view_patientgroupmember"


@dataclass(frozen=True)
class Candidate:
    """A patient who may be chosen; the key is not among the fields."""

    handle: str
    patient: Patient
    chosen: bool = False
    member: bool = False


@dataclass
class Found:
    """What a text found, or what to say instead."""

    text: str = ""
    rows: list[Candidate] = field(default_factory=list)
    more: bool = False
    hint: str = ""
    status: int = 200


def find(
    request: HttpRequest,
    chosen: Patient | None = None,
    group: PatientGroup | None = None,
) -> Found:
    """What the text in this POST finds among all patients: twenty, and if there are more.

    Who is in `group` already, or will be, is marked. Each use is counted and is in the
    audit trail with the patients shown.
    """
    form = SearchForm(request.POST)
    if not form.is_valid():
        return Found(text=form.text, hint=form.problem)
    query = form.cleaned_data["q"]
    if not query.enough_for_everyone:
        hint = _("Type at least two letters of a name, or a complete date of birth.")
        return Found(text=form.text, hint=hint)
    if not trail.within_ration(request, "patient-pick", PICKS_PER_HOUR, "patient.pick"):
        hint = _(
            "You have looked for patients %(count)d times within an hour. It works "
            "again in a while."
        ) % {"count": PICKS_PER_HOUR}
        return Found(text=form.text, hint=hint, status=429)
    patients = reveal.among_all(query, ROWS + 1)
    more = len(patients) > ROWS
    del patients[ROWS:]
    trail.shown(request, "patient.pick", pages.seen(patients))
    hint = "" if patients else _("No patient has this name or date of birth.")
    rows = _candidates(request, patients, chosen, group)
    return Found(form.text, rows, more, hint)


def chosen(request: HttpRequest) -> Patient | None:
    """The patient whose handle this POST carries; None for none, an old or forged one."""
    return handles.unseal(request.user, request.POST.get("patient", ""), handles.PICK)


def refuse_nobody(form: forms.Form, patient: Patient | None) -> None:
    """An error in the form when no patient is chosen."""
    if patient is None:
        said = _("Choose a patient. What was found is good for 15 minutes; find again.")
        form.add_error(None, said)


def show_again(
    request: HttpRequest, patient: Patient | None, group: PatientGroup | None = None
) -> Found:
    """The rows of a form that comes back: what was found, or the chosen patient alone."""
    if request.POST.get("q"):
        return find(request, patient, group)
    if patient is None:
        return Found()
    trail.shown(request, "patient.pick", pages.seen([patient]))
    return Found(rows=_candidates(request, [patient], patient, group))


@require_POST
def suggest(request: HttpRequest) -> HttpResponse:
    """The rows alone, for htmx, while somebody types."""
    gate.require(request, PICK)
    template = "admin/patients/patientgroup/_found.html"
    found = find(request, group=_group_of(request))
    return render(request, template, {"found": found, "most": ROWS})


def _group_of(request: HttpRequest) -> PatientGroup | None:
    """The group that the page about its members sends along."""
    try:
        group_id = forms.UUIDField().clean(request.POST.get("group", ""))
    except ValidationError:
        return None
    groups = PatientGroup.objects.filter(retired__isnull=True)
    return groups.filter(externally_exposable_id=group_id).first()


def _candidates(
    request: HttpRequest,
    patients: list[Patient],
    chosen: Patient | None,
    group: PatientGroup | None,
) -> list[Candidate]:
    rows = PatientGroupMember.objects.filter(patient_group=group, member__in=patients)
    members = set(rows.going_on().values_list("member", flat=True))
    return [
        Candidate(
            handles.seal(request.user, patient, handles.PICK),
            patient,
            chosen=patient == chosen,
            member=patient.pk in members,
        )
        for patient in patients
    ]
