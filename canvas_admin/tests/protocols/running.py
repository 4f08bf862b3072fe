"""Jobs for the sandbox, as the tests make them."""

from pathlib import Path
from typing import Any

from django.conf import settings

from canvas_admin.protocols.delivering import deliver_some
from canvas_admin.protocols.models import Protocol, ProtocolSetting, ProtocolVersion
from canvas_admin.protocols.sandbox import Sandbox
from canvas_admin.testing import make_application

EXAMPLES = Path(settings.BASE_DIR) / "canvas_admin" / "protocols" / "examples"
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


def protocol(source: str, *groups: str, name: str = "One", **version: Any) -> Protocol:
    """An active protocol of this source, which acts with these auth groups."""
    made = Protocol(name=name, application=make_application(name, *groups), active=True)
    made.save()
    given = {"number": "1", "source": source} | version
    made.current = ProtocolVersion.objects.create(protocol=made, **given)
    made.save()
    return made


def setting(of: Protocol, name: str, value: str) -> None:
    """Give a protocol a setting."""
    row = ProtocolSetting(protocol=of, name=name)
    row.value = value
    row.save()


def deliver_all(sandbox: Sandbox) -> int:
    """Act on all that waits; how many events that were."""
    total = 0
    while done := deliver_some(sandbox):
        total += done
    return total
