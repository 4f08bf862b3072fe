"""My access requests: what became of them, and withdrawing one (S2; security A1)."""

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from canvas_admin.audit import trail
from canvas_admin.records import clock
from canvas_admin.records.models import find_row
from patients import access, areas, gate
from patients.models import AccessRequest, ClosedMeanwhile
from patients.search import reveal

ROWS = 50


@require_http_methods(["GET", "HEAD", "POST"])
def access_requests(request: HttpRequest) -> HttpResponse:
    """One's own requests, the newest first; ?after= is the key of the last one shown.

    Of each patient it shows what "See all patients" would, whatever became of the
    request. Who comes here first after a decision is told of it.
    """
    gate.require(request, *areas.FIND_PATIENTS)
    own = AccessRequest.objects.filter(staff__user=request.user)
    if request.method == "POST":
        _withdraw(request, own)
        return redirect("patients:access-requests")
    after = find_row(own, request.GET.get("after", ""))
    behind = own.filter(pk__lt=after.pk) if after else own
    found = list(behind.with_people().order_by("-pk")[: ROWS + 1])
    rows = found[:ROWS]
    paths = access.opened(gate.reach(request), {row.patient_id for row in rows})
    seen = {row.patient.key: paths.get(row.patient, "") for row in rows}
    trail.shown(request, "access_request.own", seen.items())
    _tell_news(request, rows)
    context = {
        "rows": [(r, reveal.shown(r.patient, r.patient in paths)) for r in rows],
        "last": rows[-1].key if len(found) > ROWS else "",
    }
    return render(request, "patients/access_requests.html", context)


def _tell_news(request: HttpRequest, rows: list[AccessRequest]) -> None:
    """Say once that requests among these were decided; the rows say how."""
    news = [row.pk for row in rows if row.is_news]
    if not news or request.method != "GET":
        return
    AccessRequest.objects.filter(pk__in=news).update(told_at=clock.now())
    text = ngettext(
        "%(number)d of your requests was decided: see below.",
        "%(number)d of your requests were decided: see below.",
        len(news),
    )
    messages.info(request, text % {"number": len(news)})


def _withdraw(request: HttpRequest, own: QuerySet[AccessRequest]) -> None:
    """Withdraw the request that was sent along, if it is the person's own and open."""
    row = find_row(own, request.POST.get("withdraw", ""))
    if row is None:
        messages.error(request, _("You have no such request. Nothing was withdrawn."))
        return
    try:
        with transaction.atomic():
            current = row.locked(_version(request))
            current.close(AccessRequest.State.WITHDRAWN, request.user)
            ((_key, path),) = access.paths_to(request.user, [current.patient])
            current.record("withdraw", request.user, path, request)
    except ClosedMeanwhile as refusal:
        messages.warning(request, " ".join(refusal.messages))
    else:
        messages.success(request, _("Your request is withdrawn."))


def _version(request: HttpRequest) -> int | None:
    """The version that the button was made from; None for a text that is none."""
    sent = request.POST.get("form_version", "")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else None
