"""The administrator's front page: what waits, and patients whom nobody can open."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from canvas_admin.audit import trail
from patients import gate, handles, self_gain
from patients import unreachable as rule
from patients.admin import deciding, pages
from patients.models import AccessRequest, PatientGroup
from patients.work import stranded
from staffing.models import Staff

VIEW = "patients.view_patientgroup"
ADD = "patients.add_patientgroupmember"
ROWS = 50
MOST = 10_000


@require_GET
def numbers(request: HttpRequest) -> HttpResponse:
    """The front page's numbers, loaded after it; all end at 10,000 (security A9).

    That of stranded work comes of looking at stranded.COUNTED items, and says so.
    """
    gate.require(request, VIEW, deciding.VIEW)
    waiting = AccessRequest.objects.waiting().order_by().values("pk")
    alone = rule.unreachable().order_by().values("pk")
    without = Staff.objects.people().filter(
        active=True, user__is_active=True, user__groups__isnull=True
    )
    walk = stranded.Walk(left=stranded.COUNTED)
    context = {
        "stranded": sum(1 for _item in walk),
        "stranded_part": walk.stopped is not None,
        "unassigned": stranded.count_unassigned(MOST + 1),
        "waiting": len(waiting[: MOST + 1]),
        "unreachable": len(alone[: MOST + 1]),
        "staff_without": len(without.values("pk")[: MOST + 1]),
        "most": MOST,
    }
    trail.shown(request, "admin.unreachable", number=context["unreachable"])
    template = "admin/patients/patientgroup/_numbers.html"
    if request.htmx:
        return render(request, template, context)
    return pages.show(request, "numbers", _("Numbers"), **context)


@require_http_methods(["GET", "HEAD", "POST"])
def unreachable(request: HttpRequest) -> HttpResponse:
    """Patients nobody can open, without names: kind, age and a handle (security A10).

    The one thing to do with them is to add them to a patient group that somebody holds.
    """
    gate.require(request, VIEW, ADD)
    problems: list[str] = []
    if request.method == "POST" and "more" not in request.POST:
        try:
            group, number = _add_chosen(request)
        except ValidationError as error:
            problems = error.messages
        else:
            messages.success(request, _said(group, number))
            return redirect("admin:patients_patientgroup_unreachable")
    patients = list(_behind(request)[: ROWS + 1])
    more = len(patients) > ROWS
    del patients[ROWS:]
    trail.shown(request, "admin.unreachable", pages.seen(patients))
    rows = [
        (handles.seal(request.user, patient, handles.UNREACHABLE), patient)
        for patient in patients
    ]
    return pages.show(
        request,
        "unreachable",
        _("Patients nobody can open"),
        rows=rows,
        after=rows[-1][0] if more else "",
        groups=rule.groups_that_open(),
        problems=problems,
    )


def _behind(request: HttpRequest) -> Any:
    """The patients, from behind the one whose handle "More" sends."""
    last = handles.unseal(
        request.user, request.POST.get("more", ""), handles.UNREACHABLE
    )
    found = rule.unreachable()
    return found.filter(pk__lt=last.pk) if last else found


def _add_chosen(request: HttpRequest) -> tuple[PatientGroup, int]:
    """Put the chosen patients into the chosen group, all or none.

    Raises ValidationError when somebody or the group is not, or no longer, to be chosen.
    """
    group = _chosen_group(request)
    sent = request.POST.getlist("patient")[:ROWS]
    patients = [
        handles.unseal(request.user, handle, handles.UNREACHABLE) for handle in sent
    ]
    if not patients or None in patients:
        raise ValidationError(
            _("Choose patients. This page is good for 15 minutes; choose again.")
        )
    with pages.changing(request, group, "patient_group.member_added"):
        self_gain.check_adding(request.user, group, patients)
        # In one order, so that two people at it never wait for each other's patient.
        for patient in sorted(set(patients), key=lambda patient: patient.pk):
            group.add(patient, by=request.user)
            pages.note(request, group, _("A member was put in."))
    return group, len(set(patients))


def _chosen_group(request: HttpRequest) -> PatientGroup:
    sent = request.POST.get("group", "")
    for group in rule.groups_that_open():
        if group.public_id == sent:
            return group
    raise ValidationError(_("Choose one of the groups that are shown."))


def _said(group: PatientGroup, number: int) -> str:
    text = ngettext(
        "%(number)d patient is in “%(group)s” now.",
        "%(number)d patients are in “%(group)s” now.",
        number,
    )
    return text % {"number": number, "group": group}
