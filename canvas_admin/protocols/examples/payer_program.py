"""Whoever has a number of a payer's program is in the program's group (S1, section 2)."""

from canvas_workflow_kit.constants import CHANGE_TYPE
from canvas_workflow_kit.internal.integration_messages import (
    ensure_patient_in_group,
    ensure_patient_not_in_group,
)
from canvas_workflow_kit.protocol import (
    STATUS_NOT_APPLICABLE,
    STATUS_SATISFIED,
    ClinicalQualityMeasure,
    ProtocolResult,
)


class PayerProgram(ClinicalQualityMeasure):
    """Settings: SYSTEM is the program's identifier system, GROUP a group's FHIR id."""

    class Meta:
        title = "Payer program"
        version = "2026-01"
        description = "Keeps a patient group to those with a number of the program."
        identifiers = ["PayerProgram"]
        types = ["Grouping"]
        compute_on_change_types = [CHANGE_TYPE.PATIENT]

    def compute_results(self):
        """The patient's numbers decide."""
        numbers = self.patient.patient.get("externalIdentifiers", [])
        enrolled = any(each["system"] == self.settings.SYSTEM for each in numbers)
        move = ensure_patient_in_group if enrolled else ensure_patient_not_in_group
        self.set_updates([move(self.patient.patient["key"], self.settings.GROUP)])
        result = ProtocolResult()
        result.status = STATUS_SATISFIED if enrolled else STATUS_NOT_APPLICABLE
        if enrolled:
            result.add_narrative("The patient has a number of the program.")
        return result
