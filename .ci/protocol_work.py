"""What protocols cost: from a change to what is done about it, by the number of workers.

A burst of changes is waiting when the workers begin: how many events a second are done. Then
changes come at half of that pace: how late what they cause is there. At last everybody is
computed anew. On PostgreSQL all but the last once more where Procrastinate brings the work, by

    PROCRASTINATE=1 python .ci/protocol_work.py
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import cycle
from typing import Any

import django
import postgres
import proof

if __name__ == "__main__":
    sys.path.insert(0, str(proof.PROJECT))
    os.environ["DJANGO_SETTINGS_MODULE"] = "canvas_admin.settings"
    django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Max, Min

from canvas_admin.audit import trail
from canvas_admin.events.models import ChangeEvent
from canvas_admin.protocols import uploading
from canvas_admin.protocols.models import (
    Protocol,
    ProtocolRun,
    ProtocolSetting,
    Recompute,
)
from patients.models import Consent, ConsentCoding, Patient, PatientGroup
from staffing.groups import BY_NAME, managed_group

EXAMPLE = proof.PROJECT / "canvas_admin" / "protocols" / "examples" / "consent_group.py"
RIGHTS = ("Profile read", "Staff Permissions", "All Patients")
WORKERS = (1, 2, 4)
BURST, PACED, EVERYBODY = 500, 200, 10_000
BY = trail.Command("bench")


def measure() -> dict[str, Any]:
    """{workers, and what brings them their work: figures}."""
    found = {str(workers): figures for workers, figures in measured()}
    if connection.vendor == "postgresql":
        command = [sys.executable, __file__]
        brought = json.loads(postgres.output(command, **postgres.CARRIED))
        found |= {f"{n}, by Procrastinate": figures for n, figures in brought}
    return found


def measured() -> Iterator[tuple[int, dict[str, Any]]]:
    """Each number of workers with its figures, as the site is set."""
    group, kind = prepared()
    protocol = Protocol.objects.get()
    patients = list(Patient.objects.listed().order_by("pk")[:BURST])
    ChangeEvent.objects.filter(state="waiting").update(state="done")
    days = iter(range(10**9))
    for count in WORKERS:
        last = newest()
        for patient in patients:
            say(patient, kind, next(days))
        with working(count):
            until_quiet()
            figures = {"events a second": per_second(last)}
            last = newest()
            pause, others = 2 / figures["events a second"], cycle(patients)
            for _ in range(PACED):
                say(next(others), kind, next(days))
                time.sleep(pause)
            until_quiet()
            figures |= delays(last)
            if count == WORKERS[-1] and not settings.PROCRASTINATE:
                figures["patients computed a second"] = everybody(protocol, group)
        yield count, figures


def prepared() -> tuple[PatientGroup, ConsentCoding]:
    """S1's kind of protocol, switched on; whom it is computed over, and by what consent."""
    if kind := ConsentCoding.objects.filter(code="BENCH").first():
        return PatientGroup.objects.get(name="Computed"), kind
    protocol = uploading.upload(EXAMPLE.read_bytes(), BY).protocol
    for name in RIGHTS:
        protocol.application.staff.grant(managed_group(BY_NAME[name].code), by=BY)
    group = PatientGroup.objects.create(name="Consented")
    named = {"CONSENT": "BENCH", "GROUP": str(group.externally_exposable_id)}
    for name, value in named.items():
        row = ProtocolSetting(protocol=protocol, name=name)
        row.value = value
        row.save()
    uploading.switch(protocol, True, BY, compute=False)
    kind = ConsentCoding.objects.create(code="BENCH", display="Bench")
    return scope(), kind


def scope() -> PatientGroup:
    """A group of as many patients as are computed anew, made without its keys."""
    group = PatientGroup.objects.create(name="Computed")
    rows = group.memberships.model
    patients = Patient.objects.listed().order_by("pk")[:EVERYBODY]
    rows.objects.bulk_create(
        rows(patient_group=group, member=patient) for patient in patients
    )
    return group


def say(patient: Patient, kind: ConsentCoding, day: int) -> None:
    """Each time the other answer, on another day."""
    state = "rejected" if day % 2 else "accepted"
    Consent.record(
        patient, kind, state, date(1900, 1, 1) + timedelta(days=day % 60_000)
    )


def newest() -> int:
    return ChangeEvent.objects.aggregate(last=Max("pk"))["last"] or 0


def until_quiet() -> None:
    """Wait until nothing waits."""
    while ChangeEvent.objects.filter(state="waiting").exists():
        time.sleep(0.05)


def per_second(last: int) -> float:
    """From the first run that began to the last one that ended."""
    runs = ProtocolRun.objects.filter(event__gt=last)
    span = runs.aggregate(begin=Min("started"), end=Max("started"))
    return round(runs.count() / (span["end"] - span["begin"]).total_seconds(), 1)


def delays(last: int) -> dict[str, float]:
    """Milliseconds from a change to the end of the run that it caused."""
    runs = ProtocolRun.objects.filter(event__gt=last).select_related("event")
    late = sorted(
        (run.started - run.event.at).total_seconds() * 1000 + run.milliseconds
        for run in runs
    )
    return {
        "p50 delay": round(late[len(late) // 2], 1),
        "p95 delay": round(late[int(len(late) * 0.95)], 1),
    }


def everybody(protocol: Protocol, group: PatientGroup) -> float:
    """How many patients a second a computation over many takes."""
    version = protocol.current or Protocol.objects.get(pk=protocol.pk).current
    wanted = Recompute.objects.create(version=version, patient_group=group)
    started = time.monotonic()
    while not Recompute.objects.filter(pk=wanted.pk, ended__isnull=False).exists():
        time.sleep(0.1)
    return round(wanted.runs.count() / (time.monotonic() - started), 1)


@contextmanager
def working(count: int) -> Iterator[None]:
    """So many workers."""
    command = [sys.executable, "manage.py", "run_protocols"]
    workers = [
        subprocess.Popen(
            command, cwd=proof.PROJECT, env=dict(os.environ), stdout=subprocess.PIPE
        )
        for _ in range(count)
    ]
    try:
        for worker in workers:
            worker.stdout.readline()
        yield
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    print(json.dumps(list(measured())))
