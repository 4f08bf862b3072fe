"""The instant that a request calls "now": taken once, so answers agree with it."""

from collections.abc import Callable
from contextvars import ContextVar
from datetime import date, datetime, time

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

_request_now: ContextVar[datetime | None] = ContextVar("request_now", default=None)


def now() -> datetime:
    """The current request's instant, UTC; outside a request, the time of the call."""
    return _request_now.get() or timezone.now()


def today() -> date:
    """The clinic's date at now()."""
    return timezone.localdate(now())


def midnight(day: date) -> datetime:
    """The instant at which a day begins in the clinic."""
    return timezone.make_aware(datetime.combine(day, time.min))


class OneNowPerRequest:
    """Middleware that fixes now() for the length of a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = _request_now.set(timezone.now())
        try:
            return self.get_response(request)
        finally:
            _request_now.reset(token)
