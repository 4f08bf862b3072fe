"""What the migrations leave in the database, put back after a test that commits.

Django empties every table and makes permissions and managed groups anew, by some hundred
questions and under other ids. Here the rows that were there at first are put back.
"""

from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction
from django.test import TransactionTestCase

Rows = dict[type[models.Model], list[models.Model]]


def read() -> Rows:
    """Every row of every model."""
    tables = apps.get_models(include_auto_created=True)
    rows = {
        table: list(models.QuerySet(table).order_by("pk"))
        for table in tables
        if table._meta.managed and not table._meta.proxy
    }
    return {table: found for table, found in rows.items() if found}


def put_back(rows: Rows) -> None:
    """Empty the database of everything else."""
    # In any order: databases look at foreign keys when a transaction ends.
    names = connection.introspection.django_table_names(only_existing=True)
    with transaction.atomic(), connection.cursor() as cursor:
        for name in map(connection.ops.quote_name, names):
            # Quicker than TRUNCATE, where the tables have few rows or none.
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608
        for table, kept in rows.items():
            models.QuerySet(table).bulk_create(kept)


def restored_by_tests() -> None:
    """From now on tests that commit leave the database as the first of them found it."""
    at_first, set_up = cache(read), TransactionTestCase._fixture_setup.__func__

    def begin(case: Any) -> None:
        at_first()
        set_up(case)

    TransactionTestCase._fixture_setup = classmethod(begin)
    TransactionTestCase._fixture_teardown = lambda _case: put_back(at_first())
