"""A worker to whom Procrastinate brings what is to be done (docs/scaling.md).

The outbox and the recomputes stay the record. A job that is lost with its worker is brought
again; for what has no job one is made.
"""

from contextlib import suppress
from datetime import timedelta

from asgiref.sync import sync_to_async
from django.apps import apps
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from procrastinate import BaseRetryStrategy, Blueprint, JobContext, RetryDecision
from procrastinate.app import App
from procrastinate.contrib.django import app
from procrastinate.contrib.django.db_cleanup import DjangoApp
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.psycopg_connector import PsycopgConnector
from psycopg import AsyncConnection

from canvas_admin.events import carrying, turns
from canvas_admin.events.models import ChangeEvent
from canvas_admin.protocols.delivering import deliver, waiting
from canvas_admin.protocols.models import Recompute, RecomputeSlice
from canvas_admin.protocols.recomputing import recompute_some
from canvas_admin.protocols.runner import log_trouble
from canvas_admin.protocols.sandbox import Sandbox

RECOMPUTE = "recompute"
# Before all others, every other second.
TENDS, OFTEN = 2, "* * * * * */2"
UNFINISHED = ("todo", "doing")
# What waits so long without a job will not get one by itself.
LEFT = timedelta(minutes=1)
LOOKED_AT = 1_000
# Seconds until a job is tried again: after trouble, and at most.
TROUBLE, LONGEST = 5, 15
CONNECTIONS = 4
# Seconds by which a worker on a busy machine may be late to say that it lives.
SLACK = 2

tasks = Blueprint()


def work(sandbox: Sandbox, lease: float, *, once: bool) -> None:
    """Do what is brought, one job after another, until a signal comes.

    `lease` is for how many seconds a worker may be silent before its job is another's. With
    `once` it ends when there is no job that could begin.
    """
    pool = {"min_size": 1, "max_size": CONNECTIONS, "configure": _commit_each}
    worker = DjangoApp(connector=PsycopgConnector(kwargs=connector_params(), **pool))
    worker.add_tasks_from(tasks, namespace="")
    worker.run_worker(
        wait=not once,
        concurrency=1,
        delete_jobs="always",
        update_heartbeat_interval=lease / 3,
        stalled_worker_timeout=lease + SLACK,
        additional_context={"sandbox": sandbox, "lease": lease},
    )


async def _commit_each(connection: AsyncConnection) -> None:
    """A worker that hangs between two statements keeps no lock that others wait for."""
    await connection.set_autocommit(True)


class StillWaits(Exception):
    """It is another's turn, or put off; for so many seconds, as far as is known."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds


class Again(BaseRetryStrategy):
    """Until it is over: when the patient's turn may have come, or after trouble of ours."""

    def get_retry_decision(
        self, *, exception: BaseException, job: Job
    ) -> RetryDecision:
        if isinstance(exception, StillWaits):
            return RetryDecision(retry_in={"seconds": exception.seconds})
        log_trouble(exception)
        return RetryDecision(retry_in={"seconds": TROUBLE})


@tasks.task(name=carrying.DELIVER, pass_context=True, retry=Again())
def bring(context: JobContext, event: int) -> None:
    """Act on an event, unless it is over; again later while it waits."""
    deliver(**context.additional_context, event=event)
    for left in ChangeEvent.objects.filter(pk=event, state=ChangeEvent.State.WAITING):
        raise StillWaits(round(min(max(turns.free_in(left.patient), 1), LONGEST)))


@tasks.task(name=RECOMPUTE, pass_context=True, retry=Again())
def compute(context: JobContext) -> None:
    """One slice of a recompute, and then the next."""
    if recompute_some(**context.additional_context):
        app.configure_task(RECOMPUTE).defer()


@tasks.periodic(cron=OFTEN)
@tasks.task(name="tend", pass_context=True, priority=TENDS, queueing_lock="tend")
async def tend(context: JobContext, timestamp: int) -> None:
    """Bring again what was lost with its worker, and make the jobs that there are not."""
    await _bring_again(context.app, context.additional_context["lease"] + SLACK)
    await sync_to_async(carry_what_is_left)()
    await sync_to_async(share_recomputes)()


async def _bring_again(worker: App, silent: float) -> None:
    """What those had who have not been heard of for so many seconds."""
    jobs = worker.job_manager
    await jobs.prune_stalled_workers(silent)
    for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=silent):
        # Its worker has ended it, or another one has done the same.
        with suppress(ConnectorException):
            await jobs.retry_job(job)


def carry_what_is_left() -> None:
    """Jobs for events that were left where Procrastinate was not, or whose job is gone.

    A job that began long ago while nobody has the patient's turn is as good as gone: its
    worker lives, but has not said how it ended.
    """
    oldest: dict[str, ChangeEvent] = {}
    for event in waiting().filter(at__lt=Now() - LEFT)[:LOOKED_AT]:
        oldest.setdefault(carrying.lock(event), event)
    found = _unfinished(lock__in=oldest)
    _bring_again_what_began_long_ago(found)
    carried = set(found.values_list("lock", flat=True))
    carrying.carry(oldest[lock] for lock in oldest if lock not in carried)


def share_recomputes() -> None:
    """As many jobs as there are workers, while something is to be computed.

    Where nobody is at a slice, a job that began long ago has ended without a word.
    """
    jobs = _unfinished(task_name=RECOMPUTE)
    if not RecomputeSlice.objects.filter(done=False, until__gt=Now()).exists():
        _bring_again_what_began_long_ago(jobs)
    if not Recompute.objects.filter(ended=None).exists():
        return
    workers = apps.get_model("procrastinate", "ProcrastinateWorker").objects.count()
    wanted = workers - jobs.count()
    if wanted > 0:
        app.configure_task(RECOMPUTE).batch_defer(*[{}] * wanted)


def _bring_again_what_began_long_ago(jobs: QuerySet) -> None:
    events = apps.get_model("procrastinate", "ProcrastinateEvent").objects
    begun = events.filter(job=OuterRef("pk"), type="started", at__gt=Now() - LEFT)
    for job in jobs.filter(~Exists(begun), status="doing"):
        # Meanwhile its worker may have ended it after all.
        with suppress(ConnectorException):
            app.job_manager.retry_job_by_id(job.pk, timezone.now())


def _unfinished(**of: object) -> QuerySet:
    """Jobs that wait or are under way."""
    jobs = apps.get_model("procrastinate", "ProcrastinateJob").objects
    return jobs.filter(status__in=UNFINISHED, **of)
