"""A request for access in Chromium, from the grey name to the chart, with axe on the way."""

import re

import pytest
from playwright.sync_api import Page, expect

from canvas_admin.testing import give
from canvas_admin.tests.browser.conftest import Look, inspect

pytestmark = pytest.mark.browser

KEY = re.compile(r"[0-9a-f]{32}")
REASON = "Covers the South clinic this week."


def test_nora_asks_ruth_grants_and_nora_opens_the_chart(site, open_page):
    give(site.olga, "Patients: North")
    nora = open_page("nora", "/patients/access/")
    expect(nora.get_by_text("You have not asked for access")).to_be_visible()
    inspect(nora)
    _ask(nora, "bra")
    asked = nora.get_by_role("row", name="Ben Brandt")
    expect(asked).to_contain_text("Waits for a decision")
    inspect(nora)

    ruth = open_page("ruth", "/admin/")
    numbers = ruth.locator(".front-numbers")
    expect(numbers).to_contain_text(re.compile(r"Access requests that wait:\s*1"))
    ruth.locator("#front-heading ~ .cluster").get_by_text("Access requests").click()
    expect(ruth.get_by_role("row", name="Nora Example")).to_contain_text(REASON)
    inspect(ruth)
    ruth.get_by_role("link", name="Decide").click()
    expect(ruth.get_by_role("heading", name="Ben Brandt, born")).to_be_visible()
    inspect(ruth)
    ruth.get_by_role("button", name="Grant").click()
    expect(ruth.get_by_text("everybody else who holds it")).to_contain_text("Olga")
    inspect(ruth)
    ruth.get_by_role("button", name="Yes, save").click()
    expect(ruth.get_by_role("status")).to_contain_text("Granted: “North” opens")

    nora.reload()
    expect(nora.get_by_text("1 of your requests was decided")).to_be_visible()
    expect(nora.get_by_text("Access until")).to_be_visible()
    inspect(nora)
    nora.get_by_role("link", name="Ben Brandt").click()
    expect(nora.get_by_role("heading", level=1)).to_have_text("Ben Brandt")


def test_refused_forms_and_a_declined_request_on_a_phone(site, open_page):
    look = Look(390, "dark")
    nora = open_page("nora", "/patients/", look)
    _ask(nora, "bra", first="short")
    ruth = open_page("ruth", "/admin/patients/accessrequest/", look)
    ruth.get_by_role("link", name="Decide").click()
    ruth.get_by_label("Until").fill("2020-01-01T10:00")
    ruth.get_by_role("button", name="Grant").click()
    expect(ruth.get_by_role("alert")).to_contain_text("The end lies in the past.")
    inspect(ruth)
    ruth.get_by_role("region", name="Decline").get_by_label("Answer").fill("Ask South.")
    ruth.get_by_role("button", name="Decline").click()
    ruth.get_by_role("link", name="Closed").click()
    inspect(ruth)
    ruth.get_by_role("link", name="Show").click()
    inspect(ruth)
    nora.goto("/patients/access/")
    expect(nora.get_by_text("Answer: Ask South.")).to_be_visible()
    inspect(nora)
    _ask(nora, "castillo")
    nora.get_by_role("button", name="Withdraw the request for Cyn Castillo").click()
    expect(nora.get_by_text("Your request is withdrawn.")).to_be_visible()


def _ask(page: Page, text: str, first: str = "") -> None:
    """From the search bar to the request; the first reason is too short, if there is one."""
    page.get_by_role("combobox").fill("")
    page.get_by_role("combobox").press_sequentially(text, delay=20)
    page.get_by_role("option", name="See all patients").click()
    row = page.locator("tr.out-of-reach")
    expect(row).to_have_count(1)
    assert not KEY.search(row.evaluate("row => row.outerHTML"))
    inspect(page)
    row.get_by_role("button", name="Request access to").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Request access")
    assert page.url.endswith("/patients/access/ask/")
    inspect(page)
    if first:
        page.get_by_label("Why do you need access?").fill(first)
        page.get_by_role("button", name="Send the request").click()
        expect(page.get_by_role("alert")).to_contain_text("Nothing was sent yet")
        inspect(page)
    page.get_by_label("Why do you need access?").fill(REASON)
    page.get_by_label("One week").check()
    page.get_by_role("button", name="Send the request").click()
    expect(page.get_by_text("Your request was sent.")).to_be_visible()
