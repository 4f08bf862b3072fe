"""Sessions end after 15 minutes idle and 12 hours at most (DESIGN section 10)."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse

from canvas_admin.records import clock

STARTED, SEEN = "started", "seen"
# Activity is written down at most this often, in seconds, to keep reads free of writes.
GRAIN = 20


class SessionLimits:
    """Signs an overdue session out, and forbids caches to keep what the others see.

    A view that is polled sets `extends_session = False` on itself: asking how long a
    session has does not prolong it. A session whose account is no longer live, or whose
    password was changed elsewhere, is cleared away like one that is overdue.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        came_signed_in = SESSION_KEY in request.session
        session_is_gone = _brought_a_cookie(request) and not request.session.session_key
        if came_signed_in and _is_over(request):
            logout(request)
        response = self.get_response(request)
        # Not request.user, which may be whoever a token acts for.
        leaves_signed_in = SESSION_KEY in request.session
        if leaves_signed_in and not came_signed_in:
            _note_activity(request)
        if came_signed_in or leaves_signed_in:
            response["Cache-Control"] = "no-store"
        if (came_signed_in or session_is_gone) and not leaves_signed_in:
            response["Clear-Site-Data"] = '"cache", "storage"'
        return response

    def process_view(
        self, request: HttpRequest, view: Callable, *args: object
    ) -> HttpResponse | None:
        if request.user.is_authenticated and getattr(view, "extends_session", True):
            _note_activity(request)
        return None


def seconds_left(request: HttpRequest) -> int:
    """Seconds until this session ends if nothing happens; 0 when it is over."""
    now = clock.now().timestamp()
    started = request.session.get(STARTED, now)
    seen = request.session.get(SEEN, now)
    idle = seen + settings.SESSION_IDLE.total_seconds() - now
    whole = started + settings.SESSION_LENGTH.total_seconds() - now
    return max(0, int(min(idle, whole)))


def _brought_a_cookie(request: HttpRequest) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES


def _is_over(request: HttpRequest) -> bool:
    return not request.user.is_authenticated or seconds_left(request) <= 0


def _note_activity(request: HttpRequest) -> None:
    now = clock.now().timestamp()
    request.session.setdefault(STARTED, now)
    if now - request.session.get(SEEN, 0) >= GRAIN:
        request.session[SEEN] = now
