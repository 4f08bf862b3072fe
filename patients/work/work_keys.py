"""The keys by which panels find open work: what they must be, and who writes them.

An item that waits is found among everyone's patients, and among those of each patient
group that its patient is in; in each once among all items, and once among those of the
person or team to whom it was given, or of nobody; and so for each order in which items of
its kind are listed. The book of these keys is kept as that
of names is, by patients.search.stream_keys.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F, IntegerField, QuerySet, Value
from django.db.models.functions import Cast

from patients import work
from patients.models.work_keys import (
    ANYBODY,
    LOOSE,
    NOBODY,
    WorkKey,
    person,
    stream_of,
    team,
)
from patients.search import stream_keys
from patients.search.folding import SEPARATOR
from patients.search.stream_keys import AT_ONCE, Groups, Needed

# Behind every date, and ahead of the end of a scan.
UNDATED = "~"


class Key(NamedTuple):
    """What a work key says."""

    stream: int
    kind: int
    place: str
    item: int


class Waiting(NamedTuple):
    """What of an open item its keys follow from."""

    patient: int | None
    kind: int
    item: int
    key: str
    date: datetime | None
    rank: int | None
    assignee: int | None
    team: int | None

    @property
    def place(self) -> str:
        """Where the item's keys stand."""
        return place_of(self.date, self.key, self.rank)

    def keys(self, sources: Iterable[int | None]) -> Iterator[Key]:
        """Its keys; it is found in these sources."""
        for source in sources:
            for whose in (ANYBODY, holder(self.assignee, self.team)):
                yield Key(stream_of(whose, source), self.kind, self.place, self.item)


def place_of(date: datetime | None, key: str, rank: int | None = None) -> str:
    """Where an item stands in an order: by rank, by date, undated ones last."""
    said = date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") if date else UNDATED
    ranked = "" if rank is None else f"{rank}{SEPARATOR}"
    return f"{ranked}{said}{SEPARATOR}{key}"


def place_in(order: work.Order, item: Any) -> str:
    """Where an item stands in an order of its kind."""
    rank = getattr(item, order.ranked_by) if order.ranked_by else None
    return place_of(getattr(item, order.dated_by), item.key, rank)


def holder(assignee: int | None, in_team: int | None) -> int:
    """Whose an item is: the person's, or else the team's, or else nobody's."""
    if assignee:
        return person(assignee)
    return team(in_team) if in_team else NOBODY


def keep(item: Any, patient_before: int | None) -> None:
    """Make the keys of an item that was saved what they must be, in its transaction.

    `patient_before` is whom it was about in the database.
    """
    patients = {pk for pk in (item.patient_id, patient_before) if pk}
    if patients:
        stream_keys.refresh(patients, WORK)
    if work.kind_of(type(item)).loose:
        _put_right_loose(work.kind_of(type(item)), [item.pk])


def check_loose(*, repair: bool = False) -> int:
    """How many items about no patient have wrong keys; put right if wanted.

    Keys that have no such item are not looked for: they propose nothing.
    """
    wrong = 0
    for kind in work.KINDS.values():
        last = 0
        rows = kind.model._base_manager.filter(patient=None).order_by("pk")
        while pks := list(
            rows.filter(pk__gt=last).values_list("pk", flat=True)[:AT_ONCE]
        ):
            last = pks[-1]
            wrong += len(_put_right_loose(kind, pks, write=repair))
    return wrong


def _put_right_loose(kind: work.Kind, items: list[int], write: bool = True) -> set[int]:
    """The items of these that had wrong keys as items about no patient."""
    with transaction.atomic():
        orders = kind.every_order()
        loose = [_waiting(kind, o).filter(pk__in=items, patient=None) for o in orders]
        rows = [Waiting(*row) for row in loose[0].union(*loose[1:], all=True)]
        needed = {key for row in rows for key in row.keys([LOOSE])}
        numbers = [order.number for order in orders]
        known = WorkKey.objects.filter(patient=None, kind__in=numbers, item__in=items)
        there = [(pk, Key(*key)) for pk, *key in known.values_list("pk", *Key._fields)]
        gone, missing = stream_keys.difference(needed, there)
        if write:
            WorkKey.objects.filter(pk__in=gone).delete()
            WorkKey.objects.bulk_create(WorkKey(**key._asdict()) for key in missing)
        said = dict(there)
        return {said[pk].item for pk in gone} | {key.item for key in missing}


def _needed(patients: dict[int, Any], groups: dict[int, Groups]) -> Needed:
    """The keys of open work that these patients must have, by primary key; one query."""
    found: Needed = {pk: set() for pk in patients}
    parts = [
        _waiting(kind, order).filter(patient__in=patients)
        for kind in work.KINDS.values()
        for order in kind.every_order()
    ]
    if not parts or not patients:
        return found
    first, *others = parts
    for row in map(Waiting._make, first.union(*others, all=True)):
        found[row.patient].update(row.keys(groups[row.patient]))
    return found


def _waiting(kind: work.Kind, order: work.Order) -> QuerySet:
    """The open items of a kind, as Waiting has them for one of its orders."""
    rows = kind.model._base_manager.filter(kind.open).order_by()
    rank = F(order.ranked_by) if order.ranked_by else Value(None)
    return rows.annotate(
        work_kind=Value(order.number, IntegerField()),
        work_date=F(order.dated_by),
        work_rank=Cast(rank, IntegerField()),
    ).values_list(
        "patient",
        "work_kind",
        "pk",
        "key",
        "work_date",
        "work_rank",
        "assignee",
        "team",
    )


def _open_work() -> list[QuerySet]:
    """The open items about patients, by kind."""
    return [
        kind.model._base_manager.filter(kind.open, patient__isnull=False)
        for kind in work.KINDS.values()
    ]


WORK = stream_keys.Book(WorkKey, Key, _needed, _open_work)
