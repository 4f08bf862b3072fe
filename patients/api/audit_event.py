"""FHIR AuditEvent over the audit trail: one for each act, for "Audit read"."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from canvas_admin.audit import trail
from canvas_admin.audit.models import AuditRow
from canvas_admin.fhir.parameters import (
    Coded,
    Instant,
    Of,
    Parameter,
    Reference,
    Token,
)
from canvas_admin.fhir.resources import (
    KEY,
    Json,
    Resource,
    filled,
    instant,
    once,
    reference,
)
from patients import access, areas
from patients.audit_report import AUDIT
from patients.gate import reach
from patients.models import Patient
from staffing.models import Staff

TYPES = "http://dicom.nema.org/resources/ontology/DCM"
ROLES = "http://terminology.hl7.org/CodeSystem/object-role"
Outcome = AuditRow.Outcome
# FHIR's codes: success, and a minor failure.
OUTCOMES = {Outcome.SHOWN: "0", Outcome.DONE: "0", Outcome.REFUSED: "4"}


def _of(*outcomes: str) -> Callable[[], Q]:
    return lambda: Q(outcome__in=outcomes)


class AuditEventResource(Resource):
    """Acts on the trail; read and searched, and never written over the API.

    A patient is named, and referred to within the caller's reach alone (security A11).
    """

    type, public_field = "AuditEvent", "event"
    permissions = {"read": areas.READ_AUDIT, "search": areas.READ_AUDIT}
    sorts = {"date": ("recorded",)}
    usual_order = (("recorded", True), ("pk", True))

    def __init__(self) -> None:
        about = Reference("patient", "Patient", KEY)
        self.parameters: dict[str, Parameter] = {
            "_id": self.by_id(),
            "agent-name": Token("actor_name"),
            "date": Instant("recorded"),
            "outcome": Coded(
                {"0": _of(Outcome.SHOWN, Outcome.DONE), "4": _of(Outcome.REFUSED)}
            ),
            "patient": OfEvent(AuditRow, "event", about),
            "subtype": Token("action"),
        }

    def rows(self, request: Any) -> QuerySet:
        """The first row of each act, which names no patient."""
        return AuditRow.objects.filter(patient="")

    def to_fhir(self, request: Any, rows: Sequence[AuditRow]) -> list[Json]:
        told = self._told(request, rows)
        return [told.event(row) for row in rows]

    def seen(self, request: Any, rows: Sequence[AuditRow]) -> trail.Seen:
        return self._told(request, rows).seen

    def _told(self, request: Any, rows: Sequence[AuditRow]) -> "Told":
        about = (self.type, *(row.event for row in rows))
        return once(request, about, lambda: Told(request, rows))


class OfEvent(Of):
    """A parameter of the other rows of an act."""

    def condition(self, value: str, modifier: str = "") -> Q:
        rows = self.model._base_manager.filter(self.inner.condition(value, modifier))
        return Q(event__in=rows.order_by().values(self.owner))


class Told:
    """What is told of some acts: the patients of each, and who acted, in four queries."""

    def __init__(self, request: Any, rows: Sequence[AuditRow]) -> None:
        events = [row.event for row in rows]
        self.patients: dict[str, list[str]] = defaultdict(list)
        others = AuditRow.objects.filter(event__in=events).exclude(patient="")
        for event, key in others.order_by("pk").values_list("event", "patient"):
            self.patients[event].append(key)
        keys = {key for found in self.patients.values() for key in found}
        self.named = {p.key: p for p in Patient.objects.filter(key__in=keys)}
        paths = access.paths_to(reach(request), list(self.named.values()))
        self.within = {key for key, path in paths if path}
        self.seen = [(key, path or AUDIT) for key, path in paths]
        actors = {row.actor for row in rows if row.actor}
        staff = Staff.objects.filter(user__key__in=actors).select_related("user")
        self.staff = {each.user.key: each for each in staff}

    def event(self, row: AuditRow) -> Json:
        """One act, with those whom it was about."""
        actor = self.staff.get(row.actor)
        who = reference("Practitioner", actor.key, actor.name) if actor else None
        network = {"address": row.address, "type": "2"} if row.address else None
        return filled(
            resourceType="AuditEvent",
            id=row.event,
            type={"system": TYPES, "code": "110100", "display": "Application Activity"},
            subtype=[{"code": row.action}],
            action="R" if row.outcome == Outcome.SHOWN else "E",
            recorded=instant(row.recorded),
            outcome=OUTCOMES[row.outcome],
            agent=[
                filled(who=who, name=row.actor_name, requestor=True, network=network)
            ],
            source={"observer": {"display": "Canvas Admin"}},
            entity=[self._patient(key) for key in self.patients[row.event]],
        )

    def _patient(self, key: str) -> Json:
        """A patient by name; whoever is not there any more, by nothing."""
        patient = self.named.get(key)
        what = {"display": patient.name if patient else "Unknown"}
        if patient and key in self.within:
            what = reference("Patient", key, patient.name)
        return {
            "what": what,
            "role": {"system": ROLES, "code": "1", "display": "Patient"},
        }
