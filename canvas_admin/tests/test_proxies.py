"""Whose address counts behind proxies: the one that our outermost proxy saw."""

import pytest
from django.http import HttpResponse

from canvas_admin.audit.proxies import BehindProxies
from canvas_admin.testing import make_staff

PROXY, VISITOR, CLAIM = "10.0.0.1", "203.0.113.9", "198.51.100.7"


@pytest.mark.parametrize(
    ("trusted", "header", "counts"),
    [
        (0, VISITOR, PROXY),
        (1, VISITOR, VISITOR),
        (1, f"{CLAIM}, {VISITOR}", VISITOR),
        (2, f"{CLAIM}, {VISITOR}, 10.0.0.2", VISITOR),
        (2, VISITOR, PROXY),
        (1, "", PROXY),
        (1, "somebody", PROXY),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_address(rf, settings, trusted, header, counts):
    settings.TRUSTED_PROXIES = trusted
    seen = []

    def view(request):
        seen.append(request.META["REMOTE_ADDR"])
        return HttpResponse()

    BehindProxies(view)(rf.get("/", REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=header))
    assert seen == [counts]


def test_one_visitor_behind_the_proxy_cannot_lock_another_out(db, client, settings):
    settings.TRUSTED_PROXIES = 1
    user = make_staff("ann", "Profile read").user
    user.set_password("a-long-enough-password")
    user.save()

    def sign_in(password, visitor):
        return client.post(
            "/account/login/",
            {"login": "ann", "password": password},
            HTTP_X_FORWARDED_FOR=visitor,
        )

    statuses = [sign_in("wrong", CLAIM).status_code for _ in range(6)]
    assert statuses[-1] == 429
    assert sign_in("a-long-enough-password", VISITOR).status_code == 302
