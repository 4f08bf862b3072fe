"""The kinds of work that can be assigned, and the shelves from which lists are read.

Both are tables, filled by each app when it starts: a kind that registers here has its
panel, stranded work (security A10) and the keys by which its items are found. Tasks
register from their own app.
"""

from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import Q

# Behind the number of an order is, so far off, that of its keys by label.
BY_LABEL = 100


@dataclass(frozen=True)
class Order:
    """An order of rows: by an instant, first by a rank where one is named.

    `number` stands in the database and never changes. `backwards` shows the latest first.
    """

    number: int
    dated_by: str
    ranked_by: str = ""
    backwards: bool = False

    @property
    def fields(self) -> list[str]:
        """Those that tell where a row stands."""
        return [field for field in (self.ranked_by, self.dated_by) if field]


@dataclass(frozen=True)
class Shelf:
    """Rows of one model that lists find by keys: which, and in which orders.

    The model is a patients.models.Shelved. `orders` go by code, the usual one by "". Rows
    that are `loose` may be about no patient. `labelled_by` leads to the primary keys of
    the labels by which rows are looked for, too. `related` and `prefetched` are what a list
    shows of each.
    """

    model: type[models.Model]
    rows: Q
    orders: dict[str, Order] = field(hash=False)
    loose: bool = False
    labelled_by: str = ""
    related: tuple[str, ...] = ()
    prefetched: tuple[Any, ...] = ()

    @property
    def numbers(self) -> list[int]:
        """The kinds of its keys."""
        plain = [order.number for order in self.orders.values()]
        return plain + [BY_LABEL + n for n in plain if self.labelled_by]

    def with_rest(self, rows: models.QuerySet) -> models.QuerySet:
        """These rows with what is shown of each, so that no row asks for more."""
        found = rows.select_related("assignee", "team", *self.related)
        return found.prefetch_related(*self.prefetched)


@dataclass(frozen=True)
class Kind:
    """A kind of work: its open items, its panel, and the permissions that open both.

    The model of its shelf is a patients.models.WorkItem. `to_act` are the permissions to
    hand over an item and to finish it. `row` is the template of an item in a panel,
    `whole` that of all of it.
    """

    code: str
    shelf: Shelf
    title: Any
    url_name: str
    permissions: tuple[str, ...]
    to_act: tuple[str, ...]
    row: str
    whole: str = ""

    @property
    def model(self) -> type[models.Model]:
        """Whose rows its items are."""
        return self.shelf.model

    @property
    def number(self) -> int:
        """That of the order of its panel."""
        return self.shelf.orders[""].number

    @property
    def loose(self) -> bool:
        """Whether items may be about no patient."""
        return self.shelf.loose

    @property
    def open(self) -> Q:
        """Which items wait for somebody."""
        return self.shelf.rows

    @property
    def dated_by(self) -> str:
        """The field with the instant that orders a panel."""
        return self.model.dated_by


KINDS: dict[str, Kind] = {}
# By the numbers of their keys.
SHELVES: dict[int, Shelf] = {}


def register(kind: Kind) -> None:
    """Add a kind of work; raises ValueError for a code or number that is taken."""
    if KINDS.get(kind.code, kind) != kind:
        raise ValueError(f"The code {kind.code} is taken.")
    shelve(kind.shelf)
    KINDS[kind.code] = kind


def shelve(shelf: Shelf) -> None:
    """Let a shelf have keys; raises ValueError for a number that is taken."""
    for number in shelf.numbers:
        if SHELVES.get(number, shelf) != shelf:
            raise ValueError(f"{number} is taken by {SHELVES[number].model.__name__}.")
    SHELVES.update(dict.fromkeys(shelf.numbers, shelf))


def shelves(model: type[models.Model] | None = None) -> list[Shelf]:
    """Each shelf once: all of them, or those of a model."""
    found = {shelf.numbers[0]: shelf for shelf in SHELVES.values()}
    return [s for s in found.values() if model is None or issubclass(model, s.model)]


def kind_of(model: type[models.Model]) -> Kind:
    """The kind that this model's rows are; raises LookupError for one that is none."""
    for kind in KINDS.values():
        if kind.model is model:
            return kind
    raise LookupError(f"{model.__name__} is not registered as work.")
