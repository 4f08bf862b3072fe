"""What is kept of a run that counts: its row, its result, what it wrote, a line on the trail.

All in the transaction of its effects, and only while the patient's turn is one's own.
"""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from canvas_admin.audit import trail
from canvas_admin.events import turns
from canvas_admin.protocols import runner
from canvas_admin.protocols.models import (
    BrokeredWrite,
    Protocol,
    ProtocolResult,
    ProtocolRun,
    ProtocolVersion,
)
from canvas_admin.protocols.models.runs import Kind, Status
from canvas_admin.protocols.runner import Outcome
from patients import access
from patients.models import Patient

LONGEST_ERROR = 4_000
INSTANCE_NAME, INSTANCE = "INSTANCE_NAME", "clinic"


def spec(protocol: Protocol, version: ProtocolVersion | None = None) -> runner.Protocol:
    """What the runner has to know of a protocol, by its version in use or another one."""
    values = protocol.values()
    instance = values.pop(INSTANCE_NAME, INSTANCE)
    source = (version or protocol.current).source
    hosts = frozenset(protocol.hosts.split())
    return runner.Protocol(source, protocol.application, instance, values, hosts)


@dataclass
class Run:
    """One protocol over one patient, for an event or a recompute: kept once, and held.

    `cause` is the event or the recompute, under the name that ProtocolRun has for it. Nothing
    is kept unless the turn is still one's own.
    """

    protocol: Protocol
    patient: Patient
    turn: turns.Held
    cause: dict[str, Any]
    started: datetime = field(default_factory=timezone.now)

    def __post_init__(self) -> None:
        self.writes = _Writes(self)
        self.begun = time.monotonic()

    @property
    def cause_name(self) -> str:
        """What BrokeredWrite knows the run by."""
        event, recompute = self.cause.get("event"), self.cause.get("recompute")
        if event:
            return f"event:{event.pk}"
        return f"recompute:{recompute.pk}:{self.patient.pk}"

    def hold(self) -> None:
        """Raises turns.Lost where the patient's turn is another's by now."""
        turns.check(self.turn)

    def keep(self, outcome: Outcome) -> None:
        """The run's row, its result, and its line on the trail."""
        row = self._row(outcome)
        if outcome.kind == Kind.COMPUTED:
            self._keep_result(row, outcome.result)
            BrokeredWrite.objects.filter(
                cause=self.cause_name, protocol=self.protocol
            ).delete()
        account = self.protocol.application.staff.user
        within = outcome.kind != Kind.OUT_OF_REACH
        trail.done(
            account,
            "protocol.run",
            access.paths_to(account, [self.patient]) if within else [],
            subject=f"protocol/{self.protocol.key}",
            run=row.key,
            ended=str(outcome.kind),
        )

    def _row(self, outcome: Outcome) -> ProtocolRun:
        values = {
            "version": self.protocol.current,
            "patient": self.patient,
            "kind": outcome.kind,
            "status": outcome.result.get("status", ""),
            "started": self.started,
            "milliseconds": round((time.monotonic() - self.begun) * 1000),
            "done": outcome.done,
            "error": outcome.error[:LONGEST_ERROR],
            "line": outcome.line,
            "traceback": outcome.traceback,
            "log": outcome.log,
        }
        found = {**self.cause, "protocol": self.protocol}
        if self.cause.get("recompute"):
            found["patient"] = values.pop("patient")
        row, _new = ProtocolRun.objects.update_or_create(values, **found)
        return row

    def _keep_result(self, row: ProtocolRun, result: dict[str, Any]) -> None:
        if result["status"] == Status.UNCHANGED:
            return
        ProtocolResult.objects.update_or_create(
            {
                "run": row,
                "status": result["status"],
                "narrative": result["narrative"],
                "recommendations": result["recommendations"],
                "due_in": result["due_in"],
                "next_review": result["next_review"],
                "computed": self.started,
            },
            protocol=self.protocol,
            patient=self.patient,
        )


@dataclass
class _Writes:
    """What a run writes by HTTP: each call once, however often the run is tried."""

    run: Run
    number: int = 0

    def once(
        self, request: list[Any], act: Callable[[], dict], *, apart: bool = False
    ) -> dict:
        """The answer that was given to this call before, or what it is answered now.

        What is done by others is done outside of a transaction, which would hold up all
        writing until they answer.
        """
        self.number += 1
        said = json.dumps([repr(part) for part in request])
        found = {
            "cause": self.run.cause_name,
            "protocol": self.run.protocol,
            "number": self.number,
            "digest": hashlib.sha256(said.encode()).hexdigest(),
        }
        with transaction.atomic():
            self.run.hold()
            known = BrokeredWrite.objects.filter(**found).first()
            if known or not apart:
                return known.answer if known else self._keep(found, act())
        return self._keep(found, act())

    def _keep(self, found: dict[str, Any], answer: dict) -> dict:
        """The answer, which is kept if something was done."""
        if answer.get("status", 500) < 300:  # noqa: PLR2004
            BrokeredWrite.objects.create(**found, answer=answer)
        return answer
