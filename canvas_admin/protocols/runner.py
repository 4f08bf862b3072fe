"""One run of a protocol over one patient, from the patient's data to what it has done."""

import logging
import traceback
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import Error
from django.utils.translation import gettext as _

from canvas_admin.events.turns import Lost
from canvas_admin.protocols import effects
from canvas_admin.protocols.abroad import Abroad
from canvas_admin.protocols.broker import Broker, Writes
from canvas_admin.protocols.dry import undone_if
from canvas_admin.protocols.models.runs import Kind, Status
from canvas_admin.protocols.patient_data import OutOfReach, patient_data
from canvas_admin.protocols.sandbox import Died, Message, Sandbox
from patients import access
from patients.models import Patient
from staffing.models import Application, User

logger = logging.getLogger("canvas_admin.protocols")

RECOMMENDATIONS, LONGEST_NARRATIVE, LONGEST_TITLE = 100, 20_000, 1_000
# What says nothing about the protocol, and may be over the next time.
TROUBLE = (Died, Error, OSError)
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
    # Other hosts than the clinic's own that it may ask.
    hosts: frozenset[str] = frozenset()


def log_trouble(error: BaseException) -> None:
    """Which kind it is: what a database says of a row may have values of the row."""
    logger.error("protocols cannot go on at the moment: %s", type(error).__name__)


class Failed(Exception):
    """The protocol's own error, and where in its text it came up, as far as that is known."""

    def __init__(self, error: str, line: int | None, traceback: str) -> None:
        super().__init__(error)
        self.line, self.traceback = line, traceback


@dataclass
class Outcome:
    """What came of a run. Of one that failed nothing is done but what it did by HTTP."""

    kind: Kind
    result: Message = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    # The same in words that name nobody, to be counted over many patients.
    counted: list[str] = field(default_factory=list)
    error: str = ""
    line: int | None = None
    traceback: str = ""
    log: str = ""
    used: Message = field(default_factory=dict)


class Keeping(typing.Protocol):
    """Who keeps how a run ended, and holds the patient's turn meanwhile."""

    writes: Writes

    def hold(self) -> None:
        """Called where the transaction of the effects begins; whatever it raises ends it."""

    def keep(self, outcome: Outcome) -> None:
        """Called at the end of the same transaction."""


def run(
    sandbox: Sandbox,
    protocol: Protocol,
    patient: Patient,
    change_types: Sequence[str] = (),
    field_changes: Mapping[str, Any] | None = None,
    *,
    dry: bool = False,
    keeping: Keeping | None = None,
) -> Outcome:
    """Compute a protocol over a patient, and do what it wants done; if `dry`, not really.

    It sees what its application may see, and does not run over a patient out of its reach
    (DESIGN section 7). A failure of ours ends the run as the protocol's own does, so that
    others go on. Raises one of TROUBLE where the run says nothing: try again.
    """
    try:
        return _run(
            sandbox, protocol, patient, change_types, field_changes, dry, keeping
        )
    except (Lost, *TROUBLE):
        raise
    except Exception as error:  # noqa: BLE001
        outcome = Outcome(Kind.FAILED, error=f"{type(error).__name__}: {error}")
        outcome.traceback = traceback.format_exc()
        return _ended(outcome, dry, keeping)


def _run(
    sandbox: Sandbox,
    protocol: Protocol,
    patient: Patient,
    change_types: Sequence[str],
    field_changes: Mapping[str, Any] | None,
    dry: bool,
    keeping: Keeping | None,
) -> Outcome:
    account = protocol.application.staff.user
    try:
        data = patient_data(account, patient)
    except OutOfReach:
        return _ended(Outcome(Kind.OUT_OF_REACH), dry, keeping)
    writes = keeping.writes if keeping else None
    abroad = Abroad(protocol.hosts, account, patient, dry, writes)
    of_run = (protocol.application, protocol.instance, dry, writes, abroad)
    with Broker(*of_run) as broker:
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
    outcome = Outcome(Kind.COMPUTED, log=ran.log, used=ran.used)
    try:
        outcome.result = _result(ran.message)
        wanted = effects.read(ran.message.get("updates"), patient, account)
        return _ended(outcome, dry, keeping, wanted, patient, account)
    except Failed as error:
        outcome.error, outcome.line = str(error), error.line
        outcome.traceback = error.traceback
    except effects.Wrong as error:
        outcome.error = str(error)
    except ValidationError as error:
        outcome.error = " ".join(error.messages)
    outcome.kind, outcome.result = Kind.FAILED, {}
    outcome.done, outcome.counted = [], []
    return _ended(outcome, dry, keeping)


def _ended(
    outcome: Outcome,
    dry: bool,
    keeping: Keeping | None,
    wanted: Sequence[effects.Effect] = (),
    patient: Patient | None = None,
    account: User | None = None,
) -> Outcome:
    """Do what is wanted and keep how it ended, in one transaction."""
    with undone_if(dry):
        if keeping:
            keeping.hold()
        # While it computed the patient may have left the reach.
        if patient is not None and not access.reaches(account, patient):
            outcome.kind, outcome.result = Kind.OUT_OF_REACH, {}
        else:
            done = effects.apply(wanted, account)
            outcome.done = [each.words for each in done]
            outcome.counted = [each.plain for each in done]
        if keeping:
            keeping.keep(outcome)
    return outcome


def _result(message: Message) -> Message:
    """What a run answered, if that is a result. Raises Failed, or effects.Wrong."""
    if message["kind"] == "result":
        return read_result(message)
    line, trace = message.get("line"), message.get("traceback", "")
    raise Failed(
        str(message.get("error", "")),
        line if isinstance(line, int) else None,
        str(trace),
    )


def read_result(message: Message) -> Message:
    """What a run computed, each part of the type that it has to be. Raises effects.Wrong."""
    status = message.get("status")
    if status not in Status.values:
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
