"""The whole database as one file, and back, by each database's own means.

SQLite has its online backup; PostgreSQL its programs pg_dump and pg_restore. Both copy one
instant while the site is in use, and the facts told are of that instant.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.backends.postgresql.client import DatabaseClient

FILES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
DEBIAN = Path("/usr/lib/postgresql")

# So long, in seconds, SQLite waits for others to close the database.
WAIT = 5

# Runs a query and returns its rows.
Ask = Callable[[str], list[tuple]]


class CopyFailed(Exception):
    """The database could not be copied or put back; the message says why."""


def take(folder: Path) -> dict[str, Any]:
    """Copy the database into FILES[vendor] in a folder; the facts about the copy."""
    target = folder / FILES[connection.vendor]
    if connection.vendor == "sqlite":
        return _take_sqlite(target)
    return _take_postgresql(target)


def put_back(source: Path) -> None:
    """Make the database what a copy holds: all of it, or nothing is changed.

    Tables of the same names are replaced. Raises CopyFailed.
    """
    empty = is_empty()
    connection.close()
    if connection.vendor == "sqlite":
        _put_back_sqlite(source)
    else:
        replacing = () if empty else ("--clean", "--if-exists")
        whole = ("--single-transaction", "--no-owner", "--no-privileges")
        _run("pg_restore", *whole, *replacing, str(source))


def is_empty() -> bool:
    """Whether the database has no table yet."""
    return not connection.introspection.table_names()


def facts() -> dict[str, Any]:
    """What the database holds now: rows of each table, migrations, the audit head."""
    return _facts(_ask, connection.introspection.table_names())


def _facts(ask: Ask, tables: Iterable[str]) -> dict[str, Any]:
    head = ask(
        "SELECT number, (SELECT max(last_row) FROM audit_seal), mac "
        "FROM audit_seal ORDER BY number DESC LIMIT 1"
    )
    migrations = ask("SELECT app, name FROM django_migrations")
    return {
        "rows": {
            table: ask(f'SELECT count(*) FROM "{table}"')[0][0]  # noqa: S608
            for table in sorted(tables)
        },
        "migrations": sorted(f"{app}.{name}" for app, name in migrations),
        "head": list(head[0]) if head else None,
    }


def _ask(query: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def _take_sqlite(target: Path) -> dict[str, Any]:
    connection.ensure_connection()
    with closing(sqlite3.connect(target)) as copy:
        connection.connection.backup(copy)
        # One file, and not what was written last in another one beside it.
        copy.execute("PRAGMA journal_mode=DELETE")
        query = (
            "SELECT name FROM sqlite_master WHERE type = 'table' "
            "AND name NOT LIKE 'sqlite@_%' ESCAPE '@'"
        )
        tables = [name for (name,) in copy.execute(query)]
        return _facts(lambda query: copy.execute(query).fetchall(), tables)


def _put_back_sqlite(source: Path) -> None:
    name = str(connection.settings_dict["NAME"])
    try:
        with (
            closing(sqlite3.connect(source)) as copy,
            closing(sqlite3.connect(name, timeout=WAIT)) as database,
        ):
            # Only in this mode can pages of another size be taken; and nobody else may
            # have the database open, which could go on with what it has in memory.
            [mode] = database.execute("PRAGMA journal_mode=DELETE").fetchone()
            if mode != "delete":
                raise sqlite3.OperationalError(f"it stays in mode {mode}")
            copy.backup(database)
    except sqlite3.Error as error:
        raise CopyFailed(
            f"{name} could not be written ({error}). Stop the service first."
        ) from error


def _take_postgresql(target: Path) -> dict[str, Any]:
    find("pg_dump")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        [[snapshot]] = _ask("SELECT pg_export_snapshot()")
        found = facts()
        _run("pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={target}")
    return found


def find(name: str) -> str:
    """Where one of PostgreSQL's programs is, the newest version's. Raises CopyFailed."""
    debian = sorted(
        DEBIAN.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3])
    )
    if debian:
        return str(debian[-1])
    if on_path := shutil.which(name):
        return on_path
    raise CopyFailed(
        f"{name} is not installed. Debian's package postgresql-client brings it, of the "
        "server's version or a newer one."
    )


def _run(name: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on our database; no password is an argument."""
    said, environment = DatabaseClient.settings_to_cmd_args_env(
        connection.settings_dict, []
    )
    command = [find(name), "--no-password", *said[1:-1], "--dbname", said[-1]]
    done = subprocess.run(  # noqa: S603
        [*command, *arguments],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CopyFailed(f"{name} failed: {done.stderr.strip()}")
