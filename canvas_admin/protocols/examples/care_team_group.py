"""Who has a member of the care team in a role is in the group (S1, section 2)."""

from canvas_workflow_kit.constants import CHANGE_TYPE
from canvas_workflow_kit.internal.integration_messages import (
    ensure_patient_in_group,
    ensure_patient_not_in_group,
)
from canvas_workflow_kit.protocol import ClinicalQualityMeasure, ProtocolResult


class CareTeamGroup(ClinicalQualityMeasure):
    """Settings: ROLE is a care team role's code, GROUP a patient group's FHIR id."""

    class Meta:
        title = "Care team group"
        version = "2026-01"
        description = "Lets a patient group follow a role of the care team."
        identifiers = ["CareTeamGroup"]
        types = ["Grouping"]
        compute_on_change_types = [CHANGE_TYPE.PATIENT]

    def compute_results(self):
        """The roles of the care team decide."""
        team = self.patient.patient.get("careTeamMemberships", [])
        cared_for = any(one["role"]["code"] == self.settings.ROLE for one in team)
        move = ensure_patient_in_group if cared_for else ensure_patient_not_in_group
        self.set_updates([move(self.patient.patient["key"], self.settings.GROUP)])
        return ProtocolResult()
