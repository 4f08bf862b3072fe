"""One run of a protocol over one patient, from the patient's data to what it has done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _

from canvas_admin.protocols import effects
from canvas_admin.protocols.broker import Broker
from canvas_admin.protocols.dry import undone_if
from canvas_admin.protocols.patient_data import patient_data
from canvas_admin.protocols.sandbox import Message, Sandbox
from patients import access
from patients.models import Patient
from staffing.models import Application

# facts 7.1
STATUSES = (
    "due",
    "snoozed",
    "not_applicable",
    "pending",
    "satisfied",
    "not_relevant",
    "unchanged",
)
RECOMMENDATIONS, LONGEST_NARRATIVE, LONGEST_TITLE = 100, 20_000, 1_000
# Days: a date further away is none.
FURTHEST = 366 * 200


@dataclass(frozen=True)
class Protocol:
    """A class for the workflow kit as it was uploaded, and as whom it acts.

    `settings` are the administrator's; what the kit's FHIR helpers need of them, but for the
    instance's name, is made anew for each run.
    """

    source: str
    application: Application
    instance: str
    settings: Mapping[str, str] = field(default_factory=dict)


class Kind(StrEnum):
    """How a run ended."""

    COMPUTED = "computed"
    FAILED = "failed"
    OUT_OF_REACH = "out of reach"


@dataclass
class Outcome:
    """What came of a run. Of one that failed nothing is done but what it did by HTTP."""

    kind: Kind
    result: Message = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    error: str = ""
    line: int | None = None
    traceback: str = ""
    log: str = ""
    used: Message = field(default_factory=dict)


def run(
    sandbox: Sandbox,
    protocol: Protocol,
    patient: Patient,
    change_types: Sequence[str] = (),
    field_changes: Mapping[str, Any] | None = None,
    *,
    dry: bool = False,
) -> Outcome:
    """Compute a protocol over a patient, and do what it wants done; if `dry`, not really.

    It sees what its application may see, and does not run over a patient out of its reach
    (DESIGN section 7). Raises sandbox.Died where the run says nothing: try again.
    """
    account = protocol.application.staff.user
    try:
        data = patient_data(account, patient)
    except LookupError:
        return Outcome(Kind.OUT_OF_REACH)
    with Broker(protocol.application, protocol.instance, dry=dry) as broker:
        ran = sandbox.run(
            {
                "kind": "run",
                "source": protocol.source,
                "patient": data,
                "change_types": list(change_types),
                "field_changes": dict(field_changes or {}),
                "settings": {**protocol.settings, **broker.settings},
            },
            broker,
        )
    outcome = Outcome(Kind.FAILED, log=ran.log, used=ran.used)
    if ran.message["kind"] != "result":
        outcome.error = str(ran.message.get("error", ""))
        line, trace = ran.message.get("line"), ran.message.get("traceback", "")
        outcome.line = line if isinstance(line, int) else None
        outcome.traceback = str(trace)
        return outcome
    try:
        result = read_result(ran.message)
        wanted = effects.read(ran.message.get("updates"), patient, account)
    except effects.Wrong as error:
        outcome.error = str(error)
        return outcome
    with undone_if(dry):
        # While it computed the patient may have left the reach.
        if not access.reaches(account, patient):
            outcome.kind = Kind.OUT_OF_REACH
            return outcome
        outcome.done = effects.apply(wanted, account)
    outcome.kind, outcome.result = Kind.COMPUTED, result
    return outcome


def read_result(message: Message) -> Message:
    """What a run computed, each part of the type that it has to be. Raises effects.Wrong."""
    status = message.get("status")
    if status not in STATUSES:
        raise effects.Wrong(_("Its status is none of the kit's."))
    recommendations = message.get("recommendations")
    if not isinstance(recommendations, list) or len(recommendations) > RECOMMENDATIONS:
        words = {"most": RECOMMENDATIONS}
        raise effects.Wrong(_("It recommends more than %(most)d things.") % words)
    return {
        "status": status,
        "narrative": _text(message, "narrative", LONGEST_NARRATIVE),
        "recommendations": [_recommendation(each) for each in recommendations],
        "due_in": _days(message, "due_in"),
        "days_of_notice": _days(message, "days_of_notice"),
        "next_review": _text(message, "next_review", 64),
    }


def _recommendation(said: Any) -> Message:
    if not isinstance(said, dict):
        raise effects.Wrong(_("A recommendation is no object."))
    texts = ("key", "title", "narrative", "button", "href")
    found: Message = {name: _text(said, name, LONGEST_TITLE) for name in texts}
    command = said.get("command")
    return found | {"command": command if isinstance(command, dict) else {}}


def _text(said: Message, name: str, longest: int) -> str:
    text = said.get(name)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise effects.Wrong(_("Its %(name)s is no text.") % {"name": name})
    return text[:longest]


def _days(said: Message, name: str) -> int | None:
    days = said.get(name)
    if days is None:
        return None
    if not isinstance(days, int) or abs(days) > FURTHEST:
        raise effects.Wrong(_("Its %(name)s is no number of days.") % {"name": name})
    return days
