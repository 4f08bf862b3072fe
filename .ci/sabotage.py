"""Guards, found in the source by the syntax tree, and a module's syntax less one of them.

A guard is named "module:line:column:kind".
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
ROOMS = ("patients", "tasks", "staffing", "canvas_admin")
# Where nobody gets in over HTTP, and what only tests use.
LEFT_OUT = {"tests", "migrations", "management", "testing"}
# Permissions are asked for here; staffing.groups gives them, which guards nothing.
ASKING = re.compile(r"(patients|tasks)\.(areas$|views|admin)|[a-z]+\.api\.")
# Imports are the operator's, who reaches everybody.
OPERATOR = re.compile(r"patients\.importing")
# By these names, as the replacements below reach the stand-ins.
HERE = "__import__('sabotaged')"
METHODS = {"require_safe", "require_POST", "require_http_methods"}
PERMISSION = re.compile(r"(patients|tasks|staffing|audit|auth)\.[a-z_]+")
REFUSALS = {"Refused", "PermissionDenied", "TakenAlready"}
# What an error says of whoever is not let do something, though the form is in order.
FORBIDDEN = {"own_account", "program", "superuser", "powerful_role", "powerful_person"}
# filter(patient=patient) and its like: whose rows these are.
OWNERS = {"patient", "member", "note", "task", "claim", "staff__user"}
OWNER = re.compile(r"(self\.)?patient|note|task|row|claim|request\.user")
# What stands before every view.
SETTINGS = "canvas_admin.settings"
MIDDLEWARE = re.compile(
    r".*\.(LoginRequired|SessionLimits|CsrfView|Axes|Audit)(Middleware)?"
)


@dataclass(frozen=True)
class Guard:
    """A place in the source that keeps somebody out."""

    module: str
    line: int
    column: int
    kind: str
    says: str

    @property
    def name(self) -> str:
        return f"{self.module}:{self.line}:{self.column}:{self.kind}"


def modules() -> Iterator[tuple[str, Path]]:
    """Our modules in which guards are looked for, by dotted name."""
    for room in ROOMS:
        for path in sorted((PROJECT / room).rglob("*.py")):
            parts = path.relative_to(PROJECT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            if not LEFT_OUT & set(parts) and not OPERATOR.match(name):
                yield name, path


def find() -> list[Guard]:
    """Every guard, in the order of modules and lines."""
    found = []
    for module, path in modules():
        finder = Remover(module)
        finder.visit(ast.parse(path.read_text()))
        found += finder.found
    return sorted(set(found), key=lambda guard: (guard.module, guard.line, guard.name))


def without(source: str, module: str, name: str) -> ast.Module:
    """The syntax tree of a module less one guard. Raises LookupError if it is not there."""
    remover = Remover(module, name)
    tree = remover.visit(ast.parse(source))
    if not remover.removed:
        raise LookupError(f"{name} is no guard")
    return ast.fix_missing_locations(tree)


class Remover(ast.NodeTransformer):
    """Notes guards in `found`, and removes the one that is named."""

    def __init__(self, module: str, name: str = "") -> None:
        self.module, self.name = module, name
        self.found: list[Guard] = []
        self.removed = False

    def meets(self, node: Any, kind: str) -> bool:
        """Note a guard; True if it is the one to be removed."""
        says = ast.unparse(node).partition("\n")[0][:100]
        guard = Guard(self.module, node.lineno, node.col_offset, kind, says)
        self.found.append(guard)
        if guard.name != self.name:
            return False
        self.removed = True
        return True

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        remove = CALLS.get(called(node))
        return remove(self, node) if remove else node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        for decorator in list(node.decorator_list):
            bare = decorator.func if isinstance(decorator, ast.Call) else decorator
            if _name(bare) in METHODS and self.meets(decorator, "method"):
                node.decorator_list.remove(decorator)
        # The named permissions of a model's administration, and of the whole of it.
        refuses = ast.unparse(node.body[-1]) != "return True"
        named = re.fullmatch(r"has_(\w+_)?permission", node.name)
        if named and refuses and self.meets(node, "may"):
            node.body = ast.parse("return True").body
            return node
        self.generic_visit(node)
        return node

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        error = node.exc.body if isinstance(node.exc, ast.IfExp) else node.exc
        raised = error.func if isinstance(error, ast.Call) else error
        name = "" if raised is None else _name(raised)
        code = _argument(error, "code") if isinstance(error, ast.Call) else None
        if (name in REFUSALS or code in FORBIDDEN) and self.meets(node, "refusal"):
            return ast.copy_location(ast.Pass(), node)
        self.generic_visit(node)
        return node

    def visit_List(self, node: ast.List) -> ast.AST:
        for element in list(node.elts) if self.module == SETTINGS else ():
            named = str(getattr(element, "value", ""))
            if MIDDLEWARE.fullmatch(named) and self.meets(element, "middleware"):
                node.elts.remove(element)
        self.generic_visit(node)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        target = node.targets[0]
        choices = isinstance(target, ast.Attribute) and target.attr == "queryset"
        limited = not ast.unparse(node.value).endswith(".objects.all()")
        if choices and limited and self.meets(node, "choices"):
            node.value = _call(f"{HERE}.any_choice", node.value)
        return node

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load) or not ASKING.match(self.module):
            return node
        for element in list(node.elts):
            if _is_permission(element) and self.meets(element, "permission"):
                node.elts.remove(element)
        return node


def _name(node: ast.AST) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))


def _argument(call: ast.Call, name: str) -> Any:
    """The constant that a call passes by this name."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    return getattr(given.get(name), "value", None)


