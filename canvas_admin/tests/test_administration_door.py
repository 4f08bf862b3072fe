"""The door of the administration by itself: it holds where what is behind it forgets."""

import pytest
from django.urls import reverse

from patients import gate
from patients.admin import effective

OWN_PAGES = ("effective", "audit-report", "audit-file")
LOGIN_REQUIRED = "django.contrib.auth.middleware.LoginRequiredMiddleware"


@pytest.mark.parametrize("page", OWN_PAGES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_pages_beside_the_models_are_behind_the_door(
    signed_in, monkeypatch, page, method
):
    """Each asks for permissions of its own, too; here they forget to."""
    for place in (gate, effective):
        monkeypatch.setattr(place, "require", lambda request, *permissions: None)
    refused = (403, 405) if method == "get" else (403,)
    assert getattr(signed_in("nora"), method)(reverse(page)).status_code in refused


def test_nobody_comes_in_without_signing_in(db, client, settings):
    """Also where no middleware asks for it."""
    settings.MIDDLEWARE = [m for m in settings.MIDDLEWARE if m != LOGIN_REQUIRED]
    answer = client.get(reverse("admin:index"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("admin:login"))
