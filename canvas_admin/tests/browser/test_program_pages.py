"""Pages about programs in Chromium: consent, and secrets in the administration."""

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from canvas_admin.testing import give, make_application
from canvas_admin.tests.browser.conftest import inspect
from staffing.models import Application

pytestmark = pytest.mark.browser
BACK = "https://app.example/back"


def test_consent_leads_back_to_the_program(
    site: SimpleNamespace, open_page: Any
) -> None:
    app = make_application(
        "Rounds", authorization_grant_type=Application.Grant.CODE, redirect_uris=BACK
    )
    asked = {
        "response_type": "code",
        "client_id": app.client_id,
        "scope": "user/Patient.rs user/Task.*",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    page = open_page("nora", "/auth/authorize/")
    expect(page.get_by_role("heading", level=1)).to_have_text("This does not work")
    inspect(page)
    page.goto(f"/auth/authorize/?{urlencode(asked)}")
    inspect(page)
    page.route(f"{BACK}**", lambda route: route.fulfill(body="back in the program"))
    page.get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_url(f"{BACK}?code=*")


def test_an_application_is_made_and_its_secret_is_shown(
    site: SimpleNamespace, open_page: Any
) -> None:
    give(site.ruth, "Integrations")
    page = open_page("ruth", "/admin/staffing/application/add/")
    page.get_by_label("Name").fill("Lab feed")
    page.get_by_label("Scopes").fill("patient/Patient.read")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".errorlist")).to_contain_text("is no scope")
    inspect(page)
    page.get_by_label("Scopes").fill("system/Patient.rs")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_label("Secret")).to_be_visible()
    inspect(page)
    application = Application.objects.get()
    for act in ("secret", "revoke"):
        page.goto(reverse(f"admin:staffing_application_{act}", args=[application.key]))
        inspect(page)
