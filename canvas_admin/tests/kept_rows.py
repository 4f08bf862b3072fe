"""Rows that many tests begin with: made once by our own methods, then put back in bulk."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import models, transaction

from staffing.models import ManagedGroupLink, Staff, User

ROOMS = ("auth", "staffing", "patients", "tasks", "audit", "events", "protocols")
# In any order: databases look at foreign keys when a transaction ends.
TABLES: tuple[type[models.Model], ...] = tuple(
    model
    for room in ROOMS
    for model in apps.get_app_config(room).get_models(include_auto_created=True)
    if not model._meta.proxy
)


class Keeper:
    """Remembers what `make` wrote, as long as the rows that it refers to are the same.

    A test that empties the database makes the managed groups anew, under other ids: then
    `make` runs again.
    """

    def __init__(self, make: Callable[[], SimpleNamespace]) -> None:
        self.make = make
        self.ground: Any = None

    def put_back(self) -> SimpleNamespace:
        """The rows are in the database again; returns what `make` did, read afresh."""
        if self.ground != (ground := self._ground()):
            self._remember()
            self.ground = ground
        with transaction.atomic():
            for table, rows in self.rows.items():
                models.QuerySet(table).bulk_create(rows)
        found = {
            table: table._base_manager.in_bulk(pks)
            for table, pks in self.wanted.items()
        }
        for staff in found[Staff].values():
            staff.user = found[User][staff.user_id]
            staff.user.staff = staff
        made = SimpleNamespace(**self.others)
        for (name, key), (table, pk) in self.named.items():
            row = found[table][pk]
            if key is None:
                setattr(made, name, row)
            else:
                vars(made).setdefault(name, {})[key] = row
        return made

    def _ground(self) -> Any:
        links = ManagedGroupLink.objects.order_by("code")
        access = Permission.objects.get(codename="access_patients")
        return [access.pk, *links.values_list("group_id", flat=True)]

    def _remember(self) -> None:
        before = {table: _pks(table) for table in TABLES}
        with transaction.atomic():
            made = vars(self.make())
            made_of = {
                table: list(models.QuerySet(table).exclude(pk__in=before[table]))
                for table in TABLES
            }
            self.rows = {table: rows for table, rows in made_of.items() if rows}
            transaction.set_rollback(True)
        self.named = {at: (type(row), row.pk) for at, row in _named(made)}
        names = {name for name, _key in self.named}
        self.others = {n: v for n, v in made.items() if n not in names}
        self.wanted = {User: [], Staff: []}
        for table, pk in self.named.values():
            self.wanted.setdefault(table, []).append(pk)
        self.wanted[User] = [
            row.user_id for row in self.rows[Staff] if row.pk in self.wanted[Staff]
        ]


def _named(made: dict[str, Any]) -> Iterator[tuple[tuple[str, Any], models.Model]]:
    """((name, None), row), and ((name, key), row) of each row in a dict of rows."""
    for name, value in made.items():
        if isinstance(value, models.Model):
            yield (name, None), value
        elif isinstance(value, dict):
            rows = value.items()
            if all(isinstance(row, models.Model) for _key, row in rows):
                yield from (((name, key), row) for key, row in rows)


def _pks(table: type[models.Model]) -> list[int]:
    return list(table._base_manager.values_list("pk", flat=True))
