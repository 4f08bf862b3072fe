"""The profile and its forms in Chromium: axe, both widths, both schemes, the keyboard."""

import pytest
from playwright.sync_api import expect

from canvas_admin.testing import give
from canvas_admin.tests.browser.conftest import Look, assert_fits, axe, inspect
from patients.models import PatientName
from patients.tests.profile_pages import SLUGS, address

pytestmark = [pytest.mark.browser, pytest.mark.furnished]


@pytest.fixture
def clinic(site):
    """olga may change ada's profile, on which everything is recorded once."""
    PatientName.objects.create(patient=site.ada, given="Ada", family="Alvarez")
    give(site.olga, "Patients: North", "Printing access")
    return site


def test_axe_finds_nothing_on_the_profile_and_its_forms(clinic, open_page):
    page = open_page("olga", address(clinic.ada))
    pages = [address(clinic.ada), address(clinic.ada, "demographics")]
    for slug in SLUGS:
        pages.append(address(clinic.ada, slug))
        pages.append(address(clinic.ada, slug, "new"))
        pages.append(address(clinic.ada, slug, clinic.belongings[slug].key))
    for url in pages:
        page.goto(url)
        inspect(page)
    page.get_by_role("button", name="Save").click()
    page.goto(address(clinic.ada, "coverages", "new"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved yet")
    inspect(page)


def test_at_400_percent_nothing_is_cut_off(clinic, open_page):
    page = open_page("olga", address(clinic.ada), Look(width=320))
    for parts in ((), ("demographics",), ("coverages",), ("coverages", "new")):
        page.goto(address(clinic.ada, *parts))
        assert_fits(page)


def test_the_keyboard_alone_changes_an_address(clinic, open_page):
    page = open_page("olga", address(clinic.ada))
    page.get_by_role("link", name="Edit Addresses").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Edit Home: 12 Long Street").focus()
    page.keyboard.press("Enter")
    page.get_by_label("City").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("Salem")
    page.keyboard.press("Enter")
    expect(page.locator(".messages")).to_contain_text("“Addresses” is saved.")
    expect(page.get_by_text("12 Long Street, Salem")).to_be_visible()


def test_a_patient_leaves_the_lists_and_comes_back(clinic, open_page):
    page = open_page("olga", address(clinic.ada, "demographics"))
    page.get_by_label("Deceased").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("no longer show this patient")
    axe(page)
    page.get_by_role("button", name="Save and take off the lists").click()
    expect(page.locator(".messages")).to_contain_text("To undo it")
    expect(page.get_by_text("Deceased").first).to_be_visible()
    page.get_by_role("link", name="Edit Demographics").click()
    page.get_by_label("Deceased").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messages")).to_contain_text("is saved")


def test_a_check_is_run_and_its_answer_stands_with_the_coverage(clinic, open_page):
    page = open_page("olga", address(clinic.ada))
    page.get_by_role("button", name="Run eligibility check Aetna").click()
    expect(page.get_by_text("Simulated: no payer was asked.")).to_be_visible()
    axe(page)
