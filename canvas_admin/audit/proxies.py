"""The visitor's address behind proxies that the operator has named as trusted."""

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class BehindProxies:
    """Puts the visitor's address into REMOTE_ADDR, where axes and the trail look for it.

    With TRUSTED_PROXIES=n the last n entries of X-Forwarded-For were written by our own
    proxies, so the n-th from the end is whom the outermost of them saw. Anything before
    it is the visitor's own claim and is never read. With 0, the default, the header is
    ignored; so is one that is too short or no address.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if address := _seen_by_outermost(request, settings.TRUSTED_PROXIES):
            request.META["REMOTE_ADDR"] = address
        return self.get_response(request)


def _seen_by_outermost(request: HttpRequest, proxies: int) -> str | None:
    entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if proxies < 1 or len(entries) < proxies:
        return None
    try:
        return str(ipaddress.ip_address(entries[-proxies].strip()))
    except ValueError:
        return None
