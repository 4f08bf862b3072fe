"""A Chromium that no longer answers is killed from outside, and another one starts."""

import signal
import threading

import pytest
from playwright.sync_api import Error

from canvas_admin.tests.browser.conftest import Chromium

pytestmark = pytest.mark.browser


def test_a_call_that_waits_for_ever_ends_and_the_next_chromium_works(chromium):
    other = Chromium(chromium.playwright)
    window = other.browser().new_context()
    other.send(signal.SIGSTOP)
    threading.Timer(1, other.kill).start()
    with pytest.raises(Error, match="closed"):
        window.new_page()
    assert other.browser().new_page().title() == ""
    other.running.close()


def test_one_that_is_killed_while_its_windows_close_is_no_failure(chromium, open_page):
    """The test has passed by then; without suppression its teardown is an error."""
    assert open_page(None, "/accounts/login/").title()
    chromium.send(signal.SIGSTOP)
    threading.Timer(1, chromium.kill).start()
