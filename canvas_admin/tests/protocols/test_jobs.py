"""Procrastinate brings to workers what the outbox holds (DESIGN section 7, Engine)."""

import pytest
from django.contrib import admin
from django.db import connection, transaction
from django.db.models import F
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker

from canvas_admin.events import turns
from canvas_admin.events.models import ChangeEvent
from canvas_admin.protocols import jobs
from canvas_admin.protocols.delivering import retry
from canvas_admin.protocols.models import ProtocolResult, ProtocolRun, RecomputeSlice
from canvas_admin.protocols.uploading import recompute
from canvas_admin.testing import make_patient
from canvas_admin.tests.protocols.running import measure, protocol
from canvas_admin.tests.protocols.workers import Worker, wait_until, working
from patients.models import PatientAddress

READS = ("Profile read", "All Patients")


@pytest.fixture
def quiet(transactional_db, cast):
    """Nothing waits, and nothing is to be brought."""
    forget()
    return cast


def forget():
    ChangeEvent.objects.all().delete()
    ProcrastinateJob.objects.all()._raw_delete("default")


def change(patient, city="Salem"):
    """A change of a patient's record, and its event."""
    PatientAddress.objects.create(patient=patient, city=city)
    return ChangeEvent.objects.latest("id")


def brought():
    """(lock, event) of the jobs that are not over, in their order."""
    rows = ProcrastinateJob.objects.filter(status__in=jobs.UNFINISHED).order_by("id")
    return [(job.lock, job.args.get("event")) for job in rows]


def work():
    """Do what is brought, and no more."""
    worker = Worker("--once", brought=True)
    assert worker.process.wait(timeout=60) == 0
    worker.end()


def test_a_change_and_its_job_are_of_one_transaction(quiet):
    with transaction.atomic():
        change(quiet.ada)
        assert len(brought()) == 1
        transaction.set_rollback(True)
    assert brought() == []
    first, second, other = change(quiet.ada), change(quiet.ada), change(quiet.ben)
    ada, ben = (f"patient {patient.pk}" for patient in (quiet.ada, quiet.ben))
    assert brought() == [(ada, first.pk), (ada, second.pk), (ben, other.pk)]


def test_many_changes_are_one_more_query(quiet, django_assert_num_queries):
    def rows(count):
        return [PatientAddress(patient=quiet.ada, city=str(n)) for n in range(count)]

    for count in (2, 20):
        with django_assert_num_queries(5):
            PatientAddress.objects.bulk_create(rows(count))
    assert len(brought()) == 22


def test_what_is_brought_is_done_and_the_job_gone(quiet):
    protocol(measure("result.status = 'due'"), *READS)
    change(quiet.ada)
    change(quiet.ben)
    work()
    assert set(ChangeEvent.objects.values_list("state", flat=True)) == {"done"}
    assert ProtocolResult.objects.count() == ProtocolRun.objects.count() == 2
    assert brought() == []
    assert not ProcrastinateWorker.objects.exists()


def test_a_patient_whose_turn_is_anothers_is_come_back_to(quiet):
    protocol(measure("pass"), *READS)
    event = change(quiet.ada)
    turn = turns.take(quiet.ada.pk, 60)
    work()
    event.refresh_from_db()
    assert (event.state, event.attempts) == ("waiting", 0)
    job = ProcrastinateJob.objects.get()
    assert (job.status, job.attempts) == ("todo", 1)
    turns.release(turn)
    with working(1, brought=True):
        assert wait_until(lambda: not brought(), 20)
    event.refresh_from_db()
    assert event.state == "done"


def test_a_worker_whose_connections_were_cut_goes_on(quiet):
    """As it is where PostgreSQL was started anew."""
    protocol(measure("pass"), *READS)
    with working(1, brought=True):
        change(quiet.ada)
        assert wait_until(lambda: not brought(), 20)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        event = change(quiet.ada)
        assert wait_until(lambda: not brought(), 30)
    event.refresh_from_db()
    assert event.state == "done"


def test_what_a_protocol_changes_is_brought_in_the_effects_transaction(quiet):
    """The worker has connections of its own; the new job is of Django's."""
    protocol(
        measure(
            """
from canvas_workflow_kit.internal.integration_messages import create_task_payload
self.set_updates([create_task_payload(
    patient_key=self.patient.patient['key'], title='x', created_by_key='')])
"""
        ),
        *READS,
        "Tasking access",
    )
    change(quiet.ada)
    work()
    made = ChangeEvent.objects.get(model_name="task")
    assert made.state == "done"
    assert brought() == []


def test_what_has_no_job_gets_one(quiet):
    """Left while Procrastinate was switched off, or its job has failed."""
    events = [change(quiet.ada), change(quiet.ada), change(quiet.ben)]
    ProcrastinateJob.objects.all()._raw_delete("default")
    jobs.carry_what_is_left()
    assert brought() == [], "it is young yet"
    ChangeEvent.objects.update(at=F("at") - 2 * jobs.LEFT)
    for _again in range(2):
        jobs.carry_what_is_left()
        assert [event for _lock, event in brought()] == [events[0].pk, events[2].pk]


def test_what_is_tried_again_by_hand_is_brought(quiet):
    event = change(quiet.ada)
    event.state = "parked"
    event.save()
    ProcrastinateJob.objects.all()._raw_delete("default")
    retry(event)
    assert brought() == [(f"patient {quiet.ada.pk}", event.pk)]


def test_a_recompute_is_shared_among_the_workers(quiet, monkeypatch):
    monkeypatch.setattr("canvas_admin.protocols.recomputing.SLICE", 1)
    one = protocol(measure("result.status = 'due'"), *READS)
    for number in range(5):
        make_patient("P", f"Many{number}", quiet.ada.birth_date)
    forget()
    wanted = recompute(one, quiet.ruth.user)
    with working(2, brought=True):
        assert wait_until(
            lambda: type(wanted).objects.filter(ended=None).count() == 0, 60
        )
        assert wait_until(lambda: not brought(), 20)
    wanted.refresh_from_db()
    assert wanted.patients == wanted.handled > 5
    assert not RecomputeSlice.objects.filter(done=False).exists()


def test_its_pages_are_not_in_the_administration():
    """What waits is shown by the page of events, to whom may see the patient."""
    assert not [m for m in admin.site._registry if m._meta.app_label == "procrastinate"]
