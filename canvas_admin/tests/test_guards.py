"""The script that removes guards: it finds them, and removes just the one."""

import ast
import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

FOLDER = Path(__file__).parents[2] / ".ci"
SOURCE = """
@require_safe
def documents(request, key):
    patient = gate.open_patient(request, key, *areas.OPEN_DOCUMENTS)
    rows = Document.objects.visible_to(gate.reach(request)).filter(patient=patient)
    row = gate.open_row(rows, key, patient)
    if not request.user.has_perms(areas.WRITE):
        raise gate.Refused(key)
    gate.require(request, *areas.FIND)
    if not trail.within_ration(request, "see-all", 30, "patient.reveal"):
        self.fields["team"].queryset = teams.filter(active=True)
    paths = access.opened(gate.reach(request), [patient.pk])
    self_gain.check_adding(request.user, group, [patient])
    lines = Line.objects.unlinked().filter(note=note)
    found = find_patient(request, key)
    return row, gate.still_open(request, patient)
"""
WITHOUT = {
    "2:1:method": "def documents(request, key):\n    patient = gate.open_patient(",
    "4:14:permissions": "patient = gate.open_patient(request, key)",
    "4:14:reach": ".any_patient(request, key, *areas.OPEN_DOCUMENTS)",
    "5:11:rows": "Document.objects.all().filter(patient=patient)",
    "5:11:of patient": "Document.objects.visible_to(gate.reach(request)).filter()",
    "6:10:row": ".any_row(rows, key, patient)",
    "7:11:has_perms": "if not True:",
    "8:8:refusal": "areas.WRITE):\n        pass",
    "9:4:require": "\n    None\n",
    "10:11:ration": "if not True:",
    "11:8:choices": ".any_choice(teams.filter(active=True))",
    "12:12:opened": ".any_of(gate.reach(request), [patient.pk])",
    "13:4:self gain": "\n    None\n    lines =",
    "14:12:rows": "lines = Line.objects.all().filter(note=note)",
    "14:12:of note": "lines = Line.objects.unlinked().filter()",
    "15:12:found": ".found_patient(request, key)",
    "16:16:still open": ".not_asked_anew(request, patient)",
}


@pytest.fixture(scope="module")
def scripts():
    """The scripts, imported afresh: this test may itself run under them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        for name in ("sabotage", "marking", "unguarded"):
            patch.setitem(sys.modules, name, None)
            del sys.modules[name]
        yield importlib.import_module


@pytest.fixture(scope="module")
def sabotage(scripts):
    return scripts("sabotage")


@pytest.fixture
def marking(scripts, monkeypatch):
    """What marks guards, while a test called "this" runs."""
    module = scripts("marking")
    monkeypatch.setattr(module, "running", "this")
    return module


def test_each_kind_of_guard_is_found(sabotage):
    finder = sabotage.Remover("patients.views.sample")
    finder.visit(ast.parse(SOURCE))
    names = {guard.name.partition(":")[2] for guard in finder.found}
    assert names == WITHOUT.keys()


@pytest.mark.parametrize("guard", WITHOUT)
def test_the_guard_that_is_named_is_removed(sabotage, guard):
    module = "patients.views.sample"
    tree = sabotage.without(SOURCE, module, f"{module}:{guard}")
    lines = f"{ast.unparse(tree)}\n"
    assert WITHOUT[guard] in lines
    # Nothing else is: every other line is as it was.
    assert (
        len(set(ast.unparse(ast.parse(SOURCE)).splitlines()) - {*lines.splitlines()})
        == 1
    )


def test_every_guard_of_the_application_can_be_removed(sabotage):
    sources = dict(sabotage.modules())
    guards = sabotage.find()
    assert len(guards) > 200
    for guard in guards:
        tree = sabotage.without(
            sources[guard.module].read_text(), guard.module, guard.name
        )
        compile(tree, guard.module, "exec")


def test_what_is_no_guard_is_said(sabotage):
    with pytest.raises(LookupError, match="is no guard"):
        sabotage.without(SOURCE, "patients.views.sample", "patients:1:1:row")


MARKED = """
def ask(account, rows, patient):
    if not account.has_perms(()):
        raise Refused
    return rows.filter(patient=patient)

@require_POST
def write(request):
    gate.require(request)
"""


class Account:
    """May nothing."""

    def has_perms(self, _permissions):
        return False


def test_each_guard_notes_who_asked_it_and_whether_it_refused(marking):
    found = {"require_POST": lambda view: view, "Refused": PermissionError}
    found["gate"] = SimpleNamespace(require=lambda request: None)
    tree = marking.marked(MARKED, "patients.views.sample")
    exec(compile(tree, "sample", "exec"), found)  # noqa: S102
    with pytest.raises(PermissionError):
        found["ask"](Account(), None, None)
    found["write"](None)
    assert {name.partition(":")[2]: tests for name, tests in marking.met.items()} == {
        "3:11:has_perms": {"this": True},
        "4:8:refusal": {"this": True},
        "7:1:method": {"this": False},
        "9:4:require": {"this": False},
    }


@pytest.mark.parametrize(
    ("file", "error", "noticed"),
    [
        ("tests/test_gate.py", "assert 200 == 403", True),
        ("patients/access.py", "AttributeError: 'NoneType' has no 'pk'", True),
        ("patients/gate.py", "AttributeError: 'NoneType' has no 'pk'", False),
        ("patients/gate.py", "TypeError: 'bool' is not iterable", False),
        ("patients/access.py", "NameError: name 'rows' is not defined", False),
        ("query.py", "django.core.exceptions.FieldError: Cannot resolve", False),
    ],
)
def test_a_module_that_is_broken_is_no_guard_noticed(scripts, file, error, noticed):
    red = scripts("unguarded").FirstRed(["patients.gate"])
    red.session = SimpleNamespace(shouldfail="")
    crash = SimpleNamespace(path=str(FOLDER.parent / file), message=error)
    longrepr = SimpleNamespace(reprcrash=crash)
    red.pytest_runtest_logreport(
        SimpleNamespace(failed=True, nodeid="this", longrepr=longrepr)
    )
    assert (red.test, bool(red.broken)) == ("this" if noticed else "", not noticed)
    assert bool(red.session.shouldfail) == noticed
