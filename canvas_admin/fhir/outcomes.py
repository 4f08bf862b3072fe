"""What goes wrong in the API, told as FHIR's OperationOutcome (facts 5.6)."""

from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from canvas_admin.audit.trail import AuditUnavailable
from canvas_admin.fhir.bundles import Rejected


class Problem(Exception):
    """An answer that is an error: its status, FHIR's code for it, and words for people."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


FORBIDDEN = (403, "forbidden", "Authorization failed")
NOT_SUPPORTED = (405, "not-supported", "Operation is not supported")
CHANGED = (412, "conflict", "Resource updated since If-Unmodified-Since date")

_OF_FRAMEWORK = {
    401: ("unknown", "Authentication failed"),
    403: FORBIDDEN[1:],
    404: ("not-found", "Unknown resource type"),
    405: NOT_SUPPORTED[1:],
    406: ("not-supported", "Only JSON is spoken: application/fhir+json"),
    415: ("not-supported", "Only JSON is read: application/fhir+json"),
}


def invalid(text: str) -> Problem:
    """A request that is malformed."""
    return Problem(400, "invalid", text)


def against_the_rules(text: str) -> Problem:
    """A well-formed request that a rule of the clinic's refuses."""
    return Problem(422, "business-rule", text)


def unknown(kind: str, logical_id: str) -> Problem:
    """No such resource, or none that this caller may know of: nobody can tell which."""
    return Problem(404, "not-found", f"Unknown {kind} resource '{logical_id}'")


def outcome(code: str, text: str) -> dict[str, Any]:
    """An OperationOutcome with one error."""
    issue = {"severity": "error", "code": code, "details": {"text": text}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def respond(exception: Exception, context: dict[str, Any]) -> Response | None:
    """The exception handler of every view of the API; None for what is nobody's fault."""
    problem = _problem(exception)
    if problem is None:
        return None
    set_rollback()
    response = Response(outcome(problem.code, problem.text), status=problem.status)
    if getattr(exception, "auth_header", None):
        response["WWW-Authenticate"] = exception.auth_header
    if problem.status == 503:
        response["Retry-After"] = "5"
    return response


def _problem(exception: Exception) -> Problem | None:
    if isinstance(exception, Problem):
        return exception
    if isinstance(exception, Rejected | exceptions.ParseError):
        return invalid(str(exception))
    if isinstance(exception, ValidationError):
        return against_the_rules(" ".join(exception.messages))
    if isinstance(exception, PermissionDenied):
        return Problem(*FORBIDDEN)
    if isinstance(exception, Http404):
        return Problem(404, *_OF_FRAMEWORK[404])
    if isinstance(exception, AuditUnavailable):
        return Problem(503, "transient", "The audit trail cannot be written")
    if isinstance(exception, RequestDataTooBig):
        return Problem(413, "too-long", "The body is too large")
    if isinstance(exception, SuspiciousOperation):
        return invalid("The request is malformed")
    if isinstance(exception, exceptions.APIException):
        said = _OF_FRAMEWORK.get(exception.status_code)
        return Problem(exception.status_code, *said) if said else None
    return None
