"""Which tests meet which guards: each guard notes the test that asks it, and its refusals.

A pytest plugin, and what it puts into the syntax of the modules with guards.
"""

import ast
import functools
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sabotage

# By this name, as it is put into modules that import nothing of ours.
HERE = "__import__('marking')"
NOT_ALLOWED = 405

seconds: dict[str, float] = defaultdict(float)
# guard → test → whether it was refused something
met: dict[str, dict[str, bool]] = defaultdict(dict)
running = ""


def note(guards: tuple[str, ...], refused: bool) -> None:
    """The running test has met these guards."""
    for guard in guards if running else ():
        met[guard][running] = refused or met[guard].get(running, False)


def asked(
    guards: tuple[str, ...], ask: Callable, /, *arguments: Any, **named: Any
) -> Any:
    """What the guards answer: an error, False and "method not allowed" are refusals."""
    note(guards, refused=False)
    try:
        answer = ask(*arguments, **named)
    except Exception:
        note(guards, refused=True)
        raise
    if answer is False or getattr(answer, "status_code", 0) == NOT_ALLOWED:
        note(guards, refused=True)
    return answer


def asking(guards: tuple[str, ...]) -> Callable:
    """asked() as a decorator."""

    def decorate(ask: Callable) -> Callable:
        @functools.wraps(ask)
        def decorated(*arguments: Any, **named: Any) -> Any:
            return asked(guards, ask, *arguments, **named)

        # For tests that look behind the decorators of a view.
        decorated.__wrapped__ = getattr(ask, "__wrapped__", ask)
        return decorated

    return decorate


def marked(source: str, module: str) -> ast.Module:
    """The syntax tree of a module whose guards note who asks."""
    return ast.fix_missing_locations(Marker(module).visit(ast.parse(source)))


class Marker(sabotage.Remover):
    """Finds guards as Remover does; those within expressions of a module are not asked."""

    def __init__(self, module: str) -> None:
        super().__init__(module)
        self.marked: set[str] = set()

    def new_at(self, *nodes: Any) -> ast.Constant:
        """The names of the guards that were found here last."""
        places = {(node.lineno, node.col_offset) for node in nodes}
        here = {g.name for g in self.found if (g.line, g.column) in places}
        here -= self.marked
        self.marked |= here
        return ast.Constant(tuple(sorted(here)))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        super().visit_Call(node)
        # A decorator that is called is marked with its function.
        asks = sabotage.called(node) in sabotage.CALLS
        named = [keyword.value for keyword in node.keywords]
        if not asks or not (names := self.new_at(node, *node.args, *named)).value:
            return node
        ask = ast.parse(f"{HERE}.asked", mode="eval").body
        asking = ast.Call(ask, [names, node.func, *node.args], node.keywords)
        return ast.copy_location(asking, node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        places = [node, *node.decorator_list]
        super().visit_FunctionDef(node)
        if (names := self.new_at(*places)).value:
            decorate = ast.parse(f"{HERE}.asking", mode="eval").body
            node.decorator_list.insert(0, ast.Call(decorate, [names], []))
        return node

    def visit_Assign(self, node: ast.Assign) -> Any:
        super().visit_Assign(node)
        if not (names := self.new_at(node)).value:
            return node
        return [self.noting(names, refused=False), node]

    def visit_Raise(self, node: ast.Raise) -> Any:
        super().visit_Raise(node)
        if not (names := self.new_at(node)).value:
            return node
        return [self.noting(names, refused=True), node]

    def noting(self, names: ast.Constant, refused: bool) -> ast.Expr:
        call = ast.parse(f"{HERE}.note", mode="eval").body
        return ast.Expr(ast.Call(call, [names, ast.Constant(refused)], []))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    global running
    running = item.nodeid
    try:
        return (yield)
    finally:
        running = ""


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    seconds[report.nodeid] += report.duration


def of_file(file: str) -> dict[str, Any]:
    """What is known of the tests in a file."""

    def own(tests: dict[str, Any]) -> dict[str, Any]:
        return {test: tests[test] for test in tests if test.startswith(f"{file}::")}

    found = {guard: own(tests) for guard, tests in met.items()}
    return {"seconds": own(seconds), "met": {g: t for g, t in found.items() if t}}
