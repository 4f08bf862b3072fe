"""Workers as they run in a clinic: processes of their own, on the tests' database."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from signal import SIGCONT, SIGKILL
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection

LEASE = 1.0


def address() -> str:
    """DATABASE_URL of the database in which the tests are."""
    at: dict[str, Any] = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{quote(str(at['NAME']))}"
    who = f"{quote(at['USER'])}:{quote(at['PASSWORD'])}"
    return f"postgres://{who}@{quote(at['HOST'], safe='')}:{at['PORT']}/{at['NAME']}"


class Worker:
    """manage.py run_protocols; ready once this is made.

    To one of Procrastinate's its work is `brought`; any other one looks for it.
    """

    def __init__(self, *options: str, brought: bool = False) -> None:
        self.brought = brought
        command = [sys.executable, "manage.py", "run_protocols", "--lease", f"{LEASE}"]
        command += options
        self.process = subprocess.Popen(  # noqa: S603
            command,
            cwd=settings.BASE_DIR,
            env=os.environ
            | {"DATABASE_URL": address(), "PROCRASTINATE": str(int(brought))},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        said = self.process.stdout.readline()
        assert said == "Protocols run.\n", said

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, number: int = SIGKILL) -> None:
        """End it, as the signal does, and wait until it is gone."""
        self.signal(SIGCONT)
        self.signal(number)
        self.process.wait(timeout=60)
        self.process.stdout.close()


@contextmanager
def working(count: int, *, brought: bool = False) -> Any:
    """So many workers, which are gone afterwards; the list may be changed."""
    workers: list[Worker] = []
    try:
        workers += [Worker(brought=brought) for _ in range(count)]
        yield workers
    finally:
        for worker in workers:
            worker.end()


def kill_one(workers: list[Worker], chance: random.Random) -> None:
    """kill -9 of one of them, and another in its place."""
    number = chance.randrange(len(workers))
    workers[number].end()
    workers[number] = Worker(brought=workers[number].brought)


def wait_until(so: Callable[[], bool], seconds: float) -> bool:
    """Whether it came to be so within this time."""
    end = time.monotonic() + seconds
    while not so():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
