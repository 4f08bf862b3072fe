"""Procrastinate brings to workers what the outbox holds (DESIGN section 7, Engine)."""

from datetime import timedelta
from signal import SIGSTOP

import pytest
from django.contrib import admin
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker

from canvas_admin.events import turns
from canvas_admin.events.models import ChangeEvent
from canvas_admin.protocols import jobs
from canvas_admin.protocols.delivering import retry
from canvas_admin.protocols.models import ProtocolResult, ProtocolRun, Recompute
from canvas_admin.protocols.recomputing import cut
from canvas_admin.protocols.uploading import recompute
from canvas_admin.tests.protocols.running import measure, protocol
from canvas_admin.tests.protocols.workers import Worker, wait_until, working
from patients.models import PatientAddress

DOING = "UPDATE procrastinate_jobs SET status = 'doing'"
LONG_AGO = "UPDATE procrastinate_events SET at = at - interval '2 minutes'"
WAITS = (
    "SELECT 1 FROM pg_locks "
    "WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
)
READS = ("Profile read", "All Patients")


@pytest.fixture
def quiet(transactional_db, cast):
    """Nothing waits, and nothing is to be brought."""
    forget()
    return cast


def forget():
    ChangeEvent.objects.all().delete()
    for model in (ProcrastinateJob, ProcrastinateWorker):
        model.objects.all()._raw_delete("default")


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
    assert job.scheduled_at - timezone.now() <= timedelta(seconds=jobs.LONGEST)
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
        # Where how a job ended could not be written it is brought again after a minute.
        over = ChangeEvent.objects.filter(pk=event.pk, state="done").exists
        assert wait_until(over, 120)


def somebody_waits():
    """Whether another session waits for a lock of this one."""
    with connection.cursor() as cursor:
        cursor.execute(WAITS)
        return bool(cursor.fetchall())


@pytest.mark.parametrize("brings", [False, True])
def test_who_hangs_inside_a_transaction_holds_a_patient_up_for_a_lease(quiet, brings):
    """PostgreSQL ends the session, and undoes what it has not committed."""
    protocol(measure('result.add_narrative("seen")'), *READS)
    over = ChangeEvent.objects.filter(state="done").count
    change(quiet.ada)
    with working(1, brought=brings):
        assert wait_until(lambda: over() == 1, 20)
    change(quiet.ada)
    with working(1, brought=brings) as workers:
        with transaction.atomic():
            ProtocolResult.objects.select_for_update().get(patient=quiet.ada)
            assert wait_until(somebody_waits, 20)
            workers[0].signal(SIGSTOP)
        workers.append(Worker(brought=brings))
        assert wait_until(lambda: over() == 2, 20)
    assert ProtocolRun.objects.count() == 2


def test_who_hangs_while_it_makes_a_job_holds_nobody_up(quiet):
    """What Procrastinate itself writes is over with each statement."""
    protocol(measure("pass"), *READS)
    with working(1, brought=True) as workers:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE procrastinate_periodic_defers IN EXCLUSIVE MODE")
            assert wait_until(somebody_waits, 20)
            workers[0].signal(SIGSTOP)
        change(quiet.ada)
        with connection.cursor() as cursor:
            cursor.execute(DOING)
        workers.append(Worker(brought=True))
        over = ChangeEvent.objects.filter(state="done").exists
        assert wait_until(over, 20)


def test_a_job_whose_end_was_never_written_is_brought_again(quiet):
    """Its worker lives and beats; nobody has the patient's turn, and it began long ago."""
    protocol(measure("pass"), *READS)
    event = change(quiet.ada)
    ChangeEvent.objects.update(at=F("at") - 2 * jobs.LEFT)
    with connection.cursor() as cursor:
        cursor.execute(DOING)
        jobs.carry_what_is_left()
        assert ProcrastinateJob.objects.get().status == "doing"
        cursor.execute(LONG_AGO)
        turn = turns.take(quiet.ada.pk, 60)
        jobs.carry_what_is_left()
        assert ProcrastinateJob.objects.get().status == "doing"
        turns.release(turn)
        jobs.carry_what_is_left()
    assert ProcrastinateJob.objects.get().status == "todo"
    work()
    event.refresh_from_db()
    assert event.state == "done"


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
    retry(ChangeEvent.objects.filter(pk=event.pk))
    assert brought() == [(f"patient {quiet.ada.pk}", event.pk)]


def test_a_recompute_is_shared_among_the_workers(quiet, monkeypatch):
    one = protocol(measure("result.status = 'due'"), *READS)
    jobs.share_recomputes()
    assert brought() == [], "there is none"
    wanted = recompute(one, quiet.ruth.user)
    jobs.share_recomputes()
    assert brought() == [], "there is no worker"
    for _worker in range(2):
        with connection.cursor() as cursor:
            cursor.execute("SELECT procrastinate_register_worker_v1()")
    for _again in range(2):
        jobs.share_recomputes()
        assert brought() == [(None, None)] * 2
    monkeypatch.setattr("canvas_admin.protocols.recomputing.SLICE", 1)
    cut(wanted, one)
    with working(2, brought=True):
        over = Recompute.objects.filter(ended__isnull=False).exists
        assert wait_until(over, 60)
        assert wait_until(lambda: not brought(), 20)
    wanted.refresh_from_db()
    assert wanted.patients == wanted.handled == wanted.slices.count() == 3


def test_a_slice_whose_job_never_ended_does_not_stop_a_recompute(quiet):
    one = protocol(measure("result.status = 'due'"), *READS)
    wanted = recompute(one, quiet.ruth.user)
    cut(wanted, one)
    held = turns.in_seconds(60)
    wanted.slices.update(until=held)
    with connection.cursor() as cursor:
        cursor.execute("SELECT procrastinate_register_worker_v1()")
        jobs.share_recomputes()
        cursor.execute(DOING)
        cursor.execute(LONG_AGO)
    jobs.share_recomputes()
    assert ProcrastinateJob.objects.get().status == "doing", "somebody is at it"
    wanted.slices.update(until=turns.FREE)
    jobs.share_recomputes()
    assert ProcrastinateJob.objects.get().status == "todo"
    work()
    wanted.refresh_from_db()
    assert wanted.ended
    assert wanted.patients == wanted.handled


def test_its_pages_are_not_in_the_administration():
    """What waits is shown by the page of events, to whom may see the patient."""
    assert not [m for m in admin.site._registry if m._meta.app_label == "procrastinate"]
