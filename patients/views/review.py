"""An item of work of a chart: reviewing a result, taking that back, handing it over."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from canvas_admin.audit import trail
from patients import areas, gate
from patients.forms.work import hand_over_form, review_form
from patients.models import Patient
from patients.work import Kind, panels
from patients.work.queues import Whose
from staffing.models import staff_of


@dataclass(frozen=True)
class Origin:
    """Whence somebody came to an item, and where the act leads back to: a code."""

    code: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> "Origin":
        """?from= is "chart", or whose items the panel showed; else one's own panel."""
        code = request.GET.get("from", "")
        return cls(code if code in {"chart", Whose.UNASSIGNED, Whose.ALL} else "")

    @property
    def query(self) -> str:
        """What keeps it in an address."""
        return f"?from={self.code}" if self.code else ""

    def address(self, patient: Patient, kind: Kind) -> str:
        """The page to go back to from an item of this kind."""
        if self.code == "chart":
            return reverse("patients:chart", args=[patient.key])
        panel = reverse(kind.url_name)
        return f"{panel}?whose={self.code}" if self.code else panel


@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, key: str, kind: str, row: str) -> HttpResponse:
    """A result; who may write the chart marks it as reviewed, with a comment.

    S2, Clinical write: "reviewing results".
    """
    asked = areas.REVIEW if request.method == "POST" else areas.OPEN_CHART
    patient = gate.open_patient(request, key, *asked)
    about = _kind(kind, panels.REVIEWED)
    item = _item(request, patient, about, row)
    form = review_form(about.model)(request.POST or None, instance=item)
    if request.method == "POST" and item.reviewed:
        messages.info(request, _("Somebody has reviewed this result already."))
    elif request.method == "POST" and form.is_valid():
        said, told = form.cleaned_data, form.cleaned_data["communication"]
        item.review(staff_of(request.user), said["review_comment"], told)
        raised = partial(item.delegate, request.user, said["message"])
        then = raised if form.delegated else None
        if save(request, item, f"review.{about.code}", then, communication=told):
            messages.success(request, _("The result is reviewed."))
        return redirect(Origin.of(request).address(patient, about))
    return _show(request, patient, "patients/review.html", about, item, form)


@require_POST
def undo_review(request: HttpRequest, key: str, kind: str, row: str) -> HttpResponse:
    """Let a reviewed result wait for a review again; its comment stays with it."""
    patient = gate.open_patient(request, key, *areas.REVIEW)
    about = _kind(kind, panels.REVIEWED)
    item = _item(request, patient, about, row)
    if request.POST.get("form_version") != str(item.version) or not item.reviewed:
        changed_meanwhile(request)
    else:
        item.take_back_review()
        then = partial(item.call_off, request.user, _("The review was taken back."))
        if save(request, item, f"review.{about.code}_undone", then):
            messages.success(request, _("The result waits for a review again."))
    page = reverse("patients:review", args=[patient.key, about.code, item.key])
    return redirect(page + Origin.of(request).query)


@require_http_methods(["GET", "HEAD", "POST"])
def hand_over(request: HttpRequest, key: str, kind: str, row: str) -> HttpResponse:
    """Give an open item to a person or a team, or to nobody.

    S2: "It is critical to ensure that important clinical data like new lab results are
    not assigned to staff who do not have access to the patient." So the form says who
    will see it, and asks once more when not all will.
    """
    about = _kind(kind, panels.BY_CODE)
    patient = gate.open_patient(request, key, *about.to_act)
    item = _item(request, patient, about, row)
    if not about.model.objects.filter(about.open, pk=item.pk).exists():
        messages.info(request, _("It does not wait any more: it is done."))
        return redirect(Origin.of(request).address(patient, about))
    form = hand_over_form(about)(
        request.POST or None, instance=item, actor=request.user
    )
    if request.method == "POST" and form.is_valid() and not form.unconfirmed:
        item.hand_to(form.cleaned_data["assignee"], form.cleaned_data["team"])
        if save(request, item, f"hand_over.{about.code}", **handed_to(item)):
            messages.success(request, _said(item))
        return redirect(Origin.of(request).address(patient, about))
    return _show(request, patient, "patients/hand_over.html", about, item, form)


def handed_to(item: Any) -> dict[str, str]:
    """Who has an item, for the audit trail."""
    return {
        "assignee": item.assignee.key if item.assignee else "",
        "team": item.team.public_id if item.team else "",
    }


def _said(item: Any) -> str:
    if not item.assigned:
        return _("It is in the unassigned queue now.")
    return _("It is handed to %(name)s.") % {"name": item.assignee or item.team}


def _kind(code: str, kinds: dict[str, Kind]) -> Kind:
    if code not in kinds:
        raise Http404
    return kinds[code]


def _item(request: HttpRequest, patient: Patient, kind: Kind, key: str) -> Any:
    """This patient's item of this key, as though there were none of others'."""
    rows = kind.model.objects.about(patient, gate.reach(request))
    if kind.code in panels.REVIEWED:
        rows = rows.filter(entered_in_error=False)
    return gate.open_row(kind.shelf.with_rest(rows), key, patient)


def save(
    request: HttpRequest,
    item: Any,
    act: str,
    then: Callable[[], None] | None = None,
    **detail: Any,
) -> bool:
    """Save an item that was read in this request, and record it.

    `then` is done in the same transaction. False, with a message, when somebody else has
    saved the item since: nothing is written.
    """
    with transaction.atomic():
        seen = gate.still_open(request, item.patient)
        rows = type(item)._base_manager.filter(pk=item.pk, version=item.version)
        if not rows.select_for_update().exists():
            changed_meanwhile(request)
            return False
        item.save()
        if then:
            then()
        subject = f"{item._meta.model_name}/{item.key}"
        trail.done(request.user, act, seen, request=request, subject=subject, **detail)
    return True


def changed_meanwhile(request: HttpRequest) -> None:
    """Say that nothing was saved, and why."""
    text = _("Somebody changed this meanwhile. Nothing was saved; look at it again.")
    messages.warning(request, text)


def way_back(request: HttpRequest, patient: Patient, kind: Kind) -> dict[str, str]:
    """For a template: where to go back to, and what keeps that in a link onward."""
    origin = Origin.of(request)
    return {"back": origin.address(patient, kind), "origin": origin.query}


def _show(
    request: HttpRequest,
    patient: Patient,
    template: str,
    kind: Kind,
    item: Any,
    form: Any,
) -> HttpResponse:
    gate.shown(request, f"patient.work_{kind.code}", patient)
    context = {
        "patient": patient,
        "kind": kind,
        "item": item,
        "rows": [item],
        "reviewing": True,
        "form": form,
        **way_back(request, patient, kind),
    }
    return render(request, template, context)
