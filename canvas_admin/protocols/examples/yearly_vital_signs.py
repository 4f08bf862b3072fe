"""Vital signs are taken once a year; a card in the chart says where that is due."""

import arrow
from canvas_workflow_kit.constants import CHANGE_TYPE
from canvas_workflow_kit.protocol import (
    STATUS_DUE,
    STATUS_SATISFIED,
    STATUS_SNOOZED,
    ClinicalQualityMeasure,
    ProtocolResult,
)


class YearlyVitalSigns(ClinicalQualityMeasure):
    """It needs no setting, and changes nothing."""

    class Meta:
        title = "Yearly vital signs"
        version = "2026-01"
        description = "Says where no vital sign was taken for a year."
        identifiers = ["YearlyVitalSigns"]
        types = ["CQM"]
        compute_on_change_types = [
            CHANGE_TYPE.PROTOCOL_OVERRIDE,
            CHANGE_TYPE.VITAL_SIGN,
        ]

    def compute_results(self):
        """Due a year after the last ones."""
        result = ProtocolResult()
        taken = [arrow.get(row["dateRecorded"]) for row in self.patient.vital_signs]
        due = max(taken).shift(years=1) if taken else self.now
        result.due_in = (due - self.now).days
        if self.snoozed():
            result.status = STATUS_SNOOZED
        elif due > self.now:
            result.status = STATUS_SATISFIED
        else:
            result.status = STATUS_DUE
            result.add_narrative(self.last_time(taken))
            result.add_recommendation(
                key="VITALS", title="Take the vital signs", button="Vital signs"
            )
        return result

    def last_time(self, taken):
        """When that was, for the card."""
        if not taken:
            return "No vital sign is on record."
        return f"Last taken {max(taken).humanize(self.now)}."
