"""pytest with one guard removed, or with all of them noting who asks.

    python .ci/unguarded.py GUARD PYTEST-ARGUMENTS…
    python .ci/unguarded.py --mark FILE PYTEST-ARGUMENTS…

Nothing is written into the tree: an import hook compiles the modules anew. --mark removes
nothing, and leaves in the file which test met which guard (marking.py).
"""

import importlib.abc
import importlib.machinery
import os
import runpy
import sys
from ast import Module
from collections.abc import Callable
from functools import partial
from types import CodeType
from typing import Any

import marking
import sabotage


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a module with other syntax than its file has."""

    change: Callable[[str], Module]

    def source_to_code(self, data: Any, path: Any, **options: Any) -> CodeType:
        return compile(self.change(data.decode()), path, "exec", dont_inherit=True)

    def get_code(self, fullname: str) -> CodeType:
        # Neither read from the cache of compiled modules nor written into it.
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class Hook(importlib.abc.MetaPathFinder):
    """Finds these modules before anybody else does."""

    def __init__(self, changes: dict[str, Callable[[str], Module]]) -> None:
        self.changes = changes

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name not in self.changes:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        spec.loader = Loader(name, spec.origin)
        spec.loader.change = self.changes[name]
        return spec


def marked() -> dict[str, Callable[[str], Module]]:
    """Every module that has a guard, with marks."""
    names = {guard.module for guard in sabotage.find()}
    return {name: partial(marking.marked, module=name) for name in names}


def without(guard: str) -> dict[str, Callable[[str], Module]]:
    """The one module, less the guard."""
    module = guard.partition(":")[0]
    return {module: partial(sabotage.without, module=module, name=guard)}


def main() -> None:
    _own, guard, *arguments = sys.argv
    sys.path.insert(0, str(sabotage.PROJECT))
    if guard == "--mark":
        os.environ[marking.FILE] = arguments.pop(0)
        arguments += ["-p", "marking", "-W", "ignore:Module already imported"]
    changes = marked() if guard == "--mark" else without(guard)
    sys.meta_path.insert(0, Hook(changes))
    sys.argv = ["pytest", *arguments]
    # After the hook, because its plugins import ours.
    runpy.run_module("pytest", run_name="__main__")


if __name__ == "__main__":
    main()
