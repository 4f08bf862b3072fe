"""Linking an incoming file: first the patient, within reach; then as what; and undoing it.

S2: "link files to a patient … Currently, Clinical write auth group is also required".
"""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from canvas_admin.audit import trail
from patients import areas, gate, linking
from patients.forms import SearchForm
from patients.forms.linking import LinkForm, UnlinkForm
from patients.linking import State
from patients.models import IncomingFile, Patient
from patients.search import streams
from patients.views.incoming import find_unlinked, or_taken
from staffing.models import staff_of

MOST = 20


@require_http_methods(["GET", "HEAD", "POST"])
@or_taken
def choose_patient(request: HttpRequest, file: str) -> HttpResponse:
    """Find the patient whose file it is, among those within reach; never among others."""
    gate.require(request, *areas.LINK_FILE)
    context: dict[str, Any] = {"row": find_unlinked(request, file, State.NEW)}
    seen: trail.Seen = ()
    if request.method == "POST":
        form = SearchForm(request.POST)
        context |= {"text": form.text, "problem": ""}
        if form.is_valid():
            query = form.cleaned_data["q"]
            # Inactive and deceased patients too: their results come in all the same.
            page = streams.page(gate.reach(request), limit=MOST, query=query)
            seen = page.seen
            context |= {"rows": page.patients, "searched": True}
        else:
            context["problem"] = form.problem
    trail.shown(request, "file.choose_patient", seen, file=context["row"].key)
    return render(request, "patients/choose_patient.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@or_taken
def link_file(request: HttpRequest, file: str, key: str) -> HttpResponse:
    """As what the file goes into this patient's record."""
    patient = gate.open_patient(request, key, *areas.LINK_FILE)
    row = find_unlinked(request, file, State.NEW)
    form = LinkForm(
        request.POST or None, instance=row, patient=patient, actor=request.user
    )
    valid = request.method == "POST" and form.is_valid()
    if valid and not form.unconfirmed:
        return _link(request, patient, form)
    again = _linked(request, patient).filter(sha256=row.sha256).exists()
    context = {"patient": patient, "row": row, "form": form, "again": again}
    context["unconfirmed"] = valid
    gate.shown(request, "patient.link_file", patient, file=row.key)
    return render(request, "patients/link_file.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@or_taken
def unlink_file(request: HttpRequest, file: str, key: str) -> HttpResponse:
    """Take a linked file back into the inbox; the patient's row counts as an error."""
    patient = gate.open_patient(request, key, *areas.LINK_FILE)
    kinds = linking.kinds_for(request.user)
    row = gate.open_row(
        _linked(request, patient).filter(linked_as__in=kinds), file, patient
    )
    form = UnlinkForm(data=request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        return _unlink(request, patient, form)
    context = {"patient": patient, "row": row, "form": form}
    context["kind"] = kinds[row.linked_as]
    gate.shown(request, "patient.link_file", patient, file=row.key)
    return render(request, "patients/unlink_file.html", context)


def _link(request: HttpRequest, patient: Patient, form: LinkForm) -> HttpResponse:
    file, kind, given = form.instance, form.chosen_kind, form.cleaned_data
    names = ("title", "day", "assignee", "team")
    wanted = linking.Wanted(kind, *(given[name] for name in names))
    with transaction.atomic():
        seen = gate.still_open(request, patient)
        linking.hold(file, State.NEW)
        made = linking.link(file, patient, wanted, staff_of(request.user))
        _done(request, "file.link", seen, file, kind.code, made.key)
    messages.success(request, _("The file is linked. It is under “Linked”."))
    return redirect("patients:data-integration")


def _unlink(request: HttpRequest, patient: Patient, form: UnlinkForm) -> HttpResponse:
    file, kind = form.instance, form.instance.linked_as
    with transaction.atomic():
        seen = gate.still_open(request, patient)
        linking.hold(file, State.LINKED)
        wrong = linking.unlink(
            file, form.cleaned_data["reason"], staff_of(request.user)
        )
        _done(request, "file.unlink", seen, file, kind, wrong.key)
    messages.success(request, _("The file is back in the inbox."))
    return redirect("patients:data-integration")


def _done(
    request: HttpRequest,
    act: str,
    seen: trail.Seen,
    file: IncomingFile,
    kind: str,
    row: str,
) -> None:
    subject = f"file/{file.key}"
    trail.done(
        request.user, act, seen, request=request, subject=subject, kind=kind, row=row
    )


def _linked(request: HttpRequest, patient: Patient) -> QuerySet:
    rows = IncomingFile.objects.about(patient, gate.reach(request))
    return rows.filter(state=State.LINKED)
