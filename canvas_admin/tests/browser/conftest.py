"""A live server, Chromium, and axe-core: what every browser test stands on.

    def test_…(site, open_page):
        page = open_page("ruth", "/admin/")     # None is an anonymous visitor
        inspect(page)

`open_page` takes `look=…`, width and colour scheme; `inspect` looks at every one of LOOKS.
"""

import contextlib
import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Page,
    Playwright,
    sync_playwright,
)

from canvas_admin.testing import put_back

AXE = Axe().axe_script
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
# Seconds; no test takes half as long.
PATIENCE = 120
# The rules of WCAG 2.2 AA and below, and axe's own list of good practice.
RULES = {
    # It would fetch style sheets again, in a way that our content policy forbids.
    "preload": False,
    # What it did not find need not be told.
    "resultTypes": ["violations"],
    "runOnly": {
        "type": "tag",
        "values": [
            "wcag2a",
            "wcag2aa",
            "wcag21a",
            "wcag21aa",
            "wcag22aa",
            "best-practice",
        ],
    },
}


@dataclass(frozen=True)
class Look:
    """A screen: its width in pixels, and the colour scheme that its person prefers."""

    width: int = 1280
    scheme: str = "light"

    def __str__(self) -> str:
        return f"{self.width}-{self.scheme}"


# Both widths and both schemes, each once: what axe looks at depends on one or the other.
LOOKS = [Look(1280, "light"), Look(390, "dark")]


class Chromium:
    """Debian's Chromium, started when it is first needed, and again when it has ended."""

    def __init__(self, playwright: Playwright) -> None:
        self.playwright = playwright
        self.mark = f"--of-test-run={secrets.token_hex(8)}"
        self.running: Browser | None = None

    def browser(self) -> Browser:
        """The running one."""
        if self.running is None or not self.running.is_connected():
            self.running = self.playwright.chromium.launch(
                executable_path=CHROMIUM, args=[*ARGUMENTS, self.mark]
            )
        return self.running

    def kill(self) -> None:
        """End it from outside: the call that waits for it raises TargetClosedError."""
        self.send(signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Send its process a signal, found by its mark: Playwright does not tell which."""
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if self.mark.encode() in (folder / "cmdline").read_bytes():
                    os.kill(int(folder.name), number)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """One Chromium per test process."""
    # Playwright's own loop runs in this thread, which Django takes for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = Chromium(playwright)
        yield chromium
        if chromium.running:
            with contextlib.suppress(Error):
                chromium.running.close()


@pytest.fixture
def browser(chromium: Chromium) -> Iterator[Browser]:
    """Chromium; one that no longer answers is killed, and the test runs once more.

    Now and then it never answers a call that opens a window, and Playwright has no limit
    for how long to wait for that.
    """
    watchdog = threading.Timer(PATIENCE, chromium.kill)
    watchdog.start()
    yield chromium.browser()
    watchdog.cancel()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test whose Chromium was killed runs once more; any other failure stands."""
    once_more = pytest.mark.flaky(reruns=1, only_rerun=["TargetClosedError"])
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(once_more)


@pytest.fixture
def site(request: Any, transactional_db: None, live_server: Any) -> SimpleNamespace:
    """The running site: `url`, and everybody of the cast by name."""
    cast = put_back(request)
    cast.url = live_server.url
    return cast


@pytest.fixture
def open_page(site: SimpleNamespace, browser: Browser) -> Iterator[Callable[..., Page]]:
    """open_page("nora", "/patients/"): a page in a window of her own."""
    windows: list[BrowserContext] = []

    def opened(name: str | None, path: str, look: Look = Look()) -> Page:  # noqa: B008
        window = browser.new_context(
            viewport={"width": look.width, "height": 900},
            color_scheme=look.scheme,
            # axe would meet colours on their way from one scheme to the other.
            reduced_motion="reduce",
            base_url=site.url,
        )
        windows.append(window)
        if name is not None:
            sign_in(window, getattr(site, name).user, site.url)
        page = window.new_page()
        page.goto(path)
        return page

    yield opened
    for window in windows:
        # With a Chromium that was killed meanwhile its windows are closed.
        with contextlib.suppress(Error):
            window.close()


def sign_in(window: BrowserContext, user: Any, url: str) -> None:
    """Plant the cookie of a session that this account has begun."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "staffing.backends.StaffBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session.session_key}
    window.add_cookies([cookie | {"url": url}])


def inspect(page: Page, looks: Iterable[Look] = LOOKS) -> None:
    """In each look axe finds nothing and everything fits; then all is as it was."""
    size = page.viewport_size
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    for look in looks:
        page.set_viewport_size({"width": look.width, "height": size["height"]})
        page.emulate_media(color_scheme=look.scheme)
        axe(page)
        assert_fits(page)
    page.set_viewport_size(size)
    page.emulate_media(color_scheme="dark" if dark else "light")


def axe(page: Page) -> None:
    """axe-core finds nothing wrong with the page, and the page broke no policy."""
    if not page.evaluate("'axe' in window"):
        # The pages that this one leads to have it from the start.
        page.add_init_script(AXE)
        page.evaluate(AXE)
    found = page.evaluate("how => axe.run(how).then((all) => all.violations)", RULES)
    told = [
        f"{v['id']} ({v['impact']}): {v['help']}\n    "
        + "\n    ".join(f"{n['target']} {n['html'][:200]}" for n in v["nodes"])
        for v in found
    ]
    assert not told, f"{page.url}\n" + "\n".join(told)


def assert_fits(page: Page) -> None:
    """Nobody has to scroll sideways, and no part of a form is cut off at the edge."""
    cut = page.evaluate(
        """() => {
            const wide = document.documentElement.clientWidth;
            const parts = [document.body, ...document.querySelectorAll("form *")];
            return parts.filter((part) => {
                const inScroller = part.closest(".results, .inline-group, .table-scroll");
                const { width, right } = part.getBoundingClientRect();
                return !inScroller && width && Math.floor(right) > wide;
            }).map((part) => part.outerHTML.slice(0, 100))
            .concat(document.documentElement.scrollWidth > wide ? ["the page"] : []);
        }"""
    )
    assert cut == [], page.url
