"""The locked packages: pinned, hashed, agreeing, and bound to no package index."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", ".ci/requirements-test.txt")
PIN = re.compile(r"^([a-z0-9.-]+)(?:\[[a-z,]+\])?==(\S+)( ;[^\\]+)? \\$", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    """The versions that a lock file names, by package."""
    return {found[1]: found[2] for found in PIN.finditer((PROJECT / lock).read_text())}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_pins_or_hashes(lock: str) -> None:
    lines = (PROJECT / lock).read_text().splitlines()
    hashed = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")
    assert [line for line in lines if not (PIN.match(line) or hashed.match(line))] == []
    for before, line in zip(lines, lines[1:], strict=False):
        assert not (PIN.match(before) and PIN.match(line)), f"{before} has no hash"


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_a_host_or_an_index(lock: str) -> None:
    text = (PROJECT / lock).read_text()
    assert not re.search(r"://|index-url|find-links|trusted-host|file:|@ ", text)


def test_the_two_locks_agree() -> None:
    app, test = (pins(lock) for lock in LOCKS)
    assert {name: test[name] for name in app.keys() & test.keys()} == {
        name: app[name] for name in app.keys() & test.keys()
    }


def test_django_is_of_the_long_supported_release() -> None:
    assert pins("requirements.txt")["django"].startswith("5.2.")


def test_what_is_installed_here_is_what_is_locked() -> None:
    """What the tests passed with is what a clinic gets."""
    locked = {**pins(LOCKS[1]), **pins(LOCKS[0])}
    done = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format", "freeze"],
        capture_output=True,
        text=True,
        check=True,
    )
    installed = dict(line.split("==") for line in done.stdout.split() if "==" in line)
    installed = {re.sub(r"[-_.]+", "-", n.lower()): v for n, v in installed.items()}
    both = locked.keys() & installed.keys()
    assert len(both) > 30
    assert {n: installed[n] for n in both} == {n: locked[n] for n in both}
