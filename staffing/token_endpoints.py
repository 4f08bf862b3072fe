"""Where programs get tokens, ask about them and end them (RFC 6749, 7009, 7662).

Everything is in the body of a POST: an address stays in histories and logs. Errors are
the JSON of RFC 6749, section 5.2.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError

from staffing.oauth import WAIT, Clients, Core
from staffing.tokens import find

FORM = "application/x-www-form-urlencoded"
# More than any parameter of ours has.
LONGEST = 2_000


def _endpoint(view: Callable[[HttpRequest], HttpResponse]) -> Callable:
    """A view for programs: without session, kept by no cache, asked by a plain POST."""

    @csrf_exempt
    @login_not_required
    @sensitive_post_parameters()
    @wraps(view)
    def asked(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if problem := _problem(request):
            return _refused(InvalidRequestError(problem))
        response = view(request)
        response["Cache-Control"] = "no-store"
        return response

    return asked


@_endpoint
def token(request: HttpRequest) -> HttpResponse:
    """A token for a grant."""
    _uri, headers, body, status = Core(request).create_token_response(request)
    return _answer(headers, body, status)


@_endpoint
def revoke(request: HttpRequest) -> HttpResponse:
    """End a token of the client that asks; about any other it learns nothing."""
    _uri, headers, body, status = Core(request).create_revocation_response(request)
    return _answer(headers, body, status)


@_endpoint
def introspect(request: HttpRequest) -> HttpResponse:
    """What a token of the client that asks is good for; any other is not active."""
    try:
        client = _client(request)
    except OAuth2Error as error:
        return _refused(error)
    bearer = find(request.POST.get("token", ""))
    if bearer is None or bearer.application.pk != client.pk:
        return JsonResponse({"active": False})
    return JsonResponse(
        {
            "active": True,
            "token_type": "Bearer",
            "client_id": client.client_id,
            "username": bearer.account.username,
            "scope": bearer.scope,
            "exp": int(bearer.expires().timestamp()),
        }
    )


def _client(request: HttpRequest) -> Any:
    """The client that asks. Raises OAuth2Error for one that does not know its secret."""
    core = Core(request)
    asked = core.as_oauth(request)
    if not Clients(request).authenticate_client(asked):
        raise InvalidClientError
    return asked.client


def _problem(request: HttpRequest) -> str:
    """Why this request is none that a program may send; "" if it may."""
    if request.META.get("QUERY_STRING"):
        return "Parameters belong in the body, never in the address."
    if request.content_type != FORM:
        return f"The body is not {FORM}."
    for name, values in request.POST.lists():
        if len(values) > 1:
            return "A parameter is there twice."
        if len(values[0]) > LONGEST or not (name + values[0]).isprintable():
            return "A parameter is too long, or holds a character that does not show."
    return ""


def _refused(error: OAuth2Error) -> HttpResponse:
    return _answer({"Content-Type": "application/json"}, error.json, error.status_code)


def _answer(headers: dict[str, str], body: str, status: int) -> HttpResponse:
    response = HttpResponse(body or "", status=status, headers=headers)
    response["Cache-Control"] = "no-store"
    if status == 401:
        response["WWW-Authenticate"] = "Basic"
    if status == 429:
        response["Retry-After"] = str(int(WAIT.total_seconds()))
    return response
