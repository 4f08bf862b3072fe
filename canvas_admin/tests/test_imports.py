"""The house of DESIGN section 2: imports go one way, and never in a circle.

Read from the source, so that an import which happens to work is found all the same.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("canvas_admin", "staffing", "patients", "tasks")
BROAD = {"Exception", "BaseException"}

# The longest prefix counts; whatever else there is in canvas_admin is wiring, on top.
LEVELS = {
    "canvas_admin.events": 0,
    "canvas_admin.fhir": 0,
    "canvas_admin.audit": 0,
    "canvas_admin.records": 0,
    "staffing": 1,
    "patients": 2,
    "tasks": 3,
    "canvas_admin.protocols": 4,
}
TOP = 5
RUNS = "canvas_admin.protocols.inside.runs"
MAY_CATCH_ALL = {RUNS, "canvas_admin.protocols.runner"}
# Loads what others wrote, by lists of names; nothing of ours is among them.
MAY_IMPORT_BY_NAME = "canvas_admin.protocols.inside.preloaded"


@dataclass
class Module:
    """A module's source and what was read from it."""

    name: str
    source: str
    package: bool = False
    imports: list[tuple[int, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def says(self, node: ast.AST, what: str) -> None:
        self.problems.append(f"{self.name}:{node.lineno} {what}")


def level(name: str) -> int:
    """How high a module stands; tests of any room, and the wiring, stand on top."""
    parts = name.split(".")
    if "tests" in parts:
        return TOP
    for length in range(len(parts), 0, -1):
        if (found := LEVELS.get(".".join(parts[:length]))) is not None:
            return found
    return TOP


def read(modules: dict[str, Module]) -> list[str]:
    """Everything that is wrong with these modules, as "module:line what"."""
    for module in modules.values():
        Reader(module, modules).visit(ast.parse(module.source))
    wrong = [problem for module in modules.values() for problem in module.problems]
    wrong += [
        f"{module.name}:{line} imports {target}, which stands higher"
        for module in modules.values()
        for line, target in module.imports
        if level(target) > level(module.name)
    ]
    return wrong + [" → ".join(cycle) for cycle in cycles(modules)]


class Reader(ast.NodeVisitor):
    """Notes a module's imports, and what it must not do."""

    def __init__(self, module: Module, modules: dict[str, Module]) -> None:
        self.module, self.modules = module, modules
        self.inside: list[ast.AST] = []

    def visit_If(self, node: ast.If) -> None:
        name = ast.unparse(node.test)
        if name in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for other in node.orelse:
                self.visit(other)
            return
        self.generic_visit(node)

    def _enter(self, node: ast.AST) -> None:
        self.inside.append(node)
        self.generic_visit(node)
        self.inside.pop()

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _enter

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._imports(node, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = self._base(node)
        for alias in node.names:
            if alias.name == "*":
                self.module.says(node, "imports *")
            full = f"{base}.{alias.name}"
            self._imports(node, full if full in self.modules else base)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """Tidying up and raising again is no catching."""
        last = node.body[-1]
        if not (isinstance(last, ast.Raise) and last.exc is None):
            named = ast.walk(node.type) if node.type else ()
            names = {n.id for n in named if isinstance(n, ast.Name)}
            self._catches(node, names if node.type else BROAD)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        called = ast.unparse(node.func).rpartition(".")[2]
        if called == "suppress":
            named = (n for n in ast.walk(node) if isinstance(n, ast.Name))
            self._catches(node, {n.id for n in named})
        by_name = called in ("__import__", "import_module", "import_string")
        if by_name and self.module.name != MAY_IMPORT_BY_NAME:
            self.module.says(node, f"imports by {called}()")
        first = node.args[0] if node.args else None
        if called in ("get_model", "get_app_config") and isinstance(
            first, ast.Constant
        ):
            app = str(first.value).partition(".")[0]
            if app in ROOMS and level(app) > level(self.module.name):
                self.module.says(node, f"reaches {app} by {called}()")
        self.generic_visit(node)

    def _imports(self, node: ast.AST, target: str) -> None:
        functions = [n for n in self.inside if not isinstance(n, ast.ClassDef)]
        if functions and not self._is_ready(functions):
            self.module.says(node, "imports inside a function")
        if target.partition(".")[0] in ROOMS:
            self.module.imports.append((node.lineno, target))

    def _is_ready(self, functions: list[ast.AST]) -> bool:
        is_apps = self.module.name.endswith(".apps")
        return is_apps and [f.name for f in functions] == ["ready"]

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.module.name.split(".")
        drop = node.level - self.module.package
        parts = parts[: len(parts) - drop]
        return ".".join([*parts, *([node.module] if node.module else [])])

    def _catches(self, node: ast.AST, names: set[str]) -> None:
        if names & BROAD and self.module.name not in MAY_CATCH_ALL:
            self.module.says(node, "catches everything")


def cycles(modules: dict[str, Module]) -> Iterator[list[str]]:
    """Modules that import each other in a circle, each circle once."""
    state: dict[str, str] = {}
    for name in modules:
        yield from _walk(name, modules, state, [])


def _walk(
    name: str, modules: dict[str, Module], state: dict[str, str], path: list[str]
) -> Iterator[list[str]]:
    if state.get(name) == "open":
        yield [*path[path.index(name) :], name]
    if name in state:
        return
    state[name] = "open"
    for target in dict.fromkeys(target for _line, target in modules[name].imports):
        if target in modules:
            yield from _walk(target, modules, state, [*path, name])
    state[name] = "done"


def project() -> dict[str, Module]:
    """Every Python file of the project."""
    files = [ROOT / "manage.py", *(ROOT / ".ci").glob("*.py")]
    files += [file for room in ROOMS for file in (ROOT / room).rglob("*.py")]
    modules = {}
    for file in files:
        parts = file.relative_to(ROOT).with_suffix("").parts
        package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if package else parts)
        modules[name] = Module(name, file.read_text(encoding="utf-8"), package)
    return modules


def test_the_house_stands():
    modules = project()
    assert len(modules) > 50
    assert read(modules) == []


def test_no_file_has_a_name_that_says_nothing():
    empty = {"utils", "helpers", "services", "signals", "constants"}
    assert not [name for name in project() if name.rpartition(".")[2] in empty]


def test_there_is_no_other_app_at_the_top():
    apps = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert apps == set(ROOMS)


# The test can fail ---------------------------------------------------------------------

BAD = {
    "upward": {"staffing.a": "import patients.b", "patients.b": ""},
    "upward, by name": {"staffing.a": "from patients import b", "patients.b": ""},
    "upward, relative": {
        "canvas_admin.audit.a": "from ..site import x",
        "canvas_admin.site": "",
    },
    "into the wiring": {"tasks.a": "from canvas_admin.settings import DEBUG"},
    "into tests": {"patients.a": "from patients.tests import x"},
    "upward, within a condition": {"staffing.a": "if True:\n  import tasks.b"},
    "upward, in a class": {"staffing.a": "class A:\n  import tasks.b"},
    "upward, by the registry": {
        "staffing.a": "apps.get_model('patients', 'Patient')",
    },
    "upward, by a dotted name": {"staffing.a": "apps.get_model('patients.Patient')"},
    "circle of two": {"tasks.a": "import tasks.b", "tasks.b": "import tasks.a"},
    "circle of three": {
        "tasks.a": "from tasks import b",
        "tasks.b": "from .c import x",
        "tasks.c": "from . import a",
    },
    "circle with the package": {
        "tasks.m": "from tasks.m.a import A",
        "tasks.m.a": "from tasks.m import B",
    },
    "alone in a circle": {"tasks.a": "import tasks.a"},
    "in a function": {"tasks.a": "def f():\n  import json"},
    "in a method": {"tasks.a": "class A:\n  def ready(self):\n    import json"},
    "in another function of apps": {"tasks.apps": "def f():\n  import json"},
    "by importlib": {"tasks.a": "import importlib\nimportlib.import_module('x')"},
    "everything by star": {"tasks.a": "from json import *"},
    "bare except": {"tasks.a": "try: pass\nexcept: pass"},
    "broad except": {"tasks.a": "try: pass\nexcept Exception: pass"},
    "broad among others": {"tasks.a": "try: pass\nexcept (OSError, Exception): pass"},
    "broader": {"tasks.a": "try: pass\nexcept BaseException: pass"},
    "raised from a broad one": {
        "tasks.a": "try: pass\nexcept Exception as e: raise OSError from e"
    },
    "broad suppression": {"tasks.a": "with suppress(Exception): pass"},
}
GOOD = {
    "downward": {"patients.a": "import staffing.b", "staffing.b": ""},
    "for types only": {
        "tasks.a": "import tasks.b",
        "tasks.b": "if TYPE_CHECKING:\n  import tasks.a",
    },
    "when ready": {
        "tasks.apps": "class A:\n  def ready(self):\n    from tasks import b",
        "tasks.b": "",
    },
    "the runner": {RUNS: "try: pass\nexcept Exception: pass"},
    "tidied up and raised again": {"tasks.a": "try: pass\nexcept BaseException: raise"},
    "its own registry": {"patients.a": "apps.get_model('patients', 'Patient')"},
    "a package of its parts": {"tasks.m": "from tasks.m.a import A", "tasks.m.a": ""},
    "tests of a room": {"staffing.tests.a": "import patients.b"},
}


def _modules(sources: dict[str, str]) -> dict[str, Module]:
    packages = {name.rpartition(".")[0] for name in sources}
    return {n: Module(n, source, n in packages) for n, source in sources.items()}


@pytest.mark.parametrize("case", BAD)
def test_this_would_be_found(case):
    assert len(read(_modules(BAD[case]))) == 1


@pytest.mark.parametrize("case", GOOD)
def test_this_is_allowed(case):
    assert read(_modules(GOOD[case])) == []
