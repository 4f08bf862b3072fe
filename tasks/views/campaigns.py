"""Campaigns: the list, a new one, how far one is, and its end."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)
from django_htmx.http import HttpResponseClientRedirect

from canvas_admin.records.forms import SavedAlready
from canvas_admin.records.models import find_row
from patients import areas
from patients.gate import reach, require
from tasks import campaigns as acts
from tasks import gate
from tasks.forms.campaigns import CampaignForm
from tasks.models import Campaign, Task
from tasks.views.listing import PAGE, STATUSES


@require_safe
def campaigns(request: HttpRequest) -> HttpResponse:
    """One's own, and those over the patient groups that one holds; the newest first."""
    require(request, *areas.RUN_CAMPAIGNS)
    rows = Campaign.objects.visible_to(request.user)
    rows = rows.select_related("patient_group", "creator")
    page = rows.page(request.GET.get("after", ""), PAGE)
    gate.shown(request, "campaigns")
    return render(request, "tasks/campaigns.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
def new_campaign(request: HttpRequest) -> HttpResponse:
    """A new one; its tasks are made at once where they are few."""
    require(request, *areas.RUN_CAMPAIGNS)
    form = CampaignForm(request.POST or None, actor=request.user)
    try:
        if request.method == "POST" and acts.start(request, form):
            acts.go_on(request.user, form.instance, request)
            messages.success(request, _("The campaign is made."))
            return redirect("tasks:campaign", campaign=form.instance.key)
    except SavedAlready as before:
        messages.info(
            request, _("This form was saved before, so nothing was saved again.")
        )
        return redirect("tasks:campaign", campaign=before.row.key)
    gate.shown(request, "campaign.form")
    offered = form.fields["patient_group"].queryset.exists()
    context = {"form": form, "offered": offered}
    return render(request, "tasks/campaign_form.html", context)


@require_safe
def campaign(request: HttpRequest, campaign: str) -> HttpResponse:
    """How far it is; when nothing is being done, its tasks within reach.

    ?show= is a status, ?after= the key of a task.
    """
    row = gate.open_campaign(request, campaign)
    context = _numbers(request, row)
    if not row.goes_on:
        context |= _tasks(request, row)
    gate.shown(request, "campaign", *context.get("rows", ()))
    return render(request, "tasks/campaign.html", context)


@require_POST
def go_on(request: HttpRequest, campaign: str) -> HttpResponse:
    """Make, or close, further tasks; a page that is open sends this by itself."""
    row = gate.open_campaign(request, campaign)
    acts.go_on(request.user, row, request)
    page = reverse("tasks:campaign", kwargs={"campaign": row.key})
    if not request.htmx:
        return redirect(page)
    if not row.goes_on:
        return HttpResponseClientRedirect(page)
    return render(request, "tasks/_campaign_progress.html", _numbers(request, row))


go_on.extends_session = False


@require_http_methods(["GET", "HEAD", "POST"])
def end_campaign(request: HttpRequest, campaign: str) -> HttpResponse:
    """Close its open tasks; asks first. What it says is what will be closed.

    It posts no version: whether tasks are open is asked when each is closed.
    """
    row = gate.open_campaign(request, campaign)
    if row.state == Campaign.State.ENDED:
        messages.info(request, _("This campaign has ended."))
        return redirect("tasks:campaign", campaign=row.key)
    if request.method == "POST":
        acts.end(request, row)
        acts.go_on(request.user, row, request)
        return redirect("tasks:campaign", campaign=row.key)
    gate.shown(request, "campaign.form")
    return render(request, "tasks/campaign_end.html", _numbers(request, row))


def _numbers(request: HttpRequest, row: Campaign) -> dict[str, Any]:
    """The campaign with its numbers, for a template."""
    return {
        "campaign": row,
        "numbers": acts.numbers(row, request.user, reach(request)),
        "may_go_on": acts.may_go_on(request.user, row),
    }


def _tasks(request: HttpRequest, row: Campaign) -> dict[str, Any]:
    """A page of its tasks of one status, in the order in which they were made."""
    show = request.GET.get("show", "")
    show = show if show in STATUSES else "open"
    visible = Task.objects.visible_to(reach(request)).filter(campaign=row)
    rows = visible.filter(status=show.upper()).with_people().order_by("pk")
    last = find_row(visible, request.GET.get("after", ""))
    found = list((rows.filter(pk__gt=last.pk) if last else rows)[: PAGE + 1])
    return {
        "rows": found[:PAGE],
        "begun": last is not None,
        "next": found[PAGE - 1].key if len(found) > PAGE else "",
        "show": show,
        "statuses": STATUSES.items(),
    }
