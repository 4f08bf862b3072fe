"""Uploading a protocol, choosing its version, switching it, computing over everybody."""

import difflib
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from canvas_admin.protocols import trials, uploading
from canvas_admin.protocols.api import ADD, CHANGE, VIEW
from canvas_admin.protocols.models import Protocol, ProtocolVersion, Recompute
from canvas_admin.protocols.models.protocols import LONGEST_SOURCE
from patients import gate
from patients.admin.pages import row_or_404

MAY_GIVE_GROUPS = "staffing.change_staffpermissions"

asking = require_http_methods(["GET", "HEAD", "POST"])


class UploadForm(forms.Form):
    """A file, and what shall become of it."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("Python, with one class for the workflow kit."),
    )
    use = forms.BooleanField(
        label=gettext_lazy("Use it from now on"),
        required=False,
        help_text=gettext_lazy(
            "Otherwise the version in use stays, and this one waits among the versions."
        ),
    )
    compute = forms.BooleanField(
        label=gettext_lazy("Compute over everybody"),
        required=False,
        initial=True,
        help_text=gettext_lazy(
            "If it is used and active: every active patient within its reach."
        ),
    )
    auto_increment = forms.BooleanField(
        label=gettext_lazy("Count the version"),
        required=False,
        help_text=gettext_lazy("For a class that names no version."),
    )
    force = forms.BooleanField(
        label=gettext_lazy("Replace a version of the same number"), required=False
    )


@asking
def upload(request: HttpRequest) -> HttpResponse:
    """Take in a file; what is wrong with it is said in the form."""
    gate.require(request, VIEW, ADD)
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = UploadForm(*sent)
    if form.is_valid():
        options = {**form.cleaned_data}
        data = options.pop("file").read(LONGEST_SOURCE + 1)
        try:
            version = uploading.upload(data, request.user, **options)
        except uploading.Refused as error:
            form.add_error("file", str(error))
        else:
            words = {"name": version.protocol, "number": version}
            said = _("%(name)s, version %(number)s, is uploaded.") % words
            messages.success(request, said)
            return HttpResponseRedirect(_address("versions", version.protocol))
    return show(request, "upload", _("Upload a protocol"), form=form)


@require_safe
def versions(request: HttpRequest, key: str) -> HttpResponse:
    """Every version, the newest first, with its text; and the latest runs over everybody."""
    gate.require(request, VIEW)
    protocol = _protocol(key)
    wanted = Recompute.objects.filter(version__protocol=protocol, dry=False)
    return show(
        request,
        "versions",
        _("Versions of %(name)s") % {"name": protocol},
        protocol=protocol,
        versions=protocol.versions.select_related("uploaded_by"),
        recomputes=[
            (row, progress(row)) for row in wanted.select_related("version")[:5]
        ],
        may_act=request.user.has_perm(CHANGE),
    )


@asking
def use(request: HttpRequest, key: str, version: str) -> HttpResponse:
    """Ask, then let this version be the one that runs."""
    gate.require(request, VIEW, CHANGE)
    protocol = _protocol(key)
    row: ProtocolVersion = row_or_404(protocol.versions.all(), version)
    if request.method == "POST":
        uploading.put_to_use(row, request.user)
        words = {"name": protocol, "number": row}
        messages.success(request, _("%(name)s uses version %(number)s.") % words)
        return HttpResponseRedirect(_address("versions", protocol))
    # Over one patient it would tell of that patient.
    over_many = row.recomputes.filter(dry=True, patient__isnull=True)
    tried = over_many.filter(ended__isnull=False).first()
    sentences = [_("It runs for every change from that moment.")]
    if protocol.active and not row.notification_only:
        sentences.append(
            _("It is computed for every active patient within its reach, now.")
        )
    words = {"number": row, "name": protocol}
    return _ask(
        request,
        protocol,
        _("Use version %(number)s of %(name)s?") % words,
        sentences,
        _("Use this version"),
        version=row,
        tried=tried,
        changes=[c for c in trials.changes(tried) if c.differs] if tried else [],
        effects=trials.effects(tried) if tried else [],
        difference=_difference(protocol.current, row),
    )


def _difference(used: ProtocolVersion | None, other: ProtocolVersion) -> str:
    """What is another in the text of a version than in that of the one in use."""
    if used is None or used.pk == other.pk:
        return ""
    texts = (version.source.splitlines() for version in (used, other))
    names = (str(used), str(other))
    return "\n".join(difflib.unified_diff(*texts, *names, lineterm=""))


@asking
def switch(request: HttpRequest, key: str) -> HttpResponse:
    """Ask, then switch it on, or off."""
    gate.require(request, VIEW, CHANGE)
    protocol = _protocol(key)
    words, on = {"name": protocol}, not protocol.active
    if request.method == "POST":
        wanted = request.POST.get("to") == "on"
        uploading.switch(protocol, wanted, request.user)
        told = _("%(name)s is active.") if wanted else _("%(name)s is off.")
        messages.success(request, told % words)
        return HttpResponseRedirect(_address("change", protocol))
    title = _("Switch %(name)s on?") if on else _("Switch %(name)s off?")
    if on:
        sentences = [
            _("It runs when the record of a patient within its reach changes."),
            _("It is computed for every active patient within its reach, now."),
        ]
    else:
        sentences = [
            _("It does not run any more; what it has done stays."),
            _("What changes meanwhile is not made up for by itself."),
        ]
    button = _("Switch it on") if on else _("Switch it off")
    to = "on" if on else "off"
    return _ask(request, protocol, title % words, sentences, button, to=to)


@asking
def recompute(request: HttpRequest, key: str) -> HttpResponse:
    """Ask, then compute over everybody."""
    gate.require(request, VIEW, CHANGE)
    protocol = _protocol(key)
    if not protocol.active or protocol.current is None:
        messages.error(request, _("Switch it on first."))
        return HttpResponseRedirect(_address("change", protocol))
    if request.method == "POST":
        wanted = uploading.recompute(protocol, request.user)
        if wanted:
            messages.success(request, _("Workers compute it now."))
        else:
            messages.error(request, _("It is for notifications alone."))
        return HttpResponseRedirect(_address("versions", protocol))
    return _ask(
        request,
        protocol,
        _("Compute %(name)s over everybody?") % {"name": protocol},
        [
            _("Every active patient within its reach, with all that it does then."),
            _("A computation that goes on is stopped."),
        ],
        _("Compute"),
    )


def progress(row: Recompute) -> str:
    """How far a computation over everybody is, in words."""
    if row.stopped:
        return _("stopped")
    if row.patients is None:
        return _("waits")
    words = {"done": row.patients if row.ended else row.handled, "all": row.patients}
    return _("%(done)d of %(all)d patients") % words


def _protocol(key: str) -> Protocol:
    return row_or_404(Protocol.objects.select_related("current"), key)


def _address(page: str, protocol: Protocol) -> str:
    return reverse(f"admin:protocols_protocol_{page}", args=(protocol.key,))


def _ask(
    request: HttpRequest,
    protocol: Protocol,
    title: str,
    sentences: list[str],
    button: str,
    **context: Any,
) -> HttpResponse:
    back = _address("change", protocol)
    context |= {"sentences": sentences, "button": button, "back": back}
    return show(request, "act", title, **context)


def asked(request: HttpRequest, *names: str) -> dict[str, str]:
    """What a list is to be narrowed to: by each name a key, or what is none and finds none."""
    return {name: request.GET.get(name, "").replace("\0", "")[:32] for name in names}


def show(
    request: HttpRequest, template: str, title: str, **context: Any
) -> HttpResponse:
    """A page about protocols inside the frame of the administration."""
    context |= admin.site.each_context(request)
    context |= {"title": title, "opts": Protocol._meta}
    return render(request, f"admin/protocols/protocol/{template}.html", context)
