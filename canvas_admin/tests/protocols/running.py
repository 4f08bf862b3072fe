"""Jobs for the sandbox, as the tests make them."""

from typing import Any

PATIENT: dict[str, Any] = {
    "patient": {"key": "5" * 32, "birthDate": "1980-02-03", "firstName": "Ann"},
    "upcomingAppointments": [],
    "upcomingAppointmentNotes": [],
    "protocols": [],
}
MEASURE = """
from canvas_workflow_kit.protocol import ClinicalQualityMeasure, ProtocolResult

class One(ClinicalQualityMeasure):
    class Meta:
        title = 'One'
        version = '1'

    def compute_results(self):
        result = ProtocolResult()
{body}
        return result
"""


def measure(body: str) -> str:
    """The source of a protocol that does this."""
    lines = body.strip("\n").splitlines()
    return MEASURE.format(body="\n".join(f"        {line}" for line in lines))


def job(body: str, **of: Any) -> dict[str, Any]:
    """What to run: a protocol that does this, over a patient of whom little is known."""
    return {
        "kind": "run",
        "source": measure(body),
        "patient": PATIENT,
        "change_types": [],
        "field_changes": {},
        "settings": {},
    } | of
