"""manage.py run_protocols: act on what changes, for ever or until nothing waits.

Where the site has Procrastinate it brings the work; else the worker looks for it.
"""

import os
import signal
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils.translation import gettext as _

from canvas_admin.protocols.delivering import LEASE, deliver_some
from canvas_admin.protocols.jobs import work
from canvas_admin.protocols.recomputing import recompute_some
from canvas_admin.protocols.runner import TROUBLE, log_trouble
from canvas_admin.protocols.sandbox import Sandbox, Unavailable

# Seconds to wait where nothing waits, and after trouble.
QUIET, PAUSE = 0.25, 5.0
SET_LIMIT = "SELECT set_config('idle_in_transaction_session_timeout', %s, false)"


class Command(BaseCommand):
    """A worker; as many as wanted run at a time. Stopped by a signal it ends its run first."""

    help = (
        "Runs the protocols whose patients' records have changed, and what is to be "
        "computed over everybody. Several may run at a time, on one database."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once",
            action="store_true",
            help="end when there is nothing more to begin",
        )
        parser.add_argument(
            "--until-parent-ends",
            action="store_true",
            help="end when the process ends that has started it (without Procrastinate)",
        )
        parser.add_argument(
            "--lease",
            type=float,
            default=LEASE,
            metavar="SECONDS",
            help="how long a patient waits for a worker that ended at work (%(default)g)",
        )

    def handle(self, *args: Any, once: bool, lease: float, **options: Any) -> None:
        self.stopped, self.lease = False, max(lease, 1)
        self.parent = os.getppid() if options["until_parent_ends"] else None
        if self.parent and settings.PROCRASTINATE:
            raise CommandError(
                _("Procrastinate's workers do not look who has started them.")
            )
        connection_created.connect(self._limit_hanging)
        try:
            with Sandbox() as sandbox:
                self.stdout.write(_("Protocols run."))
                self.stdout.flush()
                if settings.PROCRASTINATE:
                    work(sandbox, self.lease, once=once)
                else:
                    self._work(sandbox, once)
        except Unavailable as error:
            raise CommandError(
                _("Protocols do not run on this system. %(why)s") % {"why": error}
            ) from error

    def _limit_hanging(self, connection: BaseDatabaseWrapper, **_about: Any) -> None:
        """Who hangs inside a transaction loses its locks, like the turn, after the lease."""
        if connection.vendor == "postgresql":
            limit = f"{round(self.lease * 1000)}ms"
            with connection.cursor() as cursor:
                cursor.execute(SET_LIMIT, [limit])

    def _work(self, sandbox: Sandbox, once: bool) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self._ends():
            try:
                worked = deliver_some(sandbox, self.lease)
                worked = worked or recompute_some(sandbox, self.lease)
            except TROUBLE as error:
                log_trouble(error)
                worked = 0
                self._wait(PAUSE)
            if worked:
                continue
            if once:
                return
            close_old_connections()
            self._wait(QUIET)

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._ends() and time.monotonic() < end:
            time.sleep(min(QUIET, seconds))

    def _ends(self) -> bool:
        return self.stopped or self.parent not in (None, os.getppid())

    def _stop(self, *_signal: Any) -> None:
        self.stopped = True
