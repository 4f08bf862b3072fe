"""manage.py seal_audit: seal the audit trail, once or for ever."""

import logging
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, close_old_connections

from canvas_admin.audit import heads, seals

logger = logging.getLogger("canvas_admin.audit")


class Command(BaseCommand):
    """Seal every row older than a minute, and say to file and log where the chain ends."""

    help = (
        "Seals the audit trail: every row that is older than 60 seconds. The head of the "
        "chain goes to the log and to AUDIT_HEAD_FILE. Run it every minute."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--every",
            type=int,
            metavar="SECONDS",
            help="go on until stopped, this long after each time",
        )

    def handle(self, *args: Any, every: int | None, **options: Any) -> None:
        if every is None:
            self.stdout.write(sealed())
            return
        while True:
            try:
                sealed()
            except (CommandError, DatabaseError) as error:
                logger.error("the audit trail was not sealed: %s", error)
            close_old_connections()
            time.sleep(max(every, 1))


def sealed() -> str:
    """Seal what is ready and keep the head; what was done, in a sentence.

    Raises CommandError when the chain is not what it should be, and when the head cannot
    be written.
    """
    file = Path(settings.AUDIT_HEAD_FILE) if settings.AUDIT_HEAD_FILE else None
    number = rows = 0
    try:
        if file:
            heads.check_kept(file)
        for seal in seals.seal_ready():
            number, rows = number + 1, rows + seal.rows
        head = heads.current()
        if head and file:
            heads.write(file, head)
    except (seals.SealingRefused, heads.HeadUnreadable) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
    logger.info("head of the audit trail: %s", head or "nothing is sealed yet")
    if head is None:
        return "Nothing is sealed yet, and nothing is old enough to be."
    kept = f"It is in {file}." if file else "AUDIT_HEAD_FILE names no file for it."
    return f"Rows sealed: {rows}; seals made: {number}. Head: {head}. {kept}"
