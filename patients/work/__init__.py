"""The kinds of work that can be assigned: one table, filled by each app when it starts.

Panels, stranded work (security A10) and the keys by which work is found read it, so that
a kind which registers here has them all. Tasks register from their own app.
"""

from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import Q


@dataclass(frozen=True)
class Order:
    """An order of a kind's open items: by an instant, first by a rank where one is named.

    `number` stands in the database beside those of kinds and never changes. `backwards`
    shows the latest first.
    """

    number: int
    dated_by: str
    ranked_by: str = ""
    backwards: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of work: its model, its panel, and the permissions that open both.

    The model is a patients.models.WorkItem. `number` stands in the database and never
    changes. `to_act` are the permissions to hand over an item and to finish it. `row` is
    the template of an item in a panel, `whole` that of all of it; `related` and
    `prefetched` are what they need beside the item. Items of a kind that is `loose` may
    be about no patient. `orders` are those in which it is listed besides its panel's, by
    code.
    """

    code: str
    number: int
    model: type[models.Model]
    title: Any
    url_name: str
    permissions: tuple[str, ...]
    to_act: tuple[str, ...]
    row: str
    whole: str = ""
    related: tuple[str, ...] = ()
    prefetched: tuple[Any, ...] = ()
    loose: bool = False
    orders: dict[str, Order] = field(default_factory=dict, hash=False)

    def order(self, code: str = "") -> Order:
        """One of its orders; without a code that of its panel."""
        return self.orders[code] if code else Order(self.number, self.dated_by)

    def every_order(self) -> list[Order]:
        """All of them: each has keys of its own."""
        return [self.order(), *self.orders.values()]

    @property
    def open(self) -> Q:
        """Which items wait for somebody."""
        return self.model.OPEN

    def with_rest(self, rows: models.QuerySet) -> models.QuerySet:
        """These items with what is shown of each, so that no row asks for more."""
        found = rows.select_related("assignee", "team", *self.related)
        return found.prefetch_related(*self.prefetched)

    @property
    def dated_by(self) -> str:
        """The field with the instant that orders a panel."""
        return self.model.dated_by


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Add a kind of work; raises ValueError for a code or number that is taken."""
    for other in KINDS.values():
        taken = {order.number for order in other.every_order()}
        mine = {order.number for order in kind.every_order()}
        if other != kind and (other.code == kind.code or taken & mine):
            raise ValueError(f"{kind.code}: code or number is taken by {other.code}.")
    KINDS[kind.code] = kind


def kind_of(model: type[models.Model]) -> Kind:
    """The kind that this model's rows are; raises LookupError for one that is none."""
    for kind in KINDS.values():
        if kind.model is model:
            return kind
    raise LookupError(f"{model.__name__} is not registered as work.")
