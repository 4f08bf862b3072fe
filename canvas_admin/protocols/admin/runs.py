"""Runs of protocols: what each said and did, to whoever may see the patient's chart."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from canvas_admin.protocols.admin.acts import VIEW, asked, show
from canvas_admin.protocols.models import Protocol, ProtocolRun
from canvas_admin.protocols.models.runs import Kind
from canvas_admin.records.models import find_row
from patients import areas, gate
from patients.admin.pages import row_or_404

ROWS = 50


@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """The newest, by ?protocol=, ?patient= (keys) and ?ended=; ?after= goes on.

    Security A13: no run of a patient who is out of reach is shown, or counted.
    """
    gate.require(request, VIEW)
    rows = _visible(request)
    chosen = asked(request, "protocol", "patient")
    for name, key in chosen.items():
        if key:
            rows = rows.filter(**{f"{name}__key": key})
    ended = request.GET.get("ended", "")
    rows = rows.filter(kind=ended) if ended in Kind.values else rows
    last = find_row(rows, request.GET.get("after", ""))
    page = rows.filter(pk__lt=last.pk) if last else rows
    found = list(page.select_related("protocol", "version", "patient")[: ROWS + 1])
    shown = {row.patient_id: row.patient for row in found[:ROWS]}
    if shown:
        gate.shown(request, "protocol.runs", *shown.values())
    return show(
        request,
        "runs",
        _("Runs"),
        rows=found[:ROWS],
        begun=last is not None,
        next=found[ROWS - 1].key if len(found) > ROWS else "",
        protocols=Protocol.objects.all(),
        kinds=Kind.choices,
        ended=ended,
        may_see=_may_see(request),
        **chosen,
    )


@require_safe
def run(request: HttpRequest, run: str) -> HttpResponse:
    """One run, with what it printed; one out of reach is none."""
    gate.require(request, VIEW)
    rows = _visible(request).select_related("protocol", "version", "patient", "event")
    row = row_or_404(rows, run)
    gate.shown(request, "protocol.run", row.patient, run=row.key)
    title = _("Run of %(name)s") % {"name": row.protocol}
    return show(request, "run", title, run=row)


def _visible(request: HttpRequest) -> Any:
    rows = ProtocolRun.objects.visible_to(gate.reach(request))
    return rows if _may_see(request) else rows.none()


def _may_see(request: HttpRequest) -> bool:
    """What a run printed and said may tell anything of the chart."""
    return request.user.has_perms(areas.OPEN_CHART)
