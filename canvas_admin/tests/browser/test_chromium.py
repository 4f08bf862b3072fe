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
