"""Queries that are asked all day: many integers as one parameter, and compiled once.

For a rule within a rule Django takes longer to write the SQL than the database to answer.
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.db import connection, models


class Slot(models.Value):
    """A place in a prepared query; a value fills it at each use."""

    def __init__(self, name: str, output_field: models.Field | None = None) -> None:
        super().__init__(name, output_field)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return "%s", [self]


class ManySlot(Slot):
    """A Slot for so many keys that every row of a small table is best looked up in them."""


@models.ForeignKey.register_lookup
@models.BigIntegerField.register_lookup
class Among(models.Lookup):
    """owner__among=[1, 2, 3]: the key is one of these primary keys.

    Django's own `in` makes a placeholder of each, which costs more than the query where
    somebody holds hundreds of groups. Takes a Slot too, whose keys are not weighed.
    """

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, parameters = self.process_lhs(compiler, connection)
        slotted = isinstance(self.rhs, Slot)
        keys = self.rhs if slotted else as_parameter(self.rhs)
        among = one_of(left, weighed=not slotted)
        if isinstance(self.rhs, ManySlot):
            # As a truth it can be neither a join nor a search of an index.
            among = f"({left} IN ({_table()})) IS TRUE"
        return among, [*parameters, keys]


@models.ForeignKey.register_lookup
class KnownAs(models.Lookup):
    """owner__known_as="…": the row that is called so outside, looked up once.

    By a join, owner__key="…", the key is asked of each row, after all else that is asked
    of it.
    """

    lookup_name = "known_as"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, parameters = self.process_lhs(compiler, connection)
        model, quoted = self.lhs.target.related_model, connection.ops.quote_name
        table, pk = quoted(model._meta.db_table), quoted(model._meta.pk.column)
        key = quoted(model._meta.get_field("key").column)
        one = f"(SELECT {pk} FROM {table} WHERE {key} = %s)"  # noqa: S608
        return f"{left} = {one}", [*parameters, self.rhs]


class Listed(models.Aggregate):
    """The values of a group of rows in one column; as_keys() reads them.

    Many short rows cost more to fetch than to find.
    """

    function = "json_group_array"

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, function="array_agg")


def as_keys(listed: str | list[int] | None) -> list[int]:
    """The primary keys of a column that is Listed; of no rows at all, none."""
    return json.loads(listed) if isinstance(listed, str) else listed or []


class Prepared:
    """A queryset with slots, whose SQL is written once in each process.

    Its text must follow from the code alone: whatever differs from use to use is a Slot.
    """

    def __init__(self, build: Callable[[], models.QuerySet]) -> None:
        self.build = build
        self.compiled: dict[str, tuple[type[models.Model], str, tuple[Any, ...]]] = {}

    def rows(self, **values: Any) -> models.query.RawQuerySet:
        """The rows with these values in the slots of these names."""
        model, sql, parameters = self._with(values)
        return model._base_manager.raw(sql, parameters)

    def tuples(self, **values: Any) -> list[Any]:
        """The selected columns of the rows as the driver gives them, truths as 0 and 1 too."""
        _model, sql, parameters = self._with(values)
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall()

    def _with(self, values: dict[str, Any]) -> tuple[type[models.Model], str, list]:
        if connection.vendor not in self.compiled:
            queryset = self.build()
            text = queryset.query.sql_with_params()
            self.compiled[connection.vendor] = (queryset.model, *text)
        model, sql, parameters = self.compiled[connection.vendor]
        filled = {name: _as_parameter(value) for name, value in values.items()}
        parameters = [filled[p.value] if isinstance(p, Slot) else p for p in parameters]
        return model, sql, parameters


def one_of(column: str, weighed: bool = False) -> str:
    """The condition that a column has one of the integers of one parameter.

    PostgreSQL's planner weighs each of them, which takes longer for hundreds than the
    query does: unless it shall, they are hidden from it.
    """
    if connection.vendor != "postgresql":
        return f"{column} IN ({_table()})"
    array = "%s" if weighed else "(SELECT %s::bigint[])"
    return f"{column} = ANY({array}::bigint[])"


def _table() -> str:
    """The integers of one parameter as a table."""
    if connection.vendor == "postgresql":
        return "SELECT unnest(%s::bigint[])"
    return "SELECT value FROM json_each(%s)"


def as_parameter(keys: Iterable[int]) -> str:
    """Any number of integers as one parameter: an array's text in PostgreSQL, else JSON."""
    listed = str(list(keys))
    return f"{{{listed[1:-1]}}}" if connection.vendor == "postgresql" else listed


def _as_parameter(value: Any) -> Any:
    """A text, a primary key, some of them, or an instant, as the driver takes it."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value if isinstance(value, int | str) else as_parameter(value)
