"""What has changed, as the workflow kit is told (facts 7.3), to who may read it."""

from typing import Any

from canvas_admin.events.models import ChangeEvent
from canvas_admin.protocols.patient_data.shapes import Json
from patients import areas
from patients.models import PatientIdentifier

# What opens the rows of a change type. All others are parts of the chart.
OPENED_BY = {
    "patient": areas.OPEN_PROFILE,
    "consent": areas.OPEN_PROFILE,
    "coverage": areas.OPEN_PROFILE,
    "appointment": areas.FIND_PATIENTS,
    "billing_line_item": areas.SEE_CLAIMS,
    "task": areas.SEE_TASKS,
}


def field_changes(account: Any, event: ChangeEvent) -> Json:
    """The change; its fields, old and new, only where the account may read such rows.

    The reason of a visit is clinical, and of a social security number no more is told than
    the pages show.
    """
    told = event.field_changes
    fields = dict(told["fields"])
    opened_by = OPENED_BY.get(event.change_type, areas.OPEN_CHART)
    if not account.has_perms(opened_by):
        fields = {}
    if event.change_type == "appointment" and not account.has_perms(areas.OPEN_CHART):
        fields.pop("reason", None)
    if event.model_name == "patientidentifier" and "value" in fields:
        fields["value"] = _shown(event.record, fields["value"])
    return told | {"fields": fields}


def _shown(record: int, values: list[Any]) -> list[Any]:
    """Old and new of a number, as the pages show it; which number it is never changes."""
    row = PatientIdentifier.objects.filter(pk=record).first()
    kind = {"type_code": row.type_code, "system": row.system} if row else {}
    return [
        value and PatientIdentifier(**kind, value=value).shown_value if row else None
        for value in values
    ]
