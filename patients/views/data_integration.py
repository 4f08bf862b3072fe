"""Data integration: the inbox of files whose patient is not known yet (S2; DESIGN A12)."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from canvas_admin.audit import trail
from canvas_admin.records.forms import SavedAlready
from patients import access, areas, gate, linking
from patients.forms.incoming import IncomingForm, RejectionForm, UploadForm
from patients.linking import State
from patients.models import IncomingFile
from patients.views.incoming import find_unlinked, or_taken
from patients.views.stored_files import file_answer
from patients.work.queues import Person, Queue, Whose
from staffing.models import staff_of

PAGE = 25
SHOWN = {
    "new": State.NEW,
    "mine": State.NEW,
    "linked": State.LINKED,
    "rejected": State.REJECTED,
}
PEOPLE = ("uploaded_by", "assignee", "team", "rejected_by")


@dataclass(frozen=True)
class Line:
    """A file in the list; `kind` is as what it is linked, `again` whether it came twice."""

    row: IncomingFile
    kind: Any
    again: bool


@require_safe
def data_integration(request: HttpRequest) -> HttpResponse:
    """The files of one state, the latest first; linked ones within reach alone.

    ?show=mine leaves those that the person or a team of the person's looks after.
    """
    gate.require(request, *areas.DATA_INTEGRATION)
    reach, show = gate.reach(request), _show(request)
    page = _page(request, show)
    patients = list({row.patient: None for row in page["rows"] if row.patient})
    context = {"show": show, **page, "lines": _lines(page["rows"], reach)}
    gate.shown(request, f"files.{show}", *patients)
    return render(request, "patients/data_integration.html", context)


@require_safe
def incoming_file(request: HttpRequest, file: str) -> HttpResponse:
    """The file itself, until it is linked; then it is opened where it belongs."""
    gate.require(request, *areas.DATA_INTEGRATION)
    row = find_unlinked(request, file)
    answer = file_answer(row, "incoming")
    trail.shown(request, "file.open", file=row.key)
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
def upload_files(request: HttpRequest) -> HttpResponse:
    """New files, for the inbox."""
    gate.require(request, *areas.DATA_INTEGRATION)
    form = UploadForm(request.POST or None, request.FILES or None, actor=request.user)
    try:
        if request.method == "POST" and form.is_valid():
            _say_what_came(request, _save_all(request, form.rows()))
            return redirect("patients:data-integration")
    except SavedAlready:
        messages.info(
            request, _("This form was saved before, so nothing was saved again.")
        )
        return redirect("patients:data-integration")
    return _form(request, None, form, _("Upload files"), "file.upload_form")


@require_http_methods(["GET", "HEAD", "POST"])
@or_taken
def change_incoming_file(request: HttpRequest, file: str) -> HttpResponse:
    """What is written on a file that waits, and who looks after it."""
    gate.require(request, *areas.DATA_INTEGRATION)
    row = find_unlinked(request, file, State.NEW)
    form = IncomingForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        return _act(request, form.instance, State.NEW, "file.change", IncomingFile.save)
    return _form(request, row, form, _("Edit file"), "file.form")


@require_http_methods(["GET", "HEAD", "POST"])
@or_taken
def reject_file(request: HttpRequest, file: str) -> HttpResponse:
    """Put a file aside that belongs to nobody's record, with a reason."""
    gate.require(request, *areas.DATA_INTEGRATION)
    row = find_unlinked(request, file, State.NEW)
    form = RejectionForm(data=request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["rejected_reason"]
        return _act(
            request,
            form.instance,
            State.NEW,
            "file.reject",
            lambda file: linking.reject(file, reason, staff_of(request.user)),
        )
    return _form(request, row, form, _("Reject file"), "file.form")


@require_POST
@or_taken
def restore_file(request: HttpRequest, file: str) -> HttpResponse:
    """Put a rejected file back into the inbox."""
    gate.require(request, *areas.DATA_INTEGRATION)
    row = find_unlinked(request, file, State.REJECTED)
    return _act(request, row, State.REJECTED, "file.restore", linking.put_back)


_SAID = {
    "file.change": gettext_lazy("The file is changed."),
    "file.reject": gettext_lazy(
        "The file is rejected. Under “Rejected” it can be put back."
    ),
    "file.restore": gettext_lazy("The file is back in the inbox."),
}


def _page(request: HttpRequest, show: str) -> dict[str, Any]:
    """A page of the files that are to be shown."""
    after = request.GET.get("after", "")
    if show == "linked":
        person = Person(gate.reach(request))
        return Queue(linking.LINKED, person, Whose.ALL).page(after, PAGE)
    rows = IncomingFile.objects.filter(state=SHOWN[show]).select_related(*PEOPLE)
    if show == "mine":
        rows = rows.given_to(staff_of(request.user))
    return rows.page(after, PAGE)


def _show(request: HttpRequest) -> str:
    """What ?show= asks for; "linked" is for those who link files."""
    show = request.GET.get("show", "")
    may = show != "linked" or request.user.has_perms(areas.LINK_FILE)
    return show if show in SHOWN and may else "new"


def _lines(rows: list[IncomingFile], reach: access.Reach) -> list[Line]:
    repeated = linking.repeated(rows, reach)
    kinds = linking.KINDS
    return [Line(r, kinds.get(r.linked_as), r.sha256 in repeated) for r in rows]


def _act(
    request: HttpRequest, row: IncomingFile, state: State, act: str, do: Any
) -> HttpResponse:
    """Do something to a file that is in this state, in one transaction with the trail."""
    with transaction.atomic():
        linking.hold(row, state)
        do(row)
        trail.done(request.user, act, request=request, subject=f"file/{row.key}")
    messages.success(request, _SAID[act])
    return redirect("patients:data-integration")


def _save_all(request: HttpRequest, rows: list[IncomingFile]) -> list[IncomingFile]:
    """Save new files; raises SavedAlready when the same form did so at this moment."""
    try:
        with transaction.atomic():
            for row in rows:
                row.save()
                subject = f"file/{row.key}"
                trail.done(
                    request.user, "file.upload", request=request, subject=subject
                )
    except IntegrityError as error:
        # The first row's key is taken, so no other's file was written.
        rows[0].file.delete(save=False)
        raise SavedAlready(rows[0]) from error
    return rows


def _say_what_came(request: HttpRequest, rows: list[IncomingFile]) -> None:
    said = ngettext(
        "%(count)d file is in the inbox.",
        "%(count)d files are in the inbox.",
        len(rows),
    )
    messages.success(request, said % {"count": len(rows)})
    if linking.repeated(rows, gate.reach(request)):
        messages.warning(
            request, _("Of these, some came before. They are marked in the list.")
        )


def _form(
    request: HttpRequest, row: IncomingFile | None, form: Any, heading: str, act: str
) -> HttpResponse:
    trail.shown(request, act, **({"file": row.key} if row else {}))
    context = {"row": row, "form": form, "heading": heading}
    return render(request, "patients/incoming_form.html", context)
