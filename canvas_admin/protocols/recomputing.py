"""A protocol over everybody: cut into slices, which any number of workers take in turn."""

from collections.abc import Iterator

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from canvas_admin.audit import trail
from canvas_admin.events import turns
from canvas_admin.events.tracking import caused_by
from canvas_admin.protocols import runner
from canvas_admin.protocols.delivering import LEASE
from canvas_admin.protocols.keeping import LONGEST_ERROR, Run, spec
from canvas_admin.protocols.models import (
    DryRow,
    Protocol,
    ProtocolRun,
    Recompute,
    RecomputeSlice,
)
from canvas_admin.protocols.models.runs import Kind
from canvas_admin.protocols.sandbox import Sandbox
from patients import access
from patients.models import Patient, PatientGroupMember

SLICE = 50
LOOKED_AT = 20


def recompute_some(sandbox: Sandbox, lease: float = LEASE) -> int:
    """Compute one slice of the oldest recompute that is not over; how many patients.

    A dry run is one, too, of any version, whether its protocol is switched on or off.
    """
    for recompute in _open():
        protocol = _running(recompute)
        if protocol is None:
            _end(recompute, stopped=True)
            continue
        if recompute.patients is None:
            cut(recompute, protocol)
        if part := _take(recompute, lease):
            return _compute(sandbox, recompute, protocol, part, lease)
        if not recompute.slices.filter(done=False).exists():
            _end(recompute)
    return 0


def cut(recompute: Recompute, protocol: Protocol) -> None:
    """Say whom it is about: active patients within the protocol's reach now."""
    reached = _concerned(recompute, protocol).order_by("pk")
    with transaction.atomic():
        held = Recompute.objects.select_for_update().get(pk=recompute.pk)
        if held.patients is None:
            parts = [
                RecomputeSlice(
                    recompute=held,
                    first=keys[0],
                    last=keys[-1],
                    patients=len(keys),
                    until=turns.FREE,
                )
                for keys in _in_parts(reached.values_list("pk", flat=True))
            ]
            RecomputeSlice.objects.bulk_create(parts, batch_size=1_000)
            held.patients = sum(part.patients for part in parts)
            held.save()
        recompute.patients = held.patients


def _concerned(recompute: Recompute, protocol: Protocol) -> QuerySet[Patient]:
    rows = Patient.objects.accessible_to(protocol.application.staff.user).listed()
    if recompute.patient_id:
        return rows.filter(pk=recompute.patient_id)
    if recompute.patient_group_id:
        members = PatientGroupMember.objects.in_force(
            patient_group=recompute.patient_group_id
        )
        return rows.filter(pk__in=members.values("member"))
    return rows


def _running(recompute: Recompute) -> Protocol | None:
    """Its protocol, while that runs by this version, with the rights that it has now."""
    if recompute.dry:
        protocols = Protocol.objects.select_related("application__staff__user")
        return protocols.get(pk=recompute.version.protocol_id)
    return Protocol.objects.running().filter(current=recompute.version).first()


def _open() -> QuerySet[Recompute]:
    going = Recompute.objects.filter(ended__isnull=True)
    return going.select_related("version").order_by("id")


def _in_parts(keys: QuerySet) -> Iterator[list[int]]:
    part: list[int] = []
    for key in keys.iterator():
        part.append(key)
        if len(part) == SLICE:
            yield part
            part = []
    if part:
        yield part


def _take(recompute: Recompute, lease: float) -> RecomputeSlice | None:
    """A slice that nobody is at, for some time. Two who come to have the same one are in
    nobody's way: a patient is computed once."""
    left = recompute.slices.filter(done=False, until__lte=Now()).order_by("id")
    for part in left[:LOOKED_AT]:
        if _hold(part, lease, until__lte=Now()):
            return part
    return None


def _hold(part: RecomputeSlice, lease: float, **where: object) -> int:
    rows = RecomputeSlice.objects.filter(pk=part.pk, done=False, **where)
    return rows.update(until=turns.in_seconds(2 * lease))


def _compute(
    sandbox: Sandbox,
    recompute: Recompute,
    protocol: Protocol,
    part: RecomputeSlice,
    lease: float,
) -> int:
    kept = DryRow if recompute.dry else ProtocolRun
    computed = kept.objects.filter(patient=OuterRef("pk"), recompute=recompute)
    within = _concerned(recompute, protocol).filter(pk__range=(part.first, part.last))
    rows = within.filter(~Exists(computed))
    missed = 0
    for done, patient in enumerate(rows.order_by("pk")):
        if not Recompute.objects.filter(pk=recompute.pk, ended__isnull=True).exists():
            return done
        _hold(part, lease)
        if recompute.dry:
            _tried(sandbox, recompute, protocol, patient)
            continue
        turn, cause = turns.take(patient.pk, lease), {"recompute": recompute}
        run = turn and Run(protocol, patient, turn, cause)
        missed += run is None or not _computed(sandbox, run)
    if not missed:
        RecomputeSlice.objects.filter(pk=part.pk).update(done=True)
    return part.patients - missed


def _computed(sandbox: Sandbox, run: Run) -> bool:
    """Compute a patient; False where the turn is lost, and whoever has it goes first."""
    try:
        with caused_by([run.protocol.key]):
            runner.run(sandbox, spec(run.protocol), run.patient, keeping=run)
    except turns.Lost:
        return False
    finally:
        turns.release(run.turn)
    return True


def _tried(
    sandbox: Sandbox, recompute: Recompute, protocol: Protocol, patient: Patient
) -> None:
    """Keep what would be done about a patient."""
    version = recompute.version
    outcome = runner.run(sandbox, spec(protocol, version), patient, dry=True)
    row = {
        "kind": outcome.kind,
        "status": outcome.result.get("status", ""),
        "said": "\n".join(outcome.done),
        "counted": "\n".join(sorted(outcome.counted)),
        "error": outcome.error[:LONGEST_ERROR],
    }
    account = protocol.application.staff.user
    within = outcome.kind != Kind.OUT_OF_REACH
    with transaction.atomic():
        DryRow.objects.get_or_create(row, recompute=recompute, patient=patient)
        trail.done(
            account,
            "protocol.dry_run",
            access.paths_to(account, [patient]) if within else [],
            subject=f"protocol/{protocol.key}",
            ended=str(outcome.kind),
        )


def _end(recompute: Recompute, *, stopped: bool = False) -> None:
    going = Recompute.objects.filter(pk=recompute.pk, ended__isnull=True)
    going.update(ended=timezone.now(), stopped=stopped)
