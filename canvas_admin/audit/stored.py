"""The trail's rows just as the database stores them, for sealing and for proving."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from django.db import connection

from canvas_admin.audit.models import AuditRow

# In the order in which they are sealed. A column more or less breaks every seal there is.
COLUMNS = (
    "id",
    "event",
    "recorded",
    "actor",
    "actor_name",
    "action",
    "outcome",
    "patient",
    "access_path",
    "subject",
    "detail",
    "correlation",
    "address",
)
# The lowest id that a database can hold.
LOWEST = -(2**63)
AT_ONCE = 1_000
# The instant as text in UTC, so that the database's settings and Django's reading of
# damaged text stay out of it.
RECORDED = {
    "sqlite": 'CAST("recorded" AS text)',
    "postgresql": "to_char(\"recorded\" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US BC')",
}

# A row's values in the order of COLUMNS; the first is its id.
Stored = list[Any]


def rows(first: int, last: int, limit: int = AT_ONCE) -> list[Stored]:
    """The first rows from one id to another, both included, in the order of their ids."""
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT {_columns()} FROM "{AuditRow._meta.db_table}" '  # noqa: S608
            "WHERE id BETWEEN %s AND %s ORDER BY id LIMIT %s",
            [first, last, limit],
        )
        return [[_plain(value) for value in row] for row in cursor.fetchall()]


def all_rows(first: int, last: int) -> Iterator[Stored]:
    """Every row from one id to another; few are in memory at a time."""
    while first <= last and (found := rows(first, last)):
        yield from found
        first = found[-1][0] + 1


def digest(row: Stored) -> bytes:
    """The SHA-256 of a row's canonical form: its values as JSON, in ASCII."""
    return hashlib.sha256(canonical(row)).digest()


def canonical(value: Any) -> bytes:
    """The one way to write plain values down."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode("ascii")


def _columns() -> str:
    quoted = {name: connection.ops.quote_name(name) for name in COLUMNS}
    return ", ".join((quoted | {"recorded": RECORDED[connection.vendor]}).values())


def _plain(value: Any) -> Any:
    """Bytes, which are only there when SQLite was written to by hand, as JSON too."""
    return {"bytes": bytes(value).hex()} if isinstance(value, bytes) else value
