"""Guards removed from functions that are imported already, in forks of one process.

The process collects the tests, makes their database and the rows that many begin with;
each guard is removed in a fork of it, which has all that and a copy of the database. What
stands outside functions has done its work by then: unguarded.py removes it before the
import.
"""

import gc
import inspect
import pkgutil
import shutil
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
import sabotage
import unguarded
from django.db import connections

Task = tuple[str, list[str]]
# What a method is asked by: the wrapper that Django puts round a view.
LIST = "request_method_list"
# Fixtures of rows that are made once in each process.
WITH_ROWS = {"cast", "clinic"}


def _any_method(func: Any, request_method_list: Any) -> FunctionType:
    def inner(request: Any, *args: Any, **kwargs: Any) -> Any:
        request_method_list  # noqa: B018
        return func(request, *args, **kwargs)

    return inner


def differing(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Functions of a module whose code differs.

    Raises LookupError where what runs on import differs.
    """
    if old == new:
        return
    if old.co_flags & inspect.CO_OPTIMIZED:
        yield old, new
    elif _own(old) != _own(new):
        raise LookupError(old.co_qualname)
    within = {_place(code): code for code in _codes(new)}
    for code in _codes(old):
        if _place(code) in within:
            yield from differing(code, within[_place(code)])


def _codes(code: CodeType) -> list[CodeType]:
    return [c for c in code.co_consts if isinstance(c, CodeType)]


def _own(code: CodeType) -> tuple[Any, ...]:
    rest = [c for c in code.co_consts if not isinstance(c, CodeType)]
    return code.co_code, code.co_names, rest, len(_codes(code))


def _place(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _put_names(module: str, code: CodeType) -> None:
    """Put what this code makes of a module's tuples of names where they stand by now.

    Not where others were made of them. Raises LookupError where none differs.
    """
    there, made = vars(sys.modules[module]), {"__name__": module}
    exec(code, made)  # noqa: S102
    tuples = {name: value for name, value in there.items() if _are_names(value)}
    changed = [(old, made[name]) for name, old in tuples.items() if old != made[name]]
    if not changed:
        raise LookupError(module)
    for old, new in changed:
        for holder in gc.get_referrers(old):
            is_dict = isinstance(holder, dict)
            fields = holder if is_dict else getattr(holder, "__dict__", {})
            for name in [name for name, value in fields.items() if value is old]:
                if is_dict:
                    holder[name] = new
                else:
                    object.__setattr__(holder, name, new)


def _are_names(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(v, str) for v in value)


class Imported:
    """Every function of ours, and the wrappers of those that ask for a method."""

    def __init__(self) -> None:
        self.paths = dict(sabotage.modules())
        for name in self.paths:
            pkgutil.resolve_name(name)
        files = {str(path): name for name, path in self.paths.items()}
        self.functions: dict[Any, list[FunctionType]] = defaultdict(list)
        self.wrappers: dict[Any, list[FunctionType]] = defaultdict(list)
        # The server's start freezes what was there; tests of it import that.
        gc.unfreeze()
        for found in gc.get_objects():
            if not isinstance(found, FunctionType):
                continue
            if module := files.get(found.__code__.co_filename):
                self.functions[module, *_place(found.__code__)].append(found)
            asked = getattr(found, "__wrapped__", None)
            if LIST in found.__code__.co_freevars and isinstance(asked, FunctionType):
                self.wrappers[asked.__code__].append(found)

    def remove(self, guard: str) -> None:
        """Remove a guard from this process. Raises LookupError where it cannot be."""
        module, _line, _column, kind = guard.split(":")
        source, path = self.paths[module].read_text(), str(self.paths[module])
        tree = sabotage.without(source, module, guard)
        if kind == "method":
            self._take_any_method(module, guard)
            return
        old = compile(source, path, "exec", dont_inherit=True)
        new = compile(tree, path, "exec", dont_inherit=True)
        try:
            differ = list(differing(old, new))
        except LookupError:
            if kind != "permission":
                raise
            _put_names(module, new)
            return
        changes = [
            (function, code)
            for before, code in differ
            for function in self.functions[module, *_place(before)]
        ]
        if not changes:
            raise LookupError(guard)
        for function, code in changes:
            try:
                function.__code__ = code
            except ValueError as error:
                raise LookupError(guard) from error

    def _take_any_method(self, module: str, guard: str) -> None:
        line = int(guard.split(":")[1])
        views = [
            f for key, fs in self.functions.items() if key[0] == module for f in fs
        ]
        views = [f for f in views if f.__code__.co_firstlineno == line]
        found = [w for f in views for w in self.wrappers[f.__code__]]
        plain = _any_method(None, None).__code__
        if not found or any(w.__code__.co_freevars != plain.co_freevars for w in found):
            raise LookupError(guard)
        for wrapper in found:
            wrapper.__code__ = plain


class Forking:
    """A pytest plugin that runs the tests of each task in a fork, and all else once."""

    def __init__(self, tasks: list[Task], at_once: int, there: Connection) -> None:
        self.tasks, self.at_once, self.there = tasks, at_once, there

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        signal.alarm(0)
        self.session, self.imported = session, Imported()
        self.items = {item.nodeid: item for item in session.items}
        self.green: dict[str, bool] = {}
        self._make_ready()
        with ThreadPoolExecutor(self.at_once) as pool:
            asked = {pool.submit(self._in_fork, task): task for task in self.tasks}
            for answered in as_completed(asked):
                self.there.send((asked[answered][0], answered.result()))
        return True

    def _in_fork(self, task: Task) -> dict[str, str] | None:
        """What a fork finds; None too where its test is red here with nothing removed."""
        try:
            found = unguarded.apart(self._noticed_by, task)
            test = found["noticed_by"] if found else ""
            return found if not test or self._is_green(test) else None
        except RuntimeError:
            # The fork ended; before the import it may do better.
            return None

    def _is_green(self, test: str) -> bool:
        if test not in self.green:
            found = unguarded.apart(self._noticed_by, ("", [test]))
            self.green[test] = not found["noticed_by"] and not found["broken"]
        return self.green[test]

    def _make_ready(self) -> None:
        """Make the database and the rows that many tests begin with; nothing stays open.

        By running the first test of each kind. Raises RuntimeError if one is red.
        """
        red = unguarded.FirstRed(())
        red.session = self.session
        self.session.config.pluginmanager.register(red)
        first: dict[Any, pytest.Item] = {}
        for item in self.session.items:
            if "db" in item.fixturenames:
                begins = sorted(WITH_ROWS & {*item.fixturenames})
                marked = item.get_closest_marker("furnished")
                first.setdefault((*begins, bool(marked)), item)
        hook = self.session.config.hook
        for item, after in pairwise([*first.values(), self.session]):
            hook.pytest_runtest_protocol(item=item, nextitem=after)
            if red.test or red.broken:
                raise RuntimeError(f"{item.nodeid} is red with nothing removed")
        self.session.config.pluginmanager.unregister(red)
        self.database = connections.settings["default"]["NAME"]
        connections.close_all()

    def _noticed_by(self, task: Task) -> dict[str, str] | None:
        """As unguarded.noticed_by(); None where the guard cannot be removed in place.

        "" is no guard.
        """
        guard, tests = task
        try:
            if guard:
                self.imported.remove(guard)
        except LookupError:
            return None
        chosen = [item for test in tests for item in self._items_of(test)]
        red = unguarded.FirstRed([guard.partition(":")[0]])
        red.session = self.session
        self.session.config.pluginmanager.register(red)
        signal.signal(signal.SIGALRM, unguarded.too_long)
        signal.alarm(unguarded.LONGEST)
        with tempfile.TemporaryDirectory() as folder:
            copied = Path(folder) / "test.sqlite3"
            shutil.copy(self.database, copied)
            connections.settings["default"]["NAME"] = str(copied)
            for item, after in pairwise([*chosen, self.session]):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                if red.test:
                    break
        return {"noticed_by": red.test, "broken": "" if red.test else red.broken}

    def _items_of(self, test: str) -> list[pytest.Item]:
        """A test by its name, or the tests of a file."""
        if test in self.items:
            return [self.items[test]]
        return [i for name, i in self.items.items() if name.startswith(f"{test}::")]


def noticed(
    tasks: list[Task], at_once: int
) -> Iterator[tuple[str, dict[str, str] | None]]:
    """Each guard, as they come, with what unguarded.noticed_by() says.

    None where it is to be asked. Raises RuntimeError where the process ends before.
    """
    here, there = unguarded.FORK.Pipe(duplex=False)
    work = partial(_collect, tasks, at_once, there)
    process = unguarded.FORK.Process(target=work)
    process.start()
    there.close()
    try:
        for _task in tasks:
            yield here.recv()
    except EOFError:
        raise RuntimeError("the process that removes in place ended") from None
    except BaseException:
        process.terminate()
        raise
    finally:
        here.close()
        process.join()


def _collect(tasks: list[Task], at_once: int, there: Connection) -> None:
    files = {test.partition("::")[0] for _guard, tests in tasks for test in tests}
    unguarded.run({}, sorted(files), Forking(tasks, at_once, there))
