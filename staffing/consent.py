"""A person lets a program act for them (RFC 6749, section 4.1; RFC 7636)."""

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from oauth2_provider.exceptions import FatalClientError, OAuthToolkitError
from oauth2_provider.http import OAuth2ResponseRedirect
from oauth2_provider.settings import oauth2_settings

from canvas_admin.audit import trail
from staffing.oauth import Core
from staffing.scopes import EVERY_TYPE, Scopes

WORDS = {
    "c": gettext_lazy("make"),
    "r": gettext_lazy("read"),
    "u": gettext_lazy("change"),
    "d": gettext_lazy("delete"),
    "s": gettext_lazy("search"),
}
# What FHIR's types are called on the pages of this site.
KINDS = {
    EVERY_TYPE: gettext_lazy("Everything"),
    "Appointment": gettext_lazy("Appointments"),
    "AuditEvent": gettext_lazy("Audit trail"),
    "CareTeam": gettext_lazy("Care teams"),
    "Condition": gettext_lazy("Conditions"),
    "Consent": gettext_lazy("Consents"),
    "Coverage": gettext_lazy("Coverages"),
    "DiagnosticReport": gettext_lazy("Lab and imaging results"),
    "DocumentReference": gettext_lazy("Documents"),
    "Group": gettext_lazy("Teams and patient groups"),
    "Patient": gettext_lazy("Patients"),
    "Practitioner": gettext_lazy("Staff"),
    "Task": gettext_lazy("Tasks"),
}


@require_http_methods(["GET", "HEAD", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """Say what a program asks for; send the person back with a code, or with a refusal.

    What it asks for stands in the address and is read again when the form is sent, so
    that there is nothing in the form to forge.
    """
    core = Core(request)
    try:
        scopes, asked = core.validate_authorization_request(request)
        if request.method == "POST":
            return _decided(request, core, scopes, asked)
    except FatalClientError:
        return render(request, "staffing/consent_refused.html", status=400)
    except OAuthToolkitError as error:
        return _sent_back(
            error.oauthlib_error.in_uri(error.oauthlib_error.redirect_uri)
        )
    return _page(request, scopes, asked)


def _page(
    request: HttpRequest, scopes: list[str], asked: dict[str, Any]
) -> HttpResponse:
    """The question. The form may lead to where the program is, and nowhere else."""
    where = urlsplit(asked["redirect_uri"])
    program = asked["request"].client
    context = {
        "program": program,
        "host": where.netloc,
        "narrowed": _in_words(scopes, program.scopes),
    }
    response = render(request, "staffing/consent.html", context)
    response._csp_update = {"form-action": [f"https://{where.netloc}"]}
    return response


def _decided(
    request: HttpRequest, core: Core, scopes: list[str], asked: dict[str, Any]
) -> HttpResponse:
    """Send the person back. Raises OAuthToolkitError where the answer is no."""
    allow = "allow" in request.POST
    if not allow:
        subject = f"application/{asked['request'].client.key}"
        trail.done(request.user, "token.declined", request=request, subject=subject)
    credentials = {name: value for name, value in asked.items() if name != "request"}
    url, _headers, _body, _status = core.create_authorization_response(
        request, scopes, credentials, allow
    )
    return _sent_back(url)


def _sent_back(url: str) -> HttpResponse:
    return OAuth2ResponseRedirect(url, oauth2_settings.ALLOWED_REDIRECT_URI_SCHEMES)


def _in_words(scopes: list[str], most: str) -> list[tuple[str, str]]:
    """(kind, what may be done with it) of what is asked for, else of the most there is."""
    narrowed = Scopes.read(" ".join(scopes) or most).by_type()
    return [
        (str(KINDS[kind]), ", ".join(str(WORDS[letter]) for letter in letters))
        for kind, letters in narrowed
    ]
