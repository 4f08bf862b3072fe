"""What the workflow kit ships, and S1's two protocols, over a patient of ours."""

from pathlib import Path

import canvas_workflow_kit
import pytest

from canvas_admin.protocols.patient_data import patient_data
from canvas_admin.protocols.sandbox import Sandbox
from canvas_admin.testing import make_staff
from canvas_admin.tests.protocols.test_patient_data import TWELVE, fill

SHIPPED = Path(canvas_workflow_kit.__file__).parent / "builtin_cqms"
# As uploaded files these cannot be: no measure, no module of their own to import from.
NOT_ALONE = {
    "__init__": "No clinical quality measures found",
    "cms123v6_diabetes_foot_exam": "attempted relative import",
    "cms131v6_diabetes_eye_exam": "attempted relative import",
    "cms134v6_diabetes_medical_attention_for_nephropathy": "attempted relative import",
    "diabetes_quality_measure": "must be overridden",
    "helper_population": "No clinical quality measures found",
}
FILES = sorted(SHIPPED.glob("*.py"))


@pytest.mark.furnished
def test_all_that_the_kit_ships_computes_over_a_patient_of_ours(cast):
    fill(cast)
    account = make_staff("all", *TWELVE, "Patients: North").user
    job = {
        "kind": "run",
        "patient": patient_data(account, cast.ada),
        "change_types": [],
        "field_changes": {},
        "settings": {},
    }
    wrong, computed = [], 0
    with Sandbox() as sandbox:
        for file in FILES:
            said = sandbox.run(job | {"source": file.read_text()}).message
            expected = NOT_ALONE.get(file.stem)
            computed += said["kind"] == "result"
            if expected is None and said["kind"] != "result":
                wrong.append(f"{file.stem}: {said['error']} (line {said['line']})")
            if expected and expected not in said.get("error", ""):
                wrong.append(f"{file.stem}: {said}")
    assert wrong == []
    assert computed == len(FILES) - len(NOT_ALONE) == 23
