"""The script that removes guards: it finds them, and removes just the one."""

import ast
import importlib.util
import sys
from pathlib import Path

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
    "10:16:still open": ".not_asked_anew(request, patient)",
}


@pytest.fixture(scope="module")
def sabotage():
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("sabotage", FOLDER / "sabotage.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["sabotage"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["sabotage"]


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
