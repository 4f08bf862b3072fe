"""Patient groups in Chromium: axe on their own pages, the picker by keyboard and without
scripts, and S2's object permissions at work between two people.
"""

import pytest
from playwright.sync_api import expect

from canvas_admin.tests.browser.conftest import axe, inspect
from patients.models import PatientGroupExclusion
from patients.tests.work import make_lab

pytestmark = pytest.mark.browser

GROUPS = "/admin/patients/patientgroup/"


def test_axe_finds_nothing_on_their_own_pages(site, open_page):
    group = f"{GROUPS}{site.north.public_id}/"
    kept_out = PatientGroupExclusion(
        patient_group=site.north, patient=site.ben, reason="asked for it"
    )
    kept_out.save()
    make_lab(site.ada)
    make_lab(site.ada, assignee=site.sam)
    row = site.north.memberships.get().key
    page = open_page("ruth", "/admin/")
    expect(page.locator(".front-numbers")).to_be_visible()
    inspect(page)
    for address in (
        f"{group}effect/",
        f"{group}members/",
        f"{group}members/add/",
        f"{group}members/{row}/",
        f"{group}members/{row}/remove/",
        f"{group}exclusions/",
        f"{group}exclusions/add/",
        f"{group}exclusions/{kept_out.key}/lift/",
        f"{GROUPS}unreachable/",
        f"{GROUPS}stranded/",
        f"{GROUPS}unassigned/",
        f"{GROUPS}numbers/",
    ):
        page.goto(address)
        inspect(page)
    page.goto(f"{GROUPS}stranded/")
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_label("To")).to_be_visible()
    axe(page)
    page.goto(f"{group}change/")
    page.get_by_label("Use for permissions").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("1 person loses access at once")).to_be_visible()
    inspect(page)


def test_the_keyboard_alone_adds_a_patient_and_the_next_click_opens_the_chart(
    site, open_page
):
    """ruth puts ben into North without ever seeing his chart."""
    chart = f"/patient/{site.ben.key}/"
    nora = open_page("nora", chart)
    sentence = nora.get_by_text("You do not have permission to view this data")
    expect(sentence).to_be_visible()
    page = open_page("ruth", f"{GROUPS}{site.north.public_id}/members/add/")
    page.get_by_label("Find a patient").focus()
    page.keyboard.type("bra", delay=20)
    found = page.get_by_label("Ben Brandt, born 4 Mar 1975")
    expect(found).to_be_visible()
    axe(page)
    for _press in range(5):
        page.keyboard.press("Tab")
        if found.evaluate("field => field === document.activeElement"):
            break
    page.keyboard.press("Space")
    expect(found).to_be_checked()
    page.get_by_role("button", name="Add", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("The patient is in “North”.")).to_be_visible()
    nora.goto(chart)
    expect(nora.get_by_role("heading", name="Ben Brandt")).to_be_visible()


def test_enter_in_the_text_finds_and_adds_nobody(site, open_page):
    page = open_page("ruth", f"{GROUPS}{site.north.public_id}/members/add/")
    page.get_by_label("Find a patient").fill("brandt")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Ben Brandt, born 4 Mar 1975")).to_be_visible()
    assert site.north.memberships.count() == 1


def test_the_way_back_stands_in_the_message(site, open_page):
    row = site.north.memberships.get().key
    page = open_page("ruth", f"{GROUPS}{site.north.public_id}/members/{row}/remove/")
    page.get_by_role("button", name="Remove now").click()
    page.get_by_role("link", name="Put back").click()
    page.get_by_role("button", name="Put back").click()
    expect(page.get_by_text("The patient is back in “North”.")).to_be_visible()
    assert site.north.memberships.in_force().count() == 1
