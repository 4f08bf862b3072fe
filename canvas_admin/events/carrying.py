"""Handing events to Procrastinate, where the site has it (docs/scaling.md).

The event stays the record; the job only brings it to a worker, on whichever machine.
"""

from collections.abc import Iterable

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError
from procrastinate.exceptions import ConnectorException

from canvas_admin.events.models import ChangeEvent

DELIVER = "deliver"
# Before what is computed over everybody.
PRIORITY = 1


def lock(event: ChangeEvent) -> str:
    """What the jobs of one patient have in common."""
    return f"patient {event.patient}"


def carry(events: Iterable[ChangeEvent]) -> None:
    """A job for each event that waits, in the transaction that leaves it.

    Those of one patient share a lock: they are brought one after another, in their order.
    Raises DatabaseError.
    """
    if not settings.PROCRASTINATE:
        return
    app = apps.get_app_config("procrastinate").app
    jobs = [
        app.configure_task(DELIVER, lock=lock(event), priority=PRIORITY).make_new_job(
            event=event.pk
        )
        for event in events
        if event.state == ChangeEvent.State.WAITING
    ]
    if jobs:
        try:
            app.job_manager.batch_defer_jobs(jobs)
        except ConnectorException as error:
            raise DatabaseError(str(error)) from error