def called(node: ast.Call) -> str:
    return _name(node.func)


def _is_permission(node: ast.AST) -> bool:
    """A permission's name, or a constant in capitals of areas.py or groups.py."""
    if isinstance(node, ast.Starred):
        node = node.value
        return isinstance(node, ast.Attribute | ast.Name) and _name(node).isupper()
    if isinstance(node, ast.Constant):
        return bool(PERMISSION.fullmatch(str(node.value)))
    if isinstance(node, ast.JoinedStr):
        return ast.unparse(node).startswith(("f'patients.{", "f'tasks.{"))
    return isinstance(node, ast.Name) and node.id in {
        "FIND",
        "VIEW_PATIENT",
        "ADMINISTER",
        "APPOINTMENT_STATUS",
    }


def _call(text: str, *arguments: ast.AST) -> ast.Call:
    return ast.Call(ast.parse(text, mode="eval").body, list(arguments), [])


def _open_patient(remover: Remover, node: ast.Call) -> ast.AST:
    if len(node.args) > 2 and remover.meets(node, "permissions"):
        node.args = node.args[:2]
    if remover.meets(node, "reach"):
        return _call(f"{HERE}.any_patient", *node.args)
    return node


def _open_task(remover: Remover, node: ast.Call) -> ast.AST:
    """A task is opened for whoever reaches its patient; the reach is in its rows."""
    if len(node.args) > 2 and remover.meets(node, "permissions"):
        node.args = node.args[:2]
    return node


def _stand_in(kind: str, function: str) -> Any:
    """Another function is called with the same arguments."""

    def remove(remover: Remover, node: ast.Call) -> ast.AST:
        if remover.meets(node, kind):
            return _call(f"{HERE}.{function}", *node.args)
        return node

    return remove


def _constant(kind: str, value: Any) -> Any:
    """What a check would say to whoever may."""

    def remove(remover: Remover, node: ast.Call) -> ast.AST:
        return ast.Constant(value) if remover.meets(node, kind) else node

    return remove


def _unnarrowed(remover: Remover, node: ast.Call) -> ast.AST:
    """rows.visible_to(account) becomes rows.all()."""
    if isinstance(node.func, ast.Attribute) and remover.meets(node, "rows"):
        return ast.Call(ast.Attribute(node.func.value, "all", ast.Load()), [], [])
    return node


