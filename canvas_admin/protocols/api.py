"""The addresses that the workflow kit's own program uses (facts 7.6, `canvas-cli`).

Who asks is told by an API key in `Authorization`, without a scheme; no session counts here,
but for reading a patient's data in the browser.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from canvas_admin.protocols import uploading
from canvas_admin.protocols.models import ApiKey, Protocol, ProtocolVersion
from canvas_admin.protocols.models.protocols import LONGEST_SOURCE
from canvas_admin.protocols.patient_data import OutOfReach, patient_data
from patients import areas, gate

VIEW, ADD, CHANGE = (f"protocols.{verb}_protocol" for verb in ("view", "add", "change"))

View = Callable[..., HttpResponse]


def by_key(permission: str) -> Callable[[View], View]:
    """A view for whoever brings an API key of a person with this permission."""

    def wrapped(view: View) -> View:
        @csrf_exempt
        @login_not_required
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            account = ApiKey.account(request.headers.get("Authorization", ""))
            if account is None:
                return _problem(401, _("This API key is not known, or was revoked."))
            request.user = account
            if not account.has_perm(permission):
                gate.record_refusal(request, PermissionDenied())
                words = _("“Integrations” is needed to work on protocols.")
                return _problem(403, words)
            return view(request, *args, **kwargs)

        return inner

    return wrapped


@require_POST
@by_key(ADD)
def upload(request: HttpRequest) -> HttpResponse:
    """Take in a file; what is asked besides stands in the address (?compute=0&force=1)."""
    file = request.FILES.get("file")
    if file is None:
        return _problem(400, _("There is no “file” in the form."))
    flags = {name: request.GET.get(name) == "1" for name in ("force", "auto_increment")}
    compute = request.GET.get("compute", "1") != "0"
    try:
        data = file.read(LONGEST_SOURCE + 1)
        version = uploading.upload(data, request.user, compute=compute, **flags)
    except uploading.Refused as error:
        return _problem(400, str(error))
    told = {"version": version.number}
    return JsonResponse({"status": "success", "data": told}, status=201)


@require_POST
@by_key(CHANGE)
def set_active(request: HttpRequest) -> HttpResponse:
    """Switch a protocol on or off: `is_active` is 1 or 0, `module_name` its class."""
    protocol = _named(request.POST.get("module_name", ""))
    wanted = request.POST.get("is_active", "")
    if protocol is None:
        return _unknown()
    if wanted not in ("0", "1"):
        return _problem(400, _("is_active is 1 or 0."))
    uploading.switch(protocol, wanted == "1", request.user)
    on, off = _("%(name)s is active."), _("%(name)s is not active any more.")
    return _detail((on if wanted == "1" else off) % {"name": protocol})


@csrf_exempt
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def version(request: HttpRequest, name: str) -> HttpResponse:
    """The versions of a protocol; by POST the one to use from now on."""
    view = _use_version if request.method == "POST" else _versions
    return view(request, name)


@by_key(VIEW)
def _versions(_request: HttpRequest, name: str) -> HttpResponse:
    protocol = _named(name)
    if protocol is None:
        return _unknown()
    kept = protocol.versions.filter(replaced__isnull=True)
    current = protocol.current
    return JsonResponse(
        {
            "is_active": protocol.active,
            "active_version": current.number if current else "",
            "versions": [
                {"version": row.number, "changelog": row.changelog} for row in kept
            ],
        }
    )


@by_key(CHANGE)
def _use_version(request: HttpRequest, name: str) -> HttpResponse:
    protocol = _named(name)
    if protocol is None:
        return _unknown()
    wanted: ProtocolVersion | None = protocol.versions.filter(
        number=request.POST.get("version", "")[:64], replaced__isnull=True
    ).first()
    if wanted is None:
        return _problem(404, _("It has no such version."))
    uploading.put_to_use(wanted, request.user)
    words = {"name": protocol, "number": wanted}
    return _detail(_("%(name)s uses version %(number)s.") % words)


@csrf_exempt
@login_not_required
@require_safe
def patient_input(request: HttpRequest, key: str) -> HttpResponse:
    """PatientProtocolInput (facts 7.2), for who opens the profile, within their rights.

    By API key what is missing and what is out of reach is 404 alike; in the browser it is
    the screen that every page of a patient shows.
    """
    if secret := request.headers.get("Authorization"):
        account = ApiKey.account(secret)
        if account is None:
            return _problem(401, _("This API key is not known, or was revoked."))
        request.user = account
    elif not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    try:
        patient = gate.open_patient(request, key, *areas.OPEN_PROFILE)
        data = patient_data(request.user, patient)
    except (gate.Refused, OutOfReach):
        refusal = gate.Refused(key)
        if not secret:
            raise refusal from None
        gate.record_refusal(request, refusal)
        return _problem(404, _("Not found."))
    gate.shown(request, "patient.protocol_input", patient)
    return JsonResponse(data)


def _named(name: str) -> Protocol | None:
    return Protocol.objects.filter(name=name[:200]).select_related("current").first()


def _unknown() -> HttpResponse:
    return _problem(404, _("There is no protocol of this name."))


def _detail(sentence: str) -> HttpResponse:
    return JsonResponse({"status": "success", "data": {"detail": sentence}})


def _problem(status: int, why: str) -> HttpResponse:
    return JsonResponse({"status": "error", "detail": why}, status=status)
