"""One request at a time: what it left written, how long it took; then it is undone."""

import faulthandler
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache as kept
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection, models, transaction

from canvas_admin.audit.models import AuditRow, RationedUse

# What a refused request may leave: that it was made, and what the browser's session says.
MAY_STAY = {AuditRow, RationedUse, Session}
# Seconds in which an answer has to be there, and after which the process is ended.
SLOW, HANGS = 10, 60
Table = type[models.Model]


class Noting:
    """Notes into `writes` which of these tables (name → model) are written."""

    def __init__(self, writes: set[Table], tables: Mapping[str, Table]) -> None:
        self.writes, self.tables = writes, tables

    def __call__(
        self, execute: Any, sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        verb, *rest = sql.split(None, 3)
        if verb in ("INSERT", "UPDATE", "DELETE"):
            table = next((w.strip('"') for w in rest if w.startswith('"')), "")
            if model := self.tables.get(table):
                self.writes.add(model)
        return execute(sql, params, many, context)


@contextmanager
def undone() -> Iterator[set[str]]:
    """What is done within is undone; then it is told what it had changed, but MAY_STAY.

    Tables, and "files" if there are others than before.
    """
    written: set[Table] = set()
    changed: set[str] = set()
    cache.clear()
    files = _files()
    with transaction.atomic():
        with connection.execute_wrapper(Noting(written, _tables())), _quickly():
            yield changed
        after = {table: _rows(table) for table in written}
        transaction.set_rollback(True)
    changed |= {t.__name__ for t in written if _rows(t) != after[t]}
    changed |= {"files"} if _files() != files else set()


@contextmanager
def _quickly() -> Iterator[None]:
    """Fails after SLOW seconds; what never ends ends the process, and says where."""
    faulthandler.dump_traceback_later(HANGS, exit=True)
    started = time.monotonic()
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
    taken = time.monotonic() - started
    assert taken < SLOW, f"an answer after {taken:.1f} seconds"


@kept
def _tables() -> dict[str, Table]:
    every = apps.get_models(include_auto_created=True)
    return {t._meta.db_table: t for t in every if t not in MAY_STAY}


def _rows(table: Table) -> list[tuple[Any, ...]]:
    return list(table._base_manager.order_by("pk").values_list())


def _files() -> set[Path]:
    return {path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()}
