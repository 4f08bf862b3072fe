"""Events that wait, run, are done or parked: numbers of all, rows of those within reach."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from canvas_admin.audit import trail
from canvas_admin.events.models import ChangeEvent, Turn
from canvas_admin.protocols import delivering
from canvas_admin.protocols.admin.acts import CHANGE, VIEW, asked, show
from canvas_admin.protocols.models import Protocol, ProtocolRun
from canvas_admin.records.models import find_row
from patients import access, areas, gate
from patients.admin.pages import row_or_404
from patients.models import Patient

ROWS = 50
# How many are tried again at once.
RETRIED = 500
# Beyond this numbers are “more than”: to count millions would take long.
COUNTED = 10_000
State = ChangeEvent.State


@require_safe
def events(request: HttpRequest) -> HttpResponse:
    """Events in a state (?state=, at first the parked ones), the newest first.

    ?patient= and ?protocol= (keys) narrow them: of one patient, over which a protocol ran.
    """
    gate.require(request, VIEW)
    state = request.GET.get("state", "")
    state = state if state in State.values else State.PARKED
    chosen = asked(request, "protocol", "patient")
    rows = _chosen(_visible(request).filter(state=state), **chosen).order_by("-pk")
    last = find_row(rows, request.GET.get("after", ""))
    page = rows.filter(pk__lt=last.pk) if last else rows
    busy = Turn.objects.filter(patient=OuterRef("patient"), until__gt=Now())
    found = list(page.annotate(busy=Exists(busy))[: ROWS + 1])
    patients = Patient.objects.in_bulk({row.patient for row in found[:ROWS]})
    if patients:
        gate.shown(request, "protocol.events", *patients.values())
    return show(
        request,
        "events",
        _("Events"),
        rows=[(row, patients.get(row.patient), _said(row)) for row in found[:ROWS]],
        begun=last is not None,
        next=found[ROWS - 1].key if len(found) > ROWS else "",
        state=state,
        numbers=[(s, s.label, counted(s)) for s in (State.WAITING, State.PARKED)],
        most=COUNTED,
        retried=RETRIED,
        protocols=Protocol.objects.all(),
        may_act=request.user.has_perm(CHANGE),
        may_see=request.user.has_perms(areas.OPEN_CHART),
        **chosen,
    )


def _chosen(rows: QuerySet, protocol: str, patient: str) -> QuerySet:
    """What was asked for; of what is done without a patient the newest, which are many."""
    if patient:
        keys = Patient.objects.filter(key=patient).values("pk")
        rows = rows.filter(patient__in=keys)
    elif (newest := ChangeEvent.objects.aggregate(pk=Max("pk"))["pk"]) is not None:
        rows = rows.exclude(state=State.DONE, pk__lte=newest - COUNTED)
    if protocol:
        ran = ProtocolRun.objects.filter(event=OuterRef("pk"), protocol__key=protocol)
        rows = rows.filter(Exists(ran))
    return rows


@require_POST
def retry(request: HttpRequest, event: str) -> HttpResponse:
    """Try a parked event again; one out of reach is none."""
    gate.require(request, VIEW, CHANGE)
    rows = _visible(request)
    row = row_or_404(rows, event)
    if _retried(request, rows.filter(pk=row.pk)):
        messages.success(request, _("It is tried again."))
    else:
        messages.info(request, _("It is not parked any more."))
    return HttpResponseRedirect(reverse("admin:protocols_protocol_events"))


@require_POST
def retry_all(request: HttpRequest) -> HttpResponse:
    """Try the parked events again that the list shows under the same ?patient= and ?protocol=.

    At most RETRIED of them at once, the oldest.
    """
    gate.require(request, VIEW, CHANGE)
    chosen = asked(request, "protocol", "patient")
    if number := _retried(request, _chosen(_visible(request), **chosen), RETRIED):
        said = ngettext(
            "%(number)d event is tried again.",
            "%(number)d events are tried again.",
            number,
        )
        messages.success(request, said % {"number": number})
    else:
        messages.info(request, _("No such event is parked."))
    here = reverse("admin:protocols_protocol_events")
    return HttpResponseRedirect(f"{here}?{urlencode(chosen)}")


def _retried(request: HttpRequest, rows: QuerySet[ChangeEvent], most: int = 1) -> int:
    """Try what is parked of these again, and say so on the trail; how many it were."""
    with transaction.atomic():
        again = delivering.retry(rows, most)
        if again:
            patients = Patient.objects.filter(pk__in={row.patient for row in again})
            seen = access.paths_to(request.user, list(patients))
            trail.done(request.user, "event.retried", seen, request=request)
    return len(again)


def _visible(request: HttpRequest) -> Any:
    if not request.user.has_perms(areas.OPEN_CHART):
        return ChangeEvent.objects.none()
    return ChangeEvent.objects.filter(access.condition(gate.reach(request), "patient"))


def counted(state: str) -> int:
    """How many events are in this state, of whomever; at most one more than COUNTED."""
    return ChangeEvent.objects.filter(state=state)[: COUNTED + 1].count()


def _said(row: ChangeEvent) -> str:
    """Its state in words: whoever has the patient's turn is at it, or puts it off."""
    if row.state == State.WAITING and row.busy:
        return _("tried again soon") if row.error else _("running")
    return row.get_state_display()
