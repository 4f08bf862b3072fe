"""S2's permissions at work between two people, from the first search to the last click."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.both_databases]

DENIED = "You do not have permission to view this data"


def test_what_ruth_decides_nora_meets_at_her_next_click(site, open_page):
    nora = open_page("nora", "/patients/")
    ruth = open_page("ruth", "/admin/")

    _find(nora, "ada").click()
    expect(nora.get_by_role("heading", name="Ada Alvarez")).to_be_visible()
    chart_of_ben = f"/patient/{site.ben.key}/"
    nora.goto(chart_of_ben)
    expect(nora.get_by_text(DENIED)).to_be_visible()
    _see_all(nora, "bra")
    expect(nora.get_by_text("Ben Brandt")).to_be_visible()
    expect(nora.get_by_role("link", name="Ben Brandt")).to_have_count(0)

    ruth.goto(chart_of_ben)
    expect(ruth.get_by_text(DENIED)).to_be_visible()
    ruth.goto(f"/admin/patients/patientgroup/{site.north.public_id}/members/add/")
    ruth.get_by_label("Find a patient").press_sequentially("bra", delay=20)
    ruth.get_by_label("Ben Brandt, born 4 Mar 1975").check()
    ruth.get_by_role("button", name="Add", exact=True).click()
    expect(ruth.get_by_text("The patient is in “North”.")).to_be_visible()
    _find(nora, "bra").click()
    expect(nora.get_by_role("heading", name="Ben Brandt")).to_be_visible()

    _take_from_nora(ruth, site, "Clinical read")
    nora.reload()
    expect(nora.get_by_text(DENIED)).to_be_visible()
    nora.goto(f"{chart_of_ben}profile/")
    expect(nora.get_by_role("heading", name="Ben Brandt")).to_be_visible()
    _take_from_nora(ruth, site, "Patients: North")
    nora.reload()
    expect(nora.get_by_text(DENIED)).to_be_visible()


def _find(page: Page, text: str):
    """The first suggestion for a text typed into the search bar."""
    _type(page, text)
    return page.get_by_role("option").first


def _type(page: Page, text: str) -> None:
    """Type into the search bar, which keeps what was looked for before."""
    page.get_by_role("combobox").fill("")
    page.get_by_role("combobox").press_sequentially(text, delay=20)


def _see_all(page: Page, text: str) -> None:
    """Ask for everybody of a name, by the last line under the search bar."""
    _type(page, text)
    page.get_by_role("option", name="See all patients").click()
    expect(page.get_by_role("heading", name="All patients")).to_be_visible()


def _take_from_nora(page: Page, site, group: str) -> None:
    """Move a group from chosen to available in Staff Permissions, and save."""
    page.goto(f"/admin/staffing/staffpermissions/{site.nora.key}/change/")
    page.get_by_label("Chosen groups").select_option(label=group)
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist, .messages").first).to_be_visible()
