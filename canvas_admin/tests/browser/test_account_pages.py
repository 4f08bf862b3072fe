"""The sign-in and account pages in Chromium: axe, the second step, time-outs, Back."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from canvas_admin.tests.browser.conftest import Look, assert_fits, axe, inspect
from staffing.accounts import one_time_path

pytestmark = pytest.mark.browser

PASSWORD = "a sentence nobody else says"
VISITORS_PAGES = [
    "/account/login/",
    "/account/logout/",
    "/account/password/reset/",
    "/account/password/reset/done/",
    "/account/password/link/dead-link/",
    "/account/password/link/done/",
    "/account/signup/",
    "/account/inactive/",
    "/no/such/page/",
]
PERSONS_PAGES = [
    "/account/",
    "/account/logout/",
    "/account/password/",
    "/account/two-factor/",
    "/account/sessions/",
    "/account/reauthenticate/",
    "/patient/nobody/",
]


@pytest.fixture
def nora(site: SimpleNamespace) -> SimpleNamespace:
    """The site, on which nora has a password."""
    site.nora.user.set_password(PASSWORD)
    site.nora.user.save()
    return site


def test_the_pages_of_a_visitor_pass_axe(open_page: Any) -> None:
    page = open_page(None, VISITORS_PAGES[0])
    for path in VISITORS_PAGES:
        page.goto(path)
        inspect(page)


def test_the_pages_of_a_person_pass_axe(open_page: Any) -> None:
    for name in ("nora", "nil"):
        page = open_page(name, PERSONS_PAGES[0])
        for path in PERSONS_PAGES:
            page.goto(path)
            inspect(page)
        page.locator(".account-menu summary").click()
        inspect(page)


def test_refused_forms_pass_axe(nora: SimpleNamespace, open_page: Any) -> None:
    page = open_page(None, "/account/login/")
    enter(page, password="wrong")
    expect(page.get_by_role("alert")).to_contain_text("not correct")
    inspect(page)
    page.goto(one_time_path(nora.nora.user))
    choose(page, "too short")
    expect(page.locator(".errorlist")).to_contain_text("15 characters")
    inspect(page)
    for _try in range(5):
        page.goto("/account/login/")
        enter(page, password="wrong")
    expect(page.get_by_role("heading", level=1)).to_have_text("Wait 15 minutes")
    inspect(page)


def test_at_400_percent_nothing_is_cut_off(open_page: Any) -> None:
    page = open_page("nora", "/account/", Look(width=320))
    for path in ("/account/", "/account/password/", "/account/sessions/"):
        page.goto(path)
        assert_fits(page)


def test_the_keyboard_is_enough_to_sign_in(
    nora: SimpleNamespace, open_page: Any
) -> None:
    page = open_page(None, "/account/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("nora")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nora Example")


def test_the_second_step_is_set_up_from_its_picture(
    nora: SimpleNamespace, open_page: Any
) -> None:
    page = open_page("nora", "/account/two-factor/")
    broken = complaints(page)
    page.get_by_role("link", name="Set up").click()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    axe(page)
    picture = page.get_by_role("img", name="QR code of the key below")
    assert picture.evaluate("image => image.naturalWidth") > 100
    assert broken == []


def test_an_idle_tab_warns_and_leaves(nora: SimpleNamespace, open_page: Any) -> None:
    page = open_page("nora", "/account/")
    page.clock.install()
    page.reload()
    asked = requests_of(page, "/account/session/")
    page.clock.run_for("13:50")
    assert asked == []

    answer_with(page, seconds_left=50)
    page.clock.run_for("00:15")
    banner = page.get_by_role("alert")
    expect(banner).to_contain_text("You will be signed out")
    axe(page)

    answer_with(page, seconds_left=900)
    with page.expect_response("**/account/session/"):
        banner.get_by_role("button", name="Stay signed in").click()
    expect(banner).to_be_hidden()

    page.context.clear_cookies()
    answer_with(page, seconds_left=0)
    page.clock.run_for("14:05")
    page.wait_for_url("**/account/login/?next=%2Faccount%2F")


def test_a_tab_stays_while_another_tab_works(
    nora: SimpleNamespace, open_page: Any
) -> None:
    page = open_page("nora", "/account/")
    page.clock.install()
    page.reload()
    answer_with(page, seconds_left=600)
    asked = requests_of(page, "/account/session/")
    page.clock.run_for("14:05")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nora Example")
    assert len(asked) == 1
    page.clock.run_for("08:30")
    assert len(asked) == 1


def test_a_tab_that_cannot_ask_is_covered_and_keeps_what_was_typed(
    nora: SimpleNamespace, open_page: Any
) -> None:
    page = open_page("nora", "/account/password/")
    page.clock.install()
    page.reload()
    typed = page.locator("[name=oldpassword]")
    typed.fill("half a word")
    page.context.set_offline(True)
    page.clock.run_for("14:10")
    expect(typed).to_be_visible()
    let_it_ask_until(page, typed.is_hidden)
    page.context.set_offline(False)
    let_it_ask_until(page, typed.is_visible)
    expect(typed).to_have_value("half a word")


def let_it_ask_until(page: Page, changed: Callable[[], bool]) -> None:
    """Half minutes pass, in which the tab asks again; a slow answer may miss some."""
    for _half_minute in range(20):
        page.clock.run_for("00:31")
        page.wait_for_timeout(100)
        if changed():
            return
    pytest.fail("after ten minutes the tab is as it was")


def test_back_after_signing_out_shows_nothing(
    nora: SimpleNamespace, open_page: Any
) -> None:
    page = open_page("nora", "/account/")
    page.goto("/account/sessions/")
    page.locator(".account-menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    for _step in range(2):
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def enter(page: Page, name: str = "nora", password: str = PASSWORD) -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def choose(page: Page, password: str) -> None:
    for label in ("New Password", "New Password (again)"):
        page.get_by_label(label, exact=True).fill(password)
    page.get_by_role("button", name="Save the password").click()


def complaints(page: Page) -> list[str]:
    """What the browser will complain about, such as a broken content policy."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def requests_of(page: Page, path: str) -> list[str]:
    found: list[str] = []
    page.on("request", lambda r: found.append(r.url) if path in r.url else None)
    return found


def answer_with(page: Page, seconds_left: int) -> None:
    """The server says that so many seconds are left."""
    answer: Callable[[Any], None] = lambda route: route.fulfill(  # noqa: E731
        json={"seconds_left": seconds_left}
    )
    page.unroute("**/account/session/")
    page.route("**/account/session/", answer)
