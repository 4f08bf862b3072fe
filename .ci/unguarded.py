"""Tests, run in this process with one guard removed, or with all of them noting who asks.

Nothing is written into the tree: an import hook compiles the modules anew. A process
imports ours but once, so each run needs a process of its own, forked before that.
"""

import contextlib
import importlib.abc
import importlib.machinery
import multiprocessing
import os
import re
import shutil
import signal
import sys
import tempfile
from ast import Module
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from multiprocessing.connection import Connection
from types import CodeType
from typing import Any

# What ours import and what asks for no settings: a forked process has it already.
import cryptography.fernet  # noqa: F401
import django.db.backends.sqlite3.base  # noqa: F401
import django.db.models  # noqa: F401
import django.forms  # noqa: F401
import django.test.client  # noqa: F401
import django.views.generic  # noqa: F401
import fpdf  # noqa: F401
import hypothesis  # noqa: F401
import marking
import pytest
import pytest_django.plugin  # noqa: F401
import sabotage

FORK = multiprocessing.get_context("fork")
Change = Callable[[str], Module]
LONGEST = 1800
# No guard was missed then, but something of ours broken: these wherever they are raised,
BROKEN = re.compile(
    r"([\w.]+\.)?(NameError|FieldError|SyntaxError|ImportError|UnboundLocalError"
    r"|TimeoutError)\b"
)
# and these in the module that lacks the guard.
BROKEN_THERE = re.compile(r"(TypeError|AttributeError)\b")
OPTIONS = "-q --reuse-db --tb=no --assert=plain -o faulthandler_timeout=0 -p no:xdist "
OPTIONS += "-p no:cacheprovider -p no:hypothesispytest -p no:rerunfailures"


def apart(work: Callable[[Any], Any], given: Any) -> Any:
    """What a function answers in a process of its own.

    Raises RuntimeError as it does, and where the process ends without an answer.
    """
    here, there = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_answer, args=(there, work, given))
    process.start()
    there.close()
    try:
        answer = here.recv()
    except EOFError:
        answer = RuntimeError(f"{given}: the process ended")
    process.join()
    if isinstance(answer, RuntimeError):
        raise answer
    return answer


def _answer(there: Connection, work: Callable[[Any], Any], given: Any) -> None:
    try:
        there.send(work(given))
    except RuntimeError as error:
        there.send(error)


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a module with other syntax than its file has."""

    change: Change

    def source_to_code(self, data: Any, path: Any, **options: Any) -> CodeType:
        return compile(self.change(data.decode()), path, "exec", dont_inherit=True)

    def get_code(self, fullname: str) -> CodeType:
        # Neither read from the cache of compiled modules nor written into it.
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class Hook(importlib.abc.MetaPathFinder):
    """Finds these modules before anybody else does."""

    def __init__(self, changes: dict[str, Change]) -> None:
        self.changes = changes

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name not in self.changes:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        spec.loader = Loader(name, spec.origin)
        spec.loader.change = self.changes[name]
        return spec


class FirstRed:
    """The first test that fails by what it says, and its error; nothing runs after it.

    A test that fails because the module is broken says nothing of its guard: it is kept
    in `broken`, and the next one runs.
    """

    test = error = broken = ""

    def __init__(self, modules: Iterable[str]) -> None:
        self.files = {str(path) for name, path in sabotage.modules() if name in modules}

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self.session = session

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.failed or self.test:
            return
        crash = getattr(report.longrepr, "reprcrash", None)
        error = crash.message if crash else report.longreprtext
        place = crash.path if crash else ""
        if BROKEN.match(error) or (place in self.files and BROKEN_THERE.match(error)):
            self.broken = self.broken or f"{report.nodeid}: {error}"
        else:
            self.test, self.error = report.nodeid, error
            self.session.shouldfail = "noticed"

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed and not self.broken:
            self.broken = f"ImportError {report.longreprtext}"


def run(changes: dict[str, Change], tests: Iterable[str], *plugins: Any) -> FirstRed:
    """Run tests up to the first that fails. Raises RuntimeError where pytest itself does."""
    red, arguments = FirstRed(changes), [*OPTIONS.split(), "-m", "not browser"]
    sys.path.insert(0, str(sabotage.PROJECT))
    sys.meta_path.insert(0, Hook(changes))
    os.chdir(sabotage.PROJECT)
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LONGEST)
    with (
        open(os.devnull, "w") as nowhere,
        _own_folder() as folder,
        contextlib.redirect_stdout(nowhere),
    ):
        arguments += ["--basetemp", f"{folder}/tests"]
        code = pytest.main([*arguments, *tests], [red, *plugins])
    good = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    if code not in good and not (red.test or red.broken):
        raise RuntimeError(f"pytest ended with {code!r}")
    return red


@contextlib.contextmanager
def _own_folder() -> Iterator[str]:
    """A folder that goes with the process that made it, whatever ends in a fork of it."""
    owner, folder = os.getpid(), tempfile.mkdtemp()
    try:
        yield folder
    finally:
        if os.getpid() == owner:
            shutil.rmtree(folder)


def too_long(_signal: int, _frame: Any) -> None:
    raise TimeoutError


def noticed_by(task: tuple[str, list[str]]) -> dict[str, str]:
    """The first of these tests that goes red without a guard, "" when none does.

    Where none does and something was broken instead of a guard removed, that too.
    """
    guard, tests = task
    module = guard.partition(":")[0]
    change = partial(sabotage.without, module=module, name=guard)
    red = run({module: change}, tests)
    noticed = {"noticed_by": red.test}
    return noticed if red.test else noticed | {"broken": red.broken}


def meetings(files: list[str]) -> dict[str, Any]:
    """Run tests with nothing removed: what marking.py notes of them, by file.

    Raises RuntimeError if one is red.
    """
    names = {guard.module for guard in sabotage.find()}
    changes = {name: partial(marking.marked, module=name) for name in names}
    red = run(changes, files, marking)
    if red.test or red.broken:
        first = f"{red.test}: {red.error}" if red.test else red.broken
        raise RuntimeError(f"red with nothing removed: {first}")
    return {file: marking.of_file(file) for file in files}
