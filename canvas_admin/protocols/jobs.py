"""A worker to whom Procrastinate brings what is to be done (docs/scaling.md).

The outbox and the recomputes stay the record. A job that is lost with its worker is brought
again; for what has no job one is made.
"""

from datetime import timedelta

from asgiref.sync import sync_to_async
from django.apps import apps
from django.db.models import QuerySet
from django.db.models.functions import Now
from procrastinate import BaseRetryStrategy, Blueprint, JobContext, RetryDecision
from procrastinate.app import App
from procrastinate.contrib.django import app
from procrastinate.contrib.django.db_cleanup import DjangoApp
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.psycopg_connector import PsycopgConnector

from canvas_admin.events import carrying
from canvas_admin.events.models import ChangeEvent
from canvas_admin.protocols.delivering import deliver, waiting
from canvas_admin.protocols.models import Recompute
from canvas_admin.protocols.recomputing import recompute_some
from canvas_admin.protocols.sandbox import Sandbox

RECOMPUTE = "recompute"
# Before all others, every other second.
TENDS, OFTEN = 2, "* * * * * */2"
UNFINISHED = ("todo", "doing")
# What waits so long without a job will not get one by itself.
LEFT = timedelta(minutes=1)
LOOKED_AT = 1_000
CONNECTIONS = 4

tasks = Blueprint()


def work(sandbox: Sandbox, lease: float, *, once: bool) -> None:
    """Do what is brought, one job after another, until a signal comes.

    `lease` is for how many seconds a worker may be silent before its job is another's. With
    `once` it ends when there is no job any more.
    """
    pool = {"min_size": 1, "max_size": CONNECTIONS}
    worker = DjangoApp(connector=PsycopgConnector(kwargs=connector_params(), **pool))
    worker.add_tasks_from(tasks, namespace="")
    worker.run_worker(
        wait=not once,
        concurrency=1,
        delete_jobs="always",
        update_heartbeat_interval=lease / 3,
        stalled_worker_timeout=lease,
        additional_context={"sandbox": sandbox, "lease": lease},
    )


class StillWaits(Exception):
    """It is another's turn, or to be tried later."""


class Again(BaseRetryStrategy):
    """Until the event is over: every second, or every five where there is trouble."""

    def get_retry_decision(
        self, *, exception: BaseException, job: Job
    ) -> RetryDecision:
        seconds = 1 if isinstance(exception, StillWaits) else 5
        return RetryDecision(retry_in={"seconds": seconds})


@tasks.task(name=carrying.DELIVER, pass_context=True, retry=Again())
def bring(context: JobContext, event: int) -> None:
    """Act on an event, unless it is over; again later while it waits."""
    deliver(**context.additional_context, event=event)
    if ChangeEvent.objects.filter(pk=event, state=ChangeEvent.State.WAITING).exists():
        raise StillWaits


@tasks.task(name=RECOMPUTE, pass_context=True)
def compute(context: JobContext) -> None:
    """One slice of a recompute, and then the next."""
    if recompute_some(**context.additional_context):
        app.configure_task(RECOMPUTE).defer()


@tasks.periodic(cron=OFTEN)
@tasks.task(name="tend", pass_context=True, priority=TENDS, queueing_lock="tend")
async def tend(context: JobContext, timestamp: int) -> None:
    """Bring again what was lost with its worker, and make the jobs that there are not."""
    await _bring_again(context.app, context.additional_context["lease"])
    await sync_to_async(carry_what_is_left)()
    await sync_to_async(share_recomputes)()


async def _bring_again(worker: App, lease: float) -> None:
    jobs = worker.job_manager
    await jobs.prune_stalled_workers(lease)
    for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=lease):
        try:
            await jobs.retry_job(job)
        except ConnectorException:
            # Its worker has ended it, or another one has done the same.
            continue


def carry_what_is_left() -> None:
    """Jobs for events that were left where Procrastinate was not, or whose job is gone."""
    oldest: dict[str, ChangeEvent] = {}
    for event in waiting().filter(at__lt=Now() - LEFT)[:LOOKED_AT]:
        oldest.setdefault(carrying.lock(event), event)
    carried = set(_unfinished(lock__in=oldest).values_list("lock", flat=True))
    carrying.carry(oldest[lock] for lock in oldest if lock not in carried)


def share_recomputes() -> None:
    """As many jobs as there are workers, while something is to be computed."""
    if not Recompute.objects.filter(ended=None).exists():
        return
    workers = apps.get_model("procrastinate", "ProcrastinateWorker").objects.count()
    wanted = workers - _unfinished(task_name=RECOMPUTE).count()
    if wanted > 0:
        app.configure_task(RECOMPUTE).batch_defer(*[{}] * wanted)


def _unfinished(**of: object) -> QuerySet:
    """Jobs that wait or are under way."""
    jobs = apps.get_model("procrastinate", "ProcrastinateJob").objects
    return jobs.filter(status__in=UNFINISHED, **of)