def _within(remover: Remover, node: ast.Call) -> ast.AST:
    """within(request, rows) becomes rows."""
    if isinstance(node.func, ast.Name) and remover.meets(node, "rows"):
        return node.args[1]
    return node


def _of_patient(whose: str) -> Any:
    """The patient's rows, whoever asks; and whoever's rows, to who reaches the patient."""

    def remove(remover: Remover, node: ast.Call) -> ast.AST:
        if len(node.args) < 2:
            return node
        rows = node.func.value
        if remover.meets(node, "rows"):
            return _call(f"{HERE}.{whose}", rows, node.args[0])
        if remover.meets(node, "of patient"):
            visible = ast.Attribute(rows, "visible_to", ast.Load())
            return ast.Call(visible, node.args[1:], [])
        return node

    return remove


def _filter(remover: Remover, node: ast.Call) -> ast.AST:
    """filter(patient=patient) takes every patient's rows."""
    for keyword in list(node.keywords):
        is_owner = OWNER.fullmatch(ast.unparse(keyword.value))
        if keyword.arg in OWNERS and is_owner:
            if remover.meets(node, f"of {keyword.arg}"):
                node.keywords.remove(keyword)
    if any(keyword.arg == "start_date__lte" for keyword in node.keywords):
        return _in_force(remover, node)
    return node


def _in_force(remover: Remover, node: ast.Call) -> ast.AST:
    """The conditions of a membership that counts, each by itself."""
    for condition in list(node.args):
        if remover.meets(condition, "condition"):
            node.args.remove(condition)
    for keyword in list(node.keywords):
        if keyword.arg and remover.meets(keyword.value, "condition"):
            node.keywords.remove(keyword)
    return node


def _opened(remover: Remover, node: ast.Call) -> ast.AST:
    """access.opened() opens whatever it is asked about."""
    if ast.unparse(node.func) == "access.opened" and remover.meets(node, "opened"):
        return _call(f"{HERE}.any_of", *node.args)
    return node


def _grantable(remover: Remover, node: ast.Call) -> ast.AST:
    """Elsewhere grantable() only says what is shown."""
    if remover.module.startswith("staffing.forms"):
        return _stand_in("choices", "any_group")(remover, node)
    return node


def _self_gain(remover: Remover, node: ast.Call) -> ast.AST:
    if ast.unparse(node.func).startswith("self_gain."):
        return _constant("self gain", None)(remover, node)
    return node


def _everything(remover: Remover, node: ast.Call) -> ast.AST:
    """A path to all patients, for whoever has the path."""
    if node.args and remover.meets(node, "path"):
        node.args = [ast.Constant(True)]
    return node


def _admin_view(remover: Remover, node: ast.Call) -> ast.AST:
    return node.args[0] if remover.meets(node, "administration") else node


CALLS = {
    "open_patient": _open_patient,
    "open_task": _open_task,
    "find_patient": _stand_in("found", "found_patient"),
    "find_patients": _stand_in("found", "found_patients"),
    "open_row": _stand_in("row", "any_row"),
    "still_open": _stand_in("still open", "not_asked_anew"),
    "require": _constant("require", None),
    "has_perms": _constant("has_perms", True),
    "has_perm": _constant("has_perm", True),
    "visible_to": _unnarrowed,
    "accessible_to": _unnarrowed,
    "within": _within,
    "in_chart_of": _of_patient("chart_of"),
    "about": _of_patient("rows_of"),
    "unlinked": _unnarrowed,
    "filter": _filter,
    "in_force": _filter,
    "opened": _opened,
    "reaches": _constant("reaches", True),
    "is_live": _constant("live", True),
    "_all_or_none": _everything,
    "within_ration": _constant("ration", True),
    "grantable": _grantable,
    "check_adding": _self_gain,
    "check_dates": _self_gain,
    "check_deciding": _self_gain,
    "check_lifting": _self_gain,
    "check_switching_on": _self_gain,
    "admin_view": _admin_view,
}
