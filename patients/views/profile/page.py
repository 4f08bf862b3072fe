"""The profile: demographics, how to reach the patient, coverages, consents, care team."""

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.views.decorators.http import require_safe

from patients import access, areas, gate
from patients.models import (
    ConsentCoding,
    Coverage,
    EligibilityCheck,
    Patient,
    PatientGroup,
    PatientGroupMember,
)
from patients.revenue import balances
from patients.views.care_team import care_team
from patients.views.profile.eligibility import RUN
from patients.views.profile.sections import CARE_TEAM, SECTIONS, is_past

# Names of patient groups are for administrators alone (security F20).
SEE_GROUPS = "patients.view_patientgroup"


@require_safe
def profile(request: HttpRequest, key: str) -> HttpResponse:
    """A patient's profile, for a person who may read it and reaches the patient.

    S2: "the page where demographics, addresses, etc. are placed". What a person may
    change has an "Edit" beside it.
    """
    patient = gate.open_patient(request, key, *areas.OPEN_PROFILE)
    reach = gate.reach(request)
    context = {
        "patient": patient,
        **contents(patient, reach),
        "edit": _editable(request, patient),
        "groups": _groups(request, patient),
        "balance": _balance(request, patient),
        "may_check": request.user.has_perms(RUN),
        "form_token": get_random_string(32),
    }
    gate.shown(request, "patient.profile", patient)
    return render(request, "patients/profile.html", context)


def contents(patient: Patient, reach: access.Reach) -> dict[str, Any]:
    """What the profile shows, on the page and in print: nothing entered in error."""
    parts = {
        section.code: _not_wrong(section.rows(reach, patient))
        for section in SECTIONS
        if section is not CARE_TEAM
    }
    add_newest_checks(parts["coverages"])
    parts["care_team"] = care_team(reach, patient)
    parts["unanswered"] = unanswered(parts["consents"])
    return parts


def add_newest_checks(coverages: list[Coverage]) -> None:
    """Give each coverage its newest eligibility check, as `check`; two queries for all."""
    of_coverage = EligibilityCheck.objects.filter(coverage=OuterRef("pk"))
    newest = Coverage.objects.filter(pk__in=[row.pk for row in coverages]).values(
        newest=Subquery(of_coverage.values("pk")[:1])
    )
    checks = EligibilityCheck.objects.filter(pk__in=newest)
    found = {
        check.coverage_id: check for check in checks.select_related("checked_by__staff")
    }
    for coverage in coverages:
        coverage.check = found.get(coverage.pk)


def unanswered(consents: list[Any]) -> list[ConsentCoding]:
    """The mandatory kinds of consent to which none of these is an answer."""
    answered = [consent.coding_id for consent in consents]
    asked = ConsentCoding.objects.filter(active=True, mandatory=True)
    return list(asked.exclude(pk__in=answered))


def _not_wrong(rows: QuerySet) -> list[Any]:
    """The rows that are not entered in error, the past ones last."""
    return sorted(rows.filter(entered_in_error=False), key=is_past)


def _editable(request: HttpRequest, patient: Patient) -> dict[str, str]:
    """Where each part is changed that the person may change."""
    found = {
        section.code: section.address(patient)
        for section in SECTIONS
        if request.user.has_perms(section.permissions("change"))
    }
    if request.user.has_perms(areas.EDIT_PROFILE):
        page = reverse("patients:demographics", args=[patient.key])
        found["demographics"] = page
    return found


def _balance(request: HttpRequest, patient: Patient) -> balances.Balance | None:
    """What is owed; None for who may not see it (S2, "Revenue access")."""
    if not request.user.has_perms(areas.SEE_CLAIMS):
        return None
    return balances.balance_of(patient, gate.reach(request))


def _groups(request: HttpRequest, patient: Patient) -> list[PatientGroup] | None:
    """The patient groups that the patient is in now; None for who may not see them."""
    if not request.user.has_perm(SEE_GROUPS):
        return None
    rows = PatientGroupMember.objects.in_force(member=patient)
    rows = rows.filter(patient_group__retired__isnull=True)
    groups = PatientGroup.objects.filter(pk__in=rows.values("patient_group"))
    return list(groups.order_by("name"))
