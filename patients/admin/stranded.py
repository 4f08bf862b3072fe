"""Stranded work and the unassigned queue, without names or titles (security A10)."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from canvas_admin.audit import trail
from patients import gate, handles, work
from patients.admin import pages
from patients.models import Patient
from patients.work import stranded as rule
from patients.work.assigning import Assignees
from patients.work.stranded import Item, Position
from staffing.models import Staff, Team

ACT = "patients.hand_over_stranded"
ROWS = 50
LIST = "admin:patients_patientgroup_stranded"
UNASSIGNED = "admin:patients_patientgroup_unassigned"


@require_http_methods(["GET", "HEAD", "POST"])
def stranded(request: HttpRequest) -> HttpResponse:
    """Open work that none of its assignees can see: kind, age, assignee and a handle.

    "Show others" posts where to go on, because a walk looks at a bounded number of items.
    """
    gate.require(request, ACT)
    walk = rule.Walk(_position(request))
    found = list(islice(walk, ROWS + 1))
    behind = found[ROWS - 1].position if len(found) > ROWS else walk.stopped
    goes_on = " ".join(map(str, behind)) if behind else ""
    title = _("Stranded work")
    return _list(request, "stranded", title, found[:ROWS], goes_on)


@require_http_methods(["GET", "HEAD", "POST"])
def unassigned(request: HttpRequest) -> HttpResponse:
    """The unassigned queue of the whole clinic, what waits longest first."""
    gate.require(request, ACT)
    found = rule.unassigned(_sent(request, "more", handles.WORK_FROM), ROWS + 1)
    goes_on = found[ROWS - 1].position.place if len(found) > ROWS else ""
    title = _("Unassigned work")
    return _list(request, "unassigned", title, found[:ROWS], goes_on)


@require_POST
def hand_over(request: HttpRequest) -> HttpResponse:
    """The one act: hand an item to somebody who can see its patient.

    Whoever can is told by the rule. An item that somebody has taken meanwhile, an old or
    a foreign handle: nothing is changed.
    """
    gate.require(request, ACT)
    kind, row = _open_item(request)
    if row is None:
        messages.error(request, _("This page is good for 15 minutes. Choose again."))
        return redirect(LIST)
    assignees = Assignees(row.patient, kind.permissions)
    back = LIST if row.assigned else UNASSIGNED
    if row.assigned and assignees.sight(row.assignee, row.team).able:
        messages.info(request, _("Somebody who can see it has it now."))
        return redirect(LIST)
    form = HolderForm(request.POST if "to" in request.POST else None, who=assignees)
    if form.is_valid():
        if _save(request, kind, row, form.cleaned_data["to"]):
            messages.success(request, _("It is handed over."))
        return redirect(back)
    patients = [row.patient] if row.patient else []
    trail.shown(request, "admin.work_item", pages.seen(patients), kind=kind.code)
    return pages.show(
        request,
        "hand_over",
        _("Hand over"),
        kind=kind,
        form=form,
        since=row.waits_since,
        holder=row.assignee or row.team,
        handle=_handle(request, kind, row.key),
        version=row.version,
        back=reverse(back),
    )


class HolderForm(forms.Form):
    """People and teams who can see the patient of an item, and no others."""

    to = forms.ChoiceField(label=gettext_lazy("To"))

    def __init__(self, *args: Any, who: Assignees, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = [each for each in who.people if who.sight(each, None).able]
        teams = [each for each in who.teams if who.sight(None, each).able]
        self.choices: dict[str, Staff | Team] = {
            **{f"person-{each.key}": each for each in people},
            **{f"team-{each.public_id}": each for each in teams},
        }
        groups = ((_("People"), people, "person"), (_("Teams"), teams, "team"))
        self.fields["to"].choices = [
            ("", _("Choose who")),
            *(
                (title, [(f"{kind}-{each.public_id}", str(each)) for each in found])
                for title, found, kind in groups
                if found
            ),
        ]

    def clean_to(self) -> Staff | Team:
        """The person or the team."""
        return self.choices[self.cleaned_data["to"]]


def _list(
    request: HttpRequest,
    template: str,
    title: str,
    items: Sequence[Item],
    goes_on: str,
) -> HttpResponse:
    of = [item.patient for item in items if item.patient]
    patients = list(Patient.objects.filter(pk__in=of).only("key"))
    trail.shown(request, f"admin.{template}", pages.seen(patients))
    more = handles.seal_text(request.user, goes_on, handles.WORK_FROM)
    return pages.show(
        request,
        "stranded",
        title,
        rows=[(_handle(request, item.kind, item.key), item) for item in items],
        after=more if goes_on else "",
        here_name=template,
        begun="more" in request.POST,
    )


def _handle(request: HttpRequest, kind: work.Kind, key: str) -> str:
    return handles.seal_text(request.user, f"{kind.code} {key}", handles.WORK)


def _sent(request: HttpRequest, name: str, purpose: str) -> str:
    return handles.unseal_text(request.user, request.POST.get(name, ""), purpose)


def _position(request: HttpRequest) -> Position | None:
    """Where "Show others" goes on."""
    parts = _sent(request, "more", handles.WORK_FROM).split(" ", 2)
    if len(parts) < 3:
        return None
    return Position(int(parts[0]), int(parts[1]), parts[2])


def _open_item(request: HttpRequest) -> tuple[Any, Any]:
    """The kind and the row that a handle names; None for one that is open no more."""
    code, _gap, key = _sent(request, "item", handles.WORK).partition(" ")
    kind = work.KINDS.get(code)
    if kind is None:
        return None, None
    rows = kind.model._base_manager.filter(kind.open, key=key)
    return kind, rows.select_related("patient", "assignee", "team").first()


def _save(request: HttpRequest, kind: work.Kind, row: Any, to: Staff | Team) -> bool:
    """Hand it over, unless somebody has saved it since the page was made."""
    person, team = (to, None) if isinstance(to, Staff) else (None, to)
    with transaction.atomic():
        version = request.POST.get("form_version", "")
        rows = kind.model._base_manager.filter(pk=row.pk, version=row.version)
        if version != str(row.version) or not rows.select_for_update().exists():
            messages.warning(
                request, _("Somebody changed it meanwhile. Nothing was saved.")
            )
            return False
        row.hand_to(person, team)
        row.save()
        trail.done(
            request.user,
            "stranded.hand_over",
            pages.seen([row.patient] if row.patient else []),
            request=request,
            subject=f"{row._meta.model_name}/{row.key}",
            assignee=person.key if person else "",
            team=team.public_id if team else "",
        )
    return True
