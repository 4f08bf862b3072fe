"""A pytest plugin: in CI a skipped test, or one expected to fail, is a failure."""

import os
from typing import Any

import pytest

LEFT_OUT = ("skipped", "xfailed")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many were left out, before pytest's closing line."""
    if number := _left_out(terminalreporter):
        terminalreporter.write_line(
            f"{number} left out: in CI that is a failure", red=True
        )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let the run fail; workers of xdist have no terminal and leave it to the first."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and session.exitstatus == 0 and _left_out(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _left_out(reporter: Any) -> int:
    if os.environ.get("CI") != "true":
        return 0
    return sum(len(reporter.stats.get(kind, ())) for kind in LEFT_OUT)
