"""The files of the demo clinic, beside manage.py, and how it is told from a real one.

A demo database carries a mark in SQLite's application id, set before anything else is
in it. A file without the mark is somebody's data: it is neither served nor removed.
This module needs nothing of Django, because the settings read the secret through it.
"""

import fcntl
import os
import secrets
import sqlite3
from pathlib import Path
from typing import TextIO

MARK = int.from_bytes(b"CAdm", "big")
HEADER_SIZE = 100
APPLICATION_ID = slice(68, 72)


class NotADemo(Exception):
    """The database's file has no demo mark; the message says so in one line."""


class Served(Exception):
    """Another process holds the demo clinic; the message says where it is."""


def kept_secret(path: Path) -> str:
    """The demo clinic's secret key: made at first start, kept readable to its owner."""
    if not path.exists() or not path.read_text().strip():
        write_private(path, secrets.token_urlsafe(50))
    return path.read_text().strip()


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; from its first byte on its owner alone can read it."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    unfinished.replace(path)


def check_mark(database: Path) -> bool:
    """Whether a demo database is there already. Raises NotADemo for any other content.

    Read from the file itself: opening somebody's database could change it.
    """
    if not database.exists() or not database.stat().st_size:
        return False
    with database.open("rb") as file:
        header = file.read(HEADER_SIZE)
    if int.from_bytes(header[APPLICATION_ID], "big") != MARK:
        raise NotADemo(
            f"{database.name} does not carry the mark of the demo clinic, so it is "
            "left alone. Move it away, then run the same command again."
        )
    return True


def make_marked(database: Path, *leftovers: Path) -> None:
    """Make an empty database that carries the mark, unless there is one.

    With a new one go the leftovers of one before, such as passwords nobody has any more.
    Raises NotADemo; see check_mark().
    """
    if not check_mark(database):
        remove(database, *leftovers)
        connection = sqlite3.connect(database)
        connection.execute(f"PRAGMA application_id = {MARK}")
        connection.close()
        database.chmod(0o600)


def remove(database: Path, *others: Path) -> None:
    """Remove a demo database with what SQLite keeps beside it, and these other files.

    The database goes last, so that an interrupted removal can be run again. Raises
    NotADemo before anything is removed.
    """
    check_mark(database)
    beside = [Path(f"{database}{end}") for end in ("-wal", "-shm", "-journal")]
    for path in (*others, *beside, database):
        path.unlink(missing_ok=True)


def hold(lock: Path, address: str) -> TextIO:
    """Keep the demo clinic to this process, and those it becomes, until the last ends.

    Raises Served when another process has it.
    """
    file = lock.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        where = file.read().strip()
        file.close()
        raise Served(
            f"The demo clinic is in use already, at {where} on this machine. "
            "Stop it there with Ctrl-C first."
        ) from error
    file.truncate(0)
    file.write(address)
    file.flush()
    os.set_inheritable(file.fileno(), True)
    return file
