"""Writing into an open note: a new command, its change, and what becomes of it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from patients import areas, gate
from patients.command_kinds import KINDS, Kind
from patients.models import Command, Note, Patient
from patients.views.note_showing import find_note, refuse, save_into

STAGED, COMMITTED = Command.State.STAGED, Command.State.COMMITTED
# For each act: in which state it is done, what its button says, and what is said then.
ACTS = {
    "commit": (STAGED, _("Commit"), _("It is committed.")),
    "remove": (STAGED, _("Remove"), _("It is removed from the note.")),
    "error": (COMMITTED, _("Enter in error"), _("It is entered in error.")),
}
_CHANGED = _("Somebody changed this meanwhile. Look at it again.")


@require_http_methods(["GET", "HEAD", "POST"])
def add_command(request: HttpRequest, key: str, note: str, kind: str) -> HttpResponse:
    """Something new in an open note, staged at first."""
    patient = gate.open_patient(request, key, *areas.WRITE_CHART)
    row, of = find_note(request, patient, note), _kind(kind)
    if not row.open:
        return refuse(request, row)
    form = of.form(
        request.POST or None,
        actor=request.user,
        instance=of.model(note=row, patient=patient),
    )
    return save_into(
        request, form, "command.staged", of.title, _("Saved."), then_commit=True
    )


@require_http_methods(["GET", "HEAD", "POST"])
def edit_command(
    request: HttpRequest, key: str, note: str, kind: str, command: str
) -> HttpResponse:
    """What is staged is written anew."""
    patient = gate.open_patient(request, key, *areas.WRITE_CHART)
    row, of = find_note(request, patient, note), _kind(kind)
    found = _command(of, row, patient, command)
    if not row.open or not found.staged:
        return refuse(request, row, _CHANGED if row.open else "")
    form = of.form(request.POST or None, actor=request.user, instance=found)
    return save_into(
        request, form, "command.changed", of.title, _("Saved."), then_commit=True
    )


@require_http_methods(["GET", "HEAD", "POST"])
def command_act(
    request: HttpRequest, key: str, note: str, kind: str, command: str, act: str
) -> HttpResponse:
    """Commit it, remove it, or enter it in error: a page that asks, or the button's post."""
    patient = gate.open_patient(request, key, *areas.WRITE_CHART)
    row, of = find_note(request, patient, note), _kind(kind)
    found = _command(of, row, patient, command)
    state, button, said = ACTS[act]
    if not row.open or found.state != state:
        return refuse(request, row, _CHANGED if row.open else "")
    form = of.act_form(act)(request.POST or None, actor=request.user, instance=found)
    return save_into(
        request,
        form,
        f"command.{act}",
        of.title,
        said,
        template="patients/notes/act.html",
        deed=act,
        button=button,
        command=found,
    )


def _kind(code: str) -> Kind:
    if code not in KINDS:
        raise Http404
    return KINDS[code]


def _command(kind: Kind, note: Note, patient: Patient, key: str) -> Command:
    """The command of this key in this note, as though there were none elsewhere."""
    rows = kind.model.objects.filter(note=note).select_related("note", "patient")
    return gate.open_row(rows, key, patient)
