"""Workers that are killed, stopped and many: nothing is lost, and nothing done twice.

Security P42-P46, on real processes. `make proof` counts 200 kills, 100 workers that were
away too long, and 10,000 histories of consents.
"""

import random
import signal
import time
from collections import Counter
from datetime import date, timedelta

import pytest
from django.conf import settings
from django.db import connection

from canvas_admin.events import turns
from canvas_admin.events.models import ChangeEvent, Turn
from canvas_admin.protocols.models import BrokeredWrite, ProtocolResult, ProtocolRun
from canvas_admin.testing import make_patient
from canvas_admin.tests import proof
from canvas_admin.tests.protocols.running import (
    EXAMPLES,
    measure,
    protocol,
    setting,
)
from canvas_admin.tests.protocols.workers import (
    LEASE,
    Worker,
    kill_one,
    wait_until,
    working,
)
from patients.models import Consent, PatientAddress, PatientGroup, PatientGroupMember
from patients.tests.test_consents import coding
from tasks.models import Task

RIGHTS = ("Profile read", "Tasking access", "Staff Permissions", "All Patients")
KILLS = proof.count(4, 200)
AWAY = proof.count(2, 100)
HISTORIES = proof.count(60, 10_000)
MADE_TWICE = """
from canvas_workflow_kit.fhir import FumageHelper
from canvas_workflow_kit.internal.integration_messages import create_task_payload
name = str(self.field_changes["fields"]["effective_date"][1])
key = self.patient.patient["key"]
made = FumageHelper(self.settings).create("Task", {
    "resourceType": "Task", "status": "requested", "intent": "unknown",
    "description": "by HTTP " + name, "for": {"reference": "Patient/" + key},
    "requester": {"reference": "Practitioner/" + self.settings.STAFF},
})
assert made.status_code == 201, made.text
self.set_updates([create_task_payload(
    patient_key=key, title="by message " + name, created_by_key="")])
"""
SLOW = """
import time
before = time.time()
while time.time() < before + 0.4: pass
result.add_narrative(str(len(self.patient.patient["addresses"])))
"""


# Both kinds on PostgreSQL; the large counts there of Procrastinate's.
KINDS = {True: [True] if proof.FULL else [False, True], False: [False]}


@pytest.fixture(params=KINDS[settings.PROCRASTINATE])
def brought(request):
    """Whether Procrastinate brings the workers what is to be done."""
    return request.param


@pytest.fixture
def clinic(transactional_db, cast):
    """The cast, with a group that a consent opens and a protocol that sees to it."""
    cast.east = PatientGroup.objects.create(name="East", use_for_permissions=True)
    source = (EXAMPLES / "consent_group.py").read_text()
    cast.grouping = protocol(
        source, *RIGHTS, name="ConsentGroup", change_types=["consent"]
    )
    setting(cast.grouping, "CONSENT", "A1")
    setting(cast.grouping, "GROUP", str(cast.east.externally_exposable_id))
    cast.kind = coding("A1")
    ChangeEvent.objects.all().delete()
    return cast


def is_quiet():
    """Whether nothing waits any more."""
    return not ChangeEvent.objects.filter(state="waiting").exists()


def part(name, brought):
    """What the record calls it."""
    return f"{name}, brought" if brought else name


def members(group):
    """Who is in a group, as primary keys, and that nobody is twice."""
    rows = list(group.memberships.in_force().values_list("member", flat=True))
    assert len(rows) == len(set(rows))
    return set(rows)


def say(patient, kind, state, day):
    """Record an answer on a day of its own, so that each change has a name."""
    Consent.record(patient, kind, state, date(2000, 1, 1) + timedelta(days=day))


