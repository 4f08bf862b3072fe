"""What the workflow kit ships, over patients of ours."""

import random
from pathlib import Path

import canvas_workflow_kit
import pytest
from django.conf import settings
from django.db import connection

from canvas_admin.fhir.bundles import Bundle
from canvas_admin.protocols.patient_data import patient_data
from canvas_admin.protocols.sandbox import Sandbox
from canvas_admin.testing import make_staff
from canvas_admin.tests import proof
from canvas_admin.tests.protocols.test_patient_data import TWELVE, fill
from patients.importing.bundle import carry_out, plan
from patients.models import Patient

DEMO = Path(settings.BASE_DIR) / "canvas_admin" / "demo"
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


class Shipped:
    """Every file that the kit ships, run over patients: what did not go as expected."""

    def __init__(self, sandbox):
        self.sandbox, self.wrong = sandbox, []
        self.loaded, self.computed, self.runs = set(), 0, 0

    def over(self, account, patient):
        """Run all of them over a patient."""
        data = patient_data(account, patient)
        for file in FILES:
            said = self.sandbox.run(
                {
                    "kind": "run",
                    "source": file.read_text(),
                    "patient": data,
                    "change_types": [],
                    "field_changes": {},
                    "settings": {},
                }
            ).message
            self.runs += 1
            self.note(file, said)

    def note(self, file, said):
        expected = NOT_ALONE.get(file.stem)
        if said["kind"] == "result":
            self.computed += 1
            self.loaded.add(file.stem)
        if expected is None and said["kind"] != "result":
            self.wrong.append(f"{file.stem}: {said['error']} (line {said['line']})")
        if expected and expected not in said.get("error", ""):
            self.wrong.append(f"{file.stem}: {said}")


@pytest.mark.furnished
def test_all_that_the_kit_ships_computes_over_a_patient_of_ours(cast):
    fill(cast)
    account = make_staff("all", *TWELVE, "Patients: North").user
    with Sandbox() as sandbox:
        shipped = Shipped(sandbox)
        shipped.over(account, cast.ada)
    assert shipped.wrong == []
    assert shipped.computed == len(FILES) - len(NOT_ALONE) == 23


@pytest.mark.proof
def test_all_that_the_kit_ships_computes_over_the_demos_patients(cast):
    """`make proof` imports all of them; what cannot be a file by itself says why not."""
    account = make_staff("all", *TWELVE, "All Patients").user
    timer = proof.watch()
    every = sorted(DEMO.glob("*.json"))
    chance = random.Random(proof.seed())
    bundles = chance.sample(every, proof.count(2, len(every)))
    with Sandbox() as sandbox:
        shipped = Shipped(sandbox)
        for file in bundles:
            carry_out(plan(Bundle.parse(file.read_bytes())), [])
            shipped.over(account, Patient.objects.latest("pk"))
    proof.record(
        "shipped",
        connection.vendor,
        proof.seed(),
        shipped.runs,
        len(shipped.wrong),
        timer(),
        patients=len(bundles),
        files=len(FILES),
        computing=len(shipped.loaded),
        computed=shipped.computed,
        not_by_themselves=NOT_ALONE,
    )
    assert shipped.wrong == []
    assert shipped.computed == len(bundles) * (len(FILES) - len(NOT_ALONE))
