"""Every request has a correlation id; a request whose trail cannot be written gets 503."""

import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from canvas_admin.audit.trail import AuditUnavailable


class AuditMiddleware:
    """Sets request.correlation_id and turns AuditUnavailable into the 503 page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.correlation_id = str(uuid.uuid4())
        response = self.get_response(request)
        response["X-Correlation-Id"] = request.correlation_id
        return response

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        if isinstance(exception, AuditUnavailable):
            return render(request, "503.html", status=503)
        return None