@pytest.mark.proof
def test_who_is_killed_loses_nothing_and_does_nothing_twice(clinic, brought):
    chance, timer = random.Random(proof.seed()), proof.watch()
    twice = protocol(measure(MADE_TWICE), *RIGHTS, change_types=["consent"])
    setting(twice, "STAFF", clinic.nora.key)
    patients = [make_patient("P", f"Killed{n}", date(1980, 1, 1)) for n in range(20)]
    ChangeEvent.objects.all().delete()
    said, wanted = {}, 0
    with working(2, brought=brought) as workers:
        for _kill in range(KILLS):
            end = time.monotonic() + chance.uniform(0.05, 0.6)
            while time.monotonic() < end:
                patient, wanted = chance.choice(patients), wanted + 1
                said[patient.pk] = chance.choice(("accepted", "rejected"))
                say(patient, clinic.kind, said[patient.pk], wanted)
                time.sleep(0.03)
            kill_one(workers, chance)
        quiet = wait_until(is_quiet, 120 + wanted / 5)
    wrong = []
    consents = ChangeEvent.objects.filter(change_type="consent")
    if not quiet or consents.count() != wanted:
        wrong.append(f"{consents.count()} events of {wanted}, quiet: {quiet}")
    if parked := list(ChangeEvent.objects.filter(state="parked").values_list("error")):
        wrong.append(f"parked: {parked[:5]}")
    titles = Counter(Task.objects.values_list("title", flat=True))
    for number in range(1, wanted + 1):
        day = date(2000, 1, 1) + timedelta(days=number)
        for how in ("by HTTP", "by message"):
            if (times := titles[f"{how} {day}"]) != 1:
                wrong.append(f"{how} {day}: {times}")
    inside = {pk for pk, state in said.items() if state == "accepted"}
    if members(clinic.east) != inside:
        wrong.append(f"members {members(clinic.east) ^ inside}")
    if BrokeredWrite.objects.exists():
        wrong.append("writes are left")
    proof.record(
        "workers",
        connection.vendor,
        proof.seed(),
        KILLS,
        len(wrong),
        timer(),
        part=part("kills", brought),
        events=wanted,
        written_by_http=wanted,
    )
    assert wrong == []


@pytest.mark.proof
def test_who_was_away_too_long_overwrites_nothing(clinic, brought):
    timer, wrong = proof.watch(), []
    protocol(measure(SLOW), *RIGHTS, name="Slow", change_types=["patient"])
    ChangeEvent.objects.all().delete()
    with working(1, brought=brought) as workers:
        for number in range(1, AWAY + 1):
            stopped = workers[0]
            PatientAddress.objects.create(patient=clinic.ada, city="Salem")
            event = ChangeEvent.objects.latest("id")
            held = Turn.objects.filter(patient=clinic.ada.pk).exclude(until=turns.FREE)
            assert wait_until(held.exists, 20)
            time.sleep(0.2)
            stopped.signal(signal.SIGSTOP)
            PatientAddress.objects.create(patient=clinic.ada, city="Lynn")
            workers.append(Worker(brought=brought))
            done = wait_until(is_quiet, 30)
            stopped.signal(signal.SIGCONT)
            time.sleep(0.5)
            told = ProtocolResult.objects.get(patient=clinic.ada).narrative
            runs = ProtocolRun.objects.filter(event=event).count()
            if not done or told != str(2 * number) or runs != 1:
                wrong.append(f"{number}: {done}, {told} addresses, {runs} runs")
            stopped.end()
            del workers[0]
    proof.record(
        "workers",
        connection.vendor,
        proof.seed(),
        AWAY,
        len(wrong),
        timer(),
        part=part("away", brought),
        lease_seconds=LEASE,
    )
    assert wrong == []


@pytest.mark.proof
def test_histories_of_consents_end_as_a_plain_function_says(clinic, brought):
    """With four workers the group holds whoever did not reject at last (security P46)."""
    chance, timer = random.Random(proof.seed()), proof.watch()
    patients = [
        make_patient("P", f"History{n}", date(1980, 1, 1)) for n in range(HISTORIES)
    ]
    ChangeEvent.objects.all().delete()
    last, events = {}, 0
    with working(4, brought=brought):
        left = [p for p in patients for _ in range(chance.randint(0, 4))]
        chance.shuffle(left)
        for patient in left:
            state, events = chance.choice(("accepted", "rejected")), events + 1
            if last.get(patient.pk) and chance.random() < 0.2:  # noqa: PLR2004
                consent = Consent.objects.get(patient=patient)
                consent.entered_in_error = not consent.entered_in_error
                consent.save()
            else:
                say(patient, clinic.kind, state, events % 10_000)
                last[patient.pk] = state
        quiet = wait_until(is_quiet, 60 + events / 5)
    wrong = []
    answers = Consent.objects.filter(entered_in_error=False)
    rejected = set(answers.filter(state="rejected").values_list("patient", flat=True))
    should = {pk for pk in last if pk not in rejected}
    if not quiet or (found := members(clinic.east)) != should:
        wrong.append(f"quiet: {quiet}, {sorted(found ^ should)[:10]}")
    if parked := list(ChangeEvent.objects.filter(state="parked").values_list("error")):
        wrong.append(f"parked: {parked[:5]}")
    history = PatientGroupMember.objects.filter(patient_group=clinic.east).count()
    proof.record(
        "workers",
        connection.vendor,
        proof.seed(),
        HISTORIES,
        len(wrong),
        timer(),
        part=part("histories", brought),
        events=events,
        memberships=history,
        workers=4,
    )
    assert wrong == []
