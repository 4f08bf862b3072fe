"""The pages that say that something is not there, out of date or broken."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, RequestFactory
from django.views.defaults import server_error

from canvas_admin.audit import trail


def test_an_address_that_is_none_says_so(signed_in: Any) -> None:
    answer = signed_in("nora").get("/no/such/page/")
    assert answer.status_code == 404
    assert "There is no page at this address" in answer.text
    assert "Nora Example" in answer.text


TOO_MANY = "&".join(f"f{number}=1" for number in range(2_001))
UNREADABLE = {
    "too large": ("application/x-www-form-urlencoded", "q=" + "a" * 2_700_000),
    "too many fields": ("application/x-www-form-urlencoded", TOO_MANY),
    "parts without a boundary": ("multipart/form-data", "q=ada"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_said(
    cast: SimpleNamespace, signed_in: Any, name: str
) -> None:
    kind, body = UNREADABLE[name]
    visitor = Client(enforce_csrf_checks=True)
    visitor.cookies[settings.CSRF_COOKIE_NAME] = "t" * 32
    for client in (signed_in("nora"), visitor):
        answer = client.generic("POST", "/account/login/", body, kind)
        assert answer.status_code == 400
        assert "Nothing was saved" in answer.text


def test_a_host_that_is_not_ours_gets_the_page(db: None) -> None:
    answer = Client().get("/account/login/", HTTP_HOST="elsewhere.example")
    assert answer.status_code == 400
    assert "cannot be read" in answer.text


def test_the_page_of_a_fault_needs_nothing_that_may_be_at_fault() -> None:
    answer = server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert b"was not saved" in answer.content


def test_an_old_form_says_that_nothing_was_saved(cast: SimpleNamespace) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/account/login/", {"login": "nora", "password": "x"})
    assert answer.status_code == 403
    assert "This form is out of date" in answer.text


def test_without_the_trail_nothing_is_shown(
    signed_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise trail.AuditUnavailable

    monkeypatch.setattr(trail, "_write_apart", broken)
    answer = signed_in("nora").get("/patient/nobody/")
    assert answer.status_code == 503
    assert "This cannot be shown at the moment" in answer.text


def test_the_denied_screen_says_what_the_seed_says(signed_in: Any) -> None:
    answer = signed_in("nora").get("/patient/nobody/")
    assert answer.status_code == 403
    assert "<h1>You do not have permission to view this data</h1>" in answer.text


@pytest.mark.parametrize("path", ["/", "/account/login/", "/no/such/page/"])
def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline(
    db: None, path: str
) -> None:
    answer = Client().get(path, follow=True)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "style=" not in answer.text
    assert "http" not in answer.text.replace("http-equiv", "")
