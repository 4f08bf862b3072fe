"""The keys by which lists find the rows of shelves: what they must be, and who writes them.

A row is found among everyone's patients, and among those of each patient group that its
patient is in; in each once among all rows, and once among those of the person or team to
whom it was given, or of nobody; and so for each order of its shelf, and in each for every
label that it has. The book of these keys is kept as that of names is, by
patients.search.stream_keys.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import BigIntegerField, F, IntegerField, QuerySet, Value
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
    """What of a row its keys in one order follow from, by one of its labels or by none."""

    patient: int | None
    kind: int
    item: int
    key: str
    date: datetime | None
    rank: int | None
    assignee: int | None
    team: int | None
    label: int | None = None

    @property
    def place(self) -> str:
        """Where the item's keys stand."""
        return place_of(self.date, self.key, self.rank, self.label)

    def keys(self, sources: Iterable[int | None]) -> Iterator[Key]:
        """Its keys; it is found in these sources."""
        for source in sources:
            for whose in (ANYBODY, holder(self.assignee, self.team)):
                yield Key(stream_of(whose, source), self.kind, self.place, self.item)


def place_of(
    date: datetime | None, key: str, rank: int | None = None, label: int | None = None
) -> str:
    """Where an item stands in an order: of a label, by rank, by date, undated ones last."""
    said = date.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") if date else UNDATED
    ranked = "" if rank is None else f"{rank}{SEPARATOR}"
    return f"{labelled(label)}{ranked}{said}{SEPARATOR}{key}"


def labelled(label: int | None) -> str:
    """What the places of a label's items begin with."""
    return "" if label is None else f"{label}{SEPARATOR}"


def place_in(order: work.Order, item: Any, label: int | None = None) -> str:
    """Where an item stands in an order of its shelf, among all or those of a label."""
    rank = getattr(item, order.ranked_by) if order.ranked_by else None
    return place_of(getattr(item, order.dated_by), item.key, rank, label)


def holder(assignee: int | None, in_team: int | None) -> int:
    """Whose an item is: the person's, or else the team's, or else nobody's."""
    if assignee:
        return person(assignee)
    return team(in_team) if in_team else NOBODY


def keep(item: Any, patient_before: int | None) -> None:
    """Make the keys of an item that was saved what they must be, in its transaction.

    `patient_before` is whom it was about in the database.
    """
    shelves = work.shelves(type(item))
    patients = {pk for pk in (item.patient_id, patient_before) if pk}
    if patients:
        numbers = [number for shelf in shelves for number in shelf.numbers]
        one = replace(
            WORK,
            needed=partial(_needed, shelves=shelves, pk=item.pk),
            narrowed={"item": item.pk, "kind__in": numbers},
        )
        stream_keys.refresh(patients, one)
    if any(shelf.loose for shelf in shelves):
        _put_right_loose(shelves, [item.pk])


def check_loose(*, repair: bool = False) -> int:
    """How many items about no patient have wrong keys; put right if wanted.

    Keys that have no such item are not looked for: they propose nothing.
    """
    wrong = 0
    for model in dict.fromkeys(s.model for s in work.shelves() if s.loose):
        last = 0
        rows = model._base_manager.filter(patient=None).order_by("pk")
        while pks := list(
            rows.filter(pk__gt=last).values_list("pk", flat=True)[:AT_ONCE]
        ):
            last = pks[-1]
            wrong += len(_put_right_loose(work.shelves(model), pks, write=repair))
    return wrong


def _put_right_loose(
    shelves: list[work.Shelf], items: list[int], write: bool = True
) -> set[int]:
    """The items of these that had wrong keys as items about no patient."""
    with transaction.atomic():
        rows = _waiting(shelves, pk__in=items, patient=None)
        needed = {key for row in rows for key in row.keys([LOOSE])}
        numbers = [number for shelf in shelves for number in shelf.numbers]
        known = WorkKey.objects.filter(patient=None, kind__in=numbers, item__in=items)
        there = [(pk, Key(*key)) for pk, *key in known.values_list("pk", *Key._fields)]
        gone, missing = stream_keys.difference(needed, there)
        if write:
            WorkKey.objects.filter(pk__in=gone).delete()
            WorkKey.objects.bulk_create(WorkKey(**key._asdict()) for key in missing)
        said = dict(there)
        return {said[pk].item for pk in gone} | {key.item for key in missing}


def _needed(
    patients: dict[int, Any],
    groups: dict[int, Groups],
    shelves: list[work.Shelf] | None = None,
    **narrowed: Any,
) -> Needed:
    """The keys of rows on shelves that these patients must have, by primary key; one query."""
    found: Needed = {pk: set() for pk in patients}
    for row in _waiting(shelves or work.shelves(), patient__in=patients, **narrowed):
        found[row.patient].update(row.keys(groups[row.patient]))
    return found


def _waiting(shelves: list[work.Shelf], **which: Any) -> Iterator[Waiting]:
    """Those of these rows that are on these shelves, as each order has them; one query."""
    parts = [
        rows.filter(**which)
        for shelf in shelves
        for order in shelf.orders.values()
        for rows in _in_order(shelf, order)
    ]
    return (
        map(Waiting._make, parts[0].union(*parts[1:], all=True)) if parts else iter(())
    )


def _in_order(shelf: work.Shelf, order: work.Order) -> Iterator[QuerySet]:
    """The rows of a shelf in one of its orders: all, and those that have a label by each."""
    yield _said(shelf, order, order.number, Value(None))
    if shelf.labelled_by:
        label = F(shelf.labelled_by)
        rows = _said(shelf, order, work.BY_LABEL + order.number, label)
        yield rows.filter(work_label__isnull=False)


def _said(shelf: work.Shelf, order: work.Order, number: int, label: Any) -> QuerySet:
    """The rows of a shelf, as Waiting has them."""
    rank = F(order.ranked_by) if order.ranked_by else Value(None)
    rows = shelf.model._base_manager.filter(shelf.rows).order_by()
    return rows.annotate(
        work_kind=Value(number, IntegerField()),
        work_date=F(order.dated_by),
        work_rank=Cast(rank, IntegerField()),
        work_label=Cast(label, BigIntegerField()),
    ).values_list(
        "patient",
        "work_kind",
        "pk",
        "key",
        "work_date",
        "work_rank",
        "assignee",
        "team",
        "work_label",
    )


def _sources() -> Iterator[tuple[QuerySet, QuerySet]]:
    """The rows about patients that have keys, and these keys, by order and label."""
    everyone = stream_of(ANYBODY, None)
    for shelf in work.shelves():
        for order in shelf.orders.values():
            numbers = (order.number, work.BY_LABEL + order.number)
            for number, rows in zip(numbers, _in_order(shelf, order), strict=False):
                keys = WorkKey.objects.filter(stream=everyone, kind=number)
                yield rows.filter(patient__isnull=False), keys


WORK = stream_keys.Book(WorkKey, Key, _needed, _sources, loose=check_loose)
