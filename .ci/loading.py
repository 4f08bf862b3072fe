"""Rows into a database in bulk: as PostgreSQL's COPY or one statement of SQLite's."""

import contextlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from django.db import connection, models

AT_ONCE = 20_000


def load(
    model: type[models.Model], named: str, rows: Iterable[tuple[Any, ...]]
) -> None:
    """Insert rows, as their columns are named; the others have the field's default.

    No text may have a tab, a line break or a backslash.
    """
    columns = named.split()
    rest = {
        f.column: f.get_db_prep_save(f.get_default(), connection)
        for f in model._meta.concrete_fields
        if f.column not in columns and f.column != "id"
    }
    columns += rest
    usual = tuple(_text(v) if isinstance(v, datetime) else v for v in rest.values())
    names = ", ".join(f'"{column}"' for column in columns)
    rows = (row + usual for row in rows)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _copy(cursor, table, names, rows)
        else:
            marks = ", ".join("?" * len(columns))
            sql = f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608
            cursor.execute("BEGIN")
            connection.connection.executemany(sql, rows)
            cursor.execute("COMMIT")


def _copy(cursor: Any, table: str, names: str, rows: Iterator[tuple[Any, ...]]) -> None:
    with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
        while lines := ["\t".join(map(_text, row)) for row in islice(rows, AT_ONCE)]:
            copy.write("\n".join(lines) + "\n")
    cursor.execute(
        f"SELECT setval(pg_get_serial_sequence('\"{table}\"', 'id'), max(id)) "  # noqa: S608
        f'FROM "{table}"'
    )


def _text(value: Any) -> str:
    return r"\N" if value is None else str(value)


def instant(moment: datetime) -> str:
    """An instant as either database reads it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" + (
        "+00" if connection.vendor == "postgresql" else ""
    )


@contextlib.contextmanager
def in_bulk(*loaded: type[models.Model]) -> Iterator[None]:
    """Loads without these models' indexes, but unique ones, and without checks of keys."""
    tables = [model._meta.db_table for model in loaded]
    with connection.cursor() as cursor:
        indexes = _indexes(cursor, tables)
        for statement in _BEFORE[connection.vendor]:
            cursor.execute(statement)
        for name in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        yield
        for statement in indexes.values():
            cursor.execute(statement)
        for statement in _AFTER[connection.vendor]:
            cursor.execute(statement)


def _indexes(cursor: Any, tables: list[str]) -> dict[str, str]:
    """What makes each index of these tables, by name."""
    if connection.vendor == "postgresql":
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) "
            "AND indexdef LIKE 'CREATE INDEX%%'",
            [tables],
        )
    else:
        marks = ", ".join(["%s"] * len(tables))
        cursor.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' "  # noqa: S608
            f"AND sql LIKE 'CREATE INDEX%%' AND tbl_name IN ({marks})",
            tables,
        )
    return dict(cursor.fetchall())


_BEFORE = {
    "postgresql": [
        "SET session_replication_role = replica",
        "SET maintenance_work_mem = '1GB'",
    ],
    "sqlite": [
        "PRAGMA foreign_keys = OFF",
        "PRAGMA synchronous = OFF",
        "PRAGMA cache_size = -1000000",
    ],
}
# As autovacuum would have done by the time that somebody searches.
_AFTER = {
    "postgresql": ["SET session_replication_role = DEFAULT", "VACUUM ANALYZE"],
    "sqlite": ["ANALYZE", "PRAGMA synchronous = NORMAL", "PRAGMA foreign_keys = ON"],
}
