"""Queries that are asked all day: many integers as one parameter, and compiled once.

For a rule within a rule Django takes longer to write the SQL than the database to answer.
"""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connection, models


class Slot(models.Value):
    """A place in a prepared query; a value fills it at each use."""

    def __init__(self, name: str, output_field: models.Field | None = None) -> None:
        super().__init__(name, output_field)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return "%s", [self]


@models.ForeignKey.register_lookup
@models.BigAutoField.register_lookup
class Among(models.Lookup):
    """owner__among=[1, 2, 3]: the key is one of these primary keys.

    Django's own `in` makes a placeholder of each, which costs more than the query where
    somebody holds hundreds of groups. Takes a Slot too.
    """

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        left, parameters = self.process_lhs(compiler, connection)
        keys = self.rhs if isinstance(self.rhs, Slot) else _as_parameter(self.rhs)
        if connection.vendor == "postgresql":
            return f"{left} = ANY(%s)", [*parameters, keys]
        return f"{left} IN (SELECT value FROM json_each(%s))", [*parameters, keys]  # noqa: S608


class Prepared:
    """A queryset with slots, whose SQL is written once in each process.

    Its text must follow from the code alone: whatever differs from use to use is a Slot.
    """

    def __init__(self, build: Callable[[], models.QuerySet]) -> None:
        self.build = build
        self.compiled: dict[str, tuple[type[models.Model], str, tuple[Any, ...]]] = {}

    def rows(self, **values: Any) -> models.query.RawQuerySet:
        """The rows with these values in the slots of these names."""
        if connection.vendor not in self.compiled:
            queryset = self.build()
            text = queryset.query.sql_with_params()
            self.compiled[connection.vendor] = (queryset.model, *text)
        model, sql, parameters = self.compiled[connection.vendor]
        filled = {name: _as_parameter(value) for name, value in values.items()}
        return model._base_manager.raw(
            sql, [filled[p.value] if isinstance(p, Slot) else p for p in parameters]
        )


def _as_parameter(value: Any) -> Any:
    """An instant or some primary keys, as this database's driver takes them."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return list(value) if connection.vendor == "postgresql" else json.dumps(list(value))
