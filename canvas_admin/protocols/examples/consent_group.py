"""Everybody is in the group but those who said no to a consent."""

from canvas_workflow_kit.constants import CHANGE_TYPE
from canvas_workflow_kit.internal.integration_messages import (
    ensure_patient_in_group,
    ensure_patient_not_in_group,
)
from canvas_workflow_kit.protocol import ClinicalQualityMeasure, ProtocolResult


class ConsentGroup(ClinicalQualityMeasure):
    """Settings: CONSENT is a consent's code, GROUP a patient group's FHIR id."""

    class Meta:
        title = "Consent group"
        version = "2026-01"
        description = "Keeps who rejected a consent out of a patient group."
        identifiers = ["ConsentGroup"]
        types = ["Grouping"]
        compute_on_change_types = [CHANGE_TYPE.CONSENT]

    def compute_results(self):
        """Put the patient into the group, or take the patient out."""
        answers = self.patient.consents.filter(category__code=self.settings.CONSENT)
        rejected = any(answer["state"] == "rejected" for answer in answers)
        move = ensure_patient_not_in_group if rejected else ensure_patient_in_group
        self.set_updates([move(self.patient.patient["key"], self.settings.GROUP)])
        return ProtocolResult()
