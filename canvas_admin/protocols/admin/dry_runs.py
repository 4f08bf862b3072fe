"""Dry runs: what a version would do, before it does it (security A13)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from canvas_admin.audit import trail
from canvas_admin.protocols import trials
from canvas_admin.protocols.admin.acts import CHANGE, VIEW, asking, progress, show
from canvas_admin.protocols.models import Protocol, ProtocolVersion, Recompute
from canvas_admin.records import clock
from canvas_admin.records.models import find_row
from canvas_admin.records.sheets import BEGIN, as_csv
from patients import access, areas, gate
from patients.admin.pages import row_or_404
from patients.api.group import readable

ROWS, MOST_IN_A_FILE = 50, 5_000
HEADINGS = (
    gettext_lazy("Patient’s key"),
    gettext_lazy("Patient"),
    gettext_lazy("Ended"),
    gettext_lazy("Result now"),
    gettext_lazy("Result then"),
    gettext_lazy("It would do"),
    gettext_lazy("Error"),
)


class DryRunForm(forms.Form):
    """Over whom: a patient, a patient group, or everybody within the protocol's reach."""

    patient_group = forms.ModelChoiceField(
        label=gettext_lazy("Patient group"),
        queryset=None,
        to_field_name="externally_exposable_id",
        required=False,
        empty_label=gettext_lazy("Everybody"),
    )
    patient = forms.CharField(
        label=gettext_lazy("Patient’s key"),
        max_length=32,
        required=False,
        help_text=gettext_lazy(
            "As in the address of the chart; of one within your reach."
        ),
    )

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        super().__init__(*args)
        self.request = request
        groups = readable(request.user, gate.reach(request)).order_by("name")
        self.fields["patient_group"].queryset = groups

    def clean_patient(self) -> Any:
        key, may_see = self.cleaned_data["patient"], self.request.user.has_perms
        asked = key and may_see(areas.OPEN_CHART)
        patient = gate.find_patient(self.request, key) if asked else None
        if key and patient is None:
            raise forms.ValidationError(
                _("There is no such patient within your reach.")
            )
        return patient


@asking
def begin(request: HttpRequest, key: str, version: str) -> HttpResponse:
    """Ask over whom, and let workers try it; the dry runs of this version so far."""
    gate.require(request, VIEW, CHANGE)
    protocol = row_or_404(Protocol.objects.all(), key)
    row: ProtocolVersion = row_or_404(protocol.versions.all(), version)
    form = DryRunForm(request, request.POST if request.method == "POST" else None)
    if form.is_valid():
        with transaction.atomic():
            run = Recompute(
                version=row, dry=True, wanted_by=request.user, **form.cleaned_data
            )
            run.save()
            trail.done(
                request.user,
                "protocol.dry_run_wanted",
                request=request,
                subject=f"protocol/{protocol.key}",
                version=row.number,
            )
        return HttpResponseRedirect(address("dry_run", run.key))
    words = {"number": row, "name": protocol}
    return show(
        request,
        "dry_begin",
        _("Try version %(number)s of %(name)s") % words,
        protocol=protocol,
        form=form,
        runs=[(r, progress(r)) for r in row.recomputes.filter(dry=True)[:10]],
    )


@require_safe
def dry_run(request: HttpRequest, run: str) -> HttpResponse:
    """What it has found so far: totals, and a page of rows within reach; ?after= goes on.

    The totals of one patient tell of that patient: to others there is no such run.
    """
    gate.require(request, VIEW)
    dry, may_see = _dry(run), request.user.has_perms(areas.OPEN_CHART)
    if dry.patient and not (
        may_see and access.reaches(gate.reach(request), dry.patient)
    ):
        raise Http404
    rows = trials.visible(dry, gate.reach(request))
    last = find_row(rows, request.GET.get("after", ""))
    page = rows.filter(pk__gt=last.pk) if last else rows
    found = list(page[: ROWS + 1]) if may_see else []
    if found:
        shown = {row.patient_id: row.patient for row in found[:ROWS]}
        gate.shown(request, "protocol.dry_rows", *shown.values())
    protocol = dry.version.protocol
    words = {"number": dry.version, "name": protocol}
    return show(
        request,
        "dry_run",
        _("Dry run of version %(number)s of %(name)s") % words,
        protocol=protocol,
        run=dry,
        progress=progress(dry),
        kinds=trials.kinds(dry),
        changes=trials.changes(dry),
        effects=trials.effects(dry),
        rows=found[:ROWS],
        begun=last is not None,
        next=found[ROWS - 1].key if len(found) > ROWS else "",
        may_see=may_see,
        may_act=request.user.has_perm(CHANGE),
        most=MOST_IN_A_FILE,
    )


@require_safe
def file(request: HttpRequest, run: str) -> HttpResponse:
    """The rows within reach as CSV, whose patients are on the trail before."""
    gate.require(request, VIEW, *areas.OPEN_CHART)
    rows = list(trials.visible(_dry(run), gate.reach(request))[:MOST_IN_A_FILE])
    patients = {row.patient_id: row.patient for row in rows}
    gate.shown(request, "protocol.dry_file", *patients.values())
    text = as_csv([[str(h) for h in HEADINGS], *trials.lines(rows)])
    return HttpResponse(
        BEGIN + text,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="dry-run.csv"'},
    )


@require_POST
def stop(request: HttpRequest, run: str) -> HttpResponse:
    """End it where it is; what it has found stays."""
    gate.require(request, VIEW, CHANGE)
    dry = _dry(run)
    going = Recompute.objects.filter(pk=dry.pk, ended__isnull=True)
    if going.update(ended=clock.now(), stopped=True):
        messages.success(request, _("It is stopped."))
    return HttpResponseRedirect(address("dry_run", dry.key))


def address(page: str, *arguments: str) -> str:
    """The address of a page about protocols."""
    return reverse(f"admin:protocols_protocol_{page}", args=arguments)


def _dry(key: str) -> Recompute:
    rows = Recompute.objects.filter(dry=True)
    row = find_row(
        rows.select_related("version__protocol", "patient_group", "patient"), key
    )
    if row is None:
        raise Http404
    return row
