"""The patients' pages in Chromium: the keyboard alone, no script at all, axe, 320 pixels."""

import re
from datetime import date

import pytest
from playwright.sync_api import expect

from canvas_admin.testing import give, make_patient
from canvas_admin.tests.browser.conftest import LOOKS, Look, axe, inspect, sign_in
from patients.models import Patient

pytestmark = pytest.mark.browser
KEY = re.compile(r"[0-9a-f]{32}")


@pytest.fixture
def clinic(site):
    """The cast, and some more patients of North."""
    give(site.nora, "Patient create")
    for first, last in (("John", "Smith"), ("Joan", "Smith"), ("Wei", "Smithers")):
        site.north.add(make_patient(first, last, date(1990, 5, 6)))
    return site


def suggest(page, text):
    """Type into the search bar and wait for the suggestions."""
    field = page.get_by_role("combobox", name="Find a patient")
    field.focus()
    field.fill("")
    page.keyboard.type(text)
    expect(page.locator("#search-options")).to_be_visible()
    return field


def test_the_keyboard_alone_finds_and_opens_a_chart(clinic, open_page):
    page = open_page("nora", "/patients/")
    told = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    for _press in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "search-text":
            break
    page.keyboard.type("smi jo")
    options = page.get_by_role("option")
    expect(options).to_have_text([re.compile(n) for n in ("Joan", "John", "See all")])
    field = page.locator("#search-text")
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(field).to_have_attribute("aria-controls", "search-options")
    expect(page.locator("#search-status")).to_contain_text("2 patients are shown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    chosen = field.get_attribute("aria-activedescendant")
    expect(page.locator(f"#{chosen}")).to_contain_text("John Smith")
    expect(page.get_by_role("option", selected=True)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("John Smith")
    assert told == []


def test_escape_and_leaving_close_the_suggestions(clinic, open_page):
    page = open_page("nora", "/patients/")
    field = suggest(page, "smi")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator("#search-popup")).to_be_hidden()
    expect(field).to_have_value("smi")
    expect(field).to_have_attribute("aria-expanded", "false")
    assert field.get_attribute("aria-activedescendant") is None
    suggest(page, "smit")
    page.get_by_role("link", name="New patient").first.focus()
    expect(page.locator("#search-popup")).to_be_hidden()
    suggest(page, "smi")
    for _press in "smi":
        page.keyboard.press("Backspace")
    expect(page.locator("#search-popup")).to_be_hidden()


def test_arrows_go_around(clinic, open_page):
    page = open_page("nora", "/patients/")
    field = suggest(page, "smi")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("option", selected=True)).to_have_text("See all patients")
    page.keyboard.press("ArrowDown")
    assert field.get_attribute("aria-activedescendant") is None
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Joan")


def test_nora_sees_that_ben_is_there_and_cannot_open_him(clinic, open_page):
    page = open_page("nora", "/patients/")
    suggest(page, "brandt")
    expect(page.locator("#search-popup")).to_contain_text("No active patient")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    row = page.get_by_role("row", name="Ben Brandt")
    expect(row).to_contain_text("outside your reach")
    expect(row).to_contain_text("4 Mar 1975")
    assert row.get_by_role("link").count() == 0
    held = row.evaluate("r => r.outerHTML")
    assert "href" not in held
    assert "data-key" not in held
    assert not KEY.search(held)
    assert clinic.ben.key not in page.content()
    assert page.url.endswith("/patients/search/")
    page.goto(f"/patient/{clinic.ben.key}/")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "You do not have permission to view this data"
    )
    clinic.north.add(clinic.ben)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ben Brandt")


def test_a_click_opens_a_suggestion(clinic, open_page):
    page = open_page("nora", "/patients/", Look(390, "dark"))
    suggest(page, "ada")
    page.get_by_role("option", name="Ada Alvarez").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada Alvarez")


def test_without_scripts_it_is_a_plain_form(clinic, browser):
    window = browser.new_context(base_url=clinic.url, java_script_enabled=False)
    sign_in(window, clinic.nora.user, clinic.url)
    page = window.new_page()
    page.goto("/patients/")
    page.get_by_label("Find a patient").fill("brandt")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("main")).to_contain_text("No active patient within your reach")
    page.get_by_role("button", name="See all patients").click()
    expect(page.get_by_role("row", name="Ben Brandt")).to_be_visible()
    page.get_by_label("Find a patient").fill("ada")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Ada Alvarez").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada Alvarez")
    window.close()


def test_what_was_typed_stays_nowhere_in_the_browser(clinic, open_page):
    page = open_page("nora", "/patients/")
    asked = []
    page.on("request", lambda request: asked.append((request.method, request.url)))
    suggest(page, "smithers")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Search")
    assert ("POST", f"{clinic.url}/patients/search/") in asked
    assert not [url for _method, url in asked if "smithers" in url]
    stored = page.evaluate("[Object.keys(localStorage), Object.keys(sessionStorage)]")
    assert stored == [[], []]


def test_a_session_that_ended_leads_to_the_sign_in_page(clinic, open_page):
    page = open_page("nora", "/patients/")
    clinic.nora.user.end_sessions()
    page.get_by_label("Find a patient").focus()
    page.keyboard.type("ada")
    page.wait_for_url("**/account/login/**")
    assert "ada" not in page.url


def test_a_new_patient_by_keyboard_and_the_warning(clinic, open_page):
    page = open_page("nora", "/patients/new/")
    page.get_by_label("First name").focus()
    page.keyboard.type("Ben")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("Brandt")
    page.keyboard.press("Tab")
    page.keyboard.type("03041975")
    page.keyboard.press("Enter")
    warning = page.get_by_role("alert").filter(has_text="in the system already")
    expect(warning).to_be_visible()
    axe(page)
    assert clinic.ben.key not in page.content()
    page.get_by_label("First name").focus()
    page.keyboard.press("Enter")
    expect(warning).to_be_visible()
    assert Patient.objects.filter(last_name="Brandt").count() == 1
    page.get_by_role("button", name="Create anyway").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ben Brandt")
    told = page.get_by_role("status").filter(has_text="The patient was created.")
    expect(told).to_be_visible()
    assert Patient.objects.filter(last_name="Brandt").count() == 2


def test_every_page_passes_axe_and_fits(clinic, open_page):
    looks = [*LOOKS, Look(1280, "dark"), Look(320, "light")]
    clinic.ada.active, clinic.ada.deceased = False, True
    clinic.ada.save()
    page = open_page("nora", "/patients/")
    for path in (
        "/patients/",
        "/patients/?show=all&sort=born",
        f"/patient/{clinic.ada.key}/",
        f"/patient/{clinic.ada.key}/profile/",
        "/patients/search/",
        "/patients/new/",
    ):
        page.goto(path)
        inspect(page, looks)
    page.get_by_role("button", name="Create patient").click()
    expect(page.get_by_role("alert")).to_be_visible()
    inspect(page, looks)
    suggest(page, "smi")
    page.keyboard.press("ArrowDown")
    inspect(page, looks)
    page.get_by_role("option", name="See all patients").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("All patients")
    inspect(page, looks)


def test_the_receipt_passes_axe(clinic, open_page):
    page = open_page("olga", "/patients/new/")
    axe(page)
    page.get_by_label("First name").fill("Dora")
    page.get_by_label("Last name").fill("Diaz")
    page.get_by_label("Date of birth").fill("1999-12-31")
    page.get_by_role("button", name="Create patient").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("in the records")
    axe(page)
