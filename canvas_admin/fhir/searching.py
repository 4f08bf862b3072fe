"""A search as it is asked, and rows in pages (FHIR R4, Search; facts 5.5)."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from django.db.models import F, Model, OrderBy, Q, QuerySet
from django.db.models.functions import Coalesce
from django.http import QueryDict

from canvas_admin.fhir.bundles import Rejected
from canvas_admin.fhir.parameters import Parameter

COUNT, MOST = 10, 100
# Offsets go so far; behind them a page is found by the last row of the one before.
FURTHEST = 10_000
# Totals are exact up to here, and are left out above.
MOST_COUNTED = 10_000
# So many keys cost about what one does; fewer than this are counted by reading them.
SOME = 1_000
LONGEST = 1_000
VALUES = 100
RESULTS = (
    "_count _offset _cursor _sort _total _summary _elements _format _include _revinclude"
).split()


@dataclass(frozen=True)
class Asked:
    """One search parameter: what it is called, how it is modified, what it may be."""

    name: str
    parameter: Parameter
    modifier: str
    values: tuple[str, ...]

    def condition(self, request: Any) -> Q:
        """What the matches have to be, for this caller."""
        return self.parameter.bound(request).either(self.values, self.modifier)


@dataclass(frozen=True)
class Search:
    """What a search asks for: the matches, their order, and how much of them."""

    asked: tuple[Asked, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    count: int = COUNT
    offset: int = 0
    cursor: str = ""
    total: str = ""
    summary: str = ""
    elements: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    revinclude: tuple[str, ...] = ()
    ignored: tuple[str, ...] = field(default=(), compare=False)

    @classmethod
    def read(
        cls,
        query: QueryDict,
        known: Callable[[str], Parameter | None],
        sorts: Mapping[str, Any],
    ) -> "Search":
        """A search out of what was sent; what nobody knows is `ignored` (facts 5.2).

        Raises Rejected for a known parameter with an unknown modifier or a bad value.
        """
        asked, ignored = [], []
        for name, texts in query.lists():
            if name in RESULTS:
                continue
            base, parameter, modifier = _named(name, known)
            if parameter is None:
                # To leave out a part of what is known would find too much.
                first = re.split(r"[.:]", name)[0]
                if first == "_has" or known(first):
                    raise Rejected(f"{name[:40]}: is not supported")
                ignored.append(name)
                continue
            for text in texts:
                asked += _asked(base, parameter, modifier, text)
        return cls(
            asked=tuple(asked),
            sort=_sort(query.get("_sort", ""), sorts),
            count=_count(query.get("_count", "")),
            offset=_number(query.get("_offset", ""), "_offset", FURTHEST),
            cursor=query.get("_cursor", ""),
            total=query.get("_total", ""),
            summary=query.get("_summary", ""),
            elements=tuple(filter(None, query.get("_elements", "").split(","))),
            include=tuple(query.getlist("_include")),
            revinclude=tuple(query.getlist("_revinclude")),
            ignored=tuple(ignored),
        )

    def condition(self, request: Any) -> Q:
        """All that the matches have to be."""
        found = Q()
        for asked in self.asked:
            found &= asked.condition(request)
        return found

    def given(self, *names: str) -> list[Asked]:
        """The parameters of these names that were given without a modifier."""
        return [each for each in self.asked if each.name in names and not each.modifier]


@dataclass(frozen=True)
class Rows:
    """Matches as a query has them, in an order that ends with what is unique.

    `order` are pairs of a field and whether it goes backwards; a row without a value comes
    last either way. A database may walk through the index over the order until it has met
    enough matches: not unless `walked`, where these stand together and so may come late.
    """

    queryset: QuerySet
    order: tuple[tuple[str, bool], ...]
    walked: bool = True

    def page(self, offset: int, last: Model | None, size: int) -> list[Any]:
        """So many rows, behind a number of others or behind one row."""
        begin = 0 if last else offset
        return list(self._from(last)[begin : begin + size])

    def keys(self, last: Model | None, size: int) -> list[int]:
        """The primary keys of the first so many rows, of all or of those behind one."""
        return list(self._from(last).values_list("pk", flat=True)[:size])

    def count(self, most: int | None) -> int:
        """How many there are, up to a number or all of them."""
        rows = self.queryset.order_by().values("pk")
        return (rows if most is None else rows[:most]).count()

    def _from(self, last: Model | None) -> QuerySet:
        rows = self.queryset.order_by(*(self._by(*each) for each in self.order))
        return rows.filter(self._behind(last)) if last else rows

    def _by(self, name: str, down: bool) -> OrderBy:
        # An index over a column is none over an expression.
        by = F(name) if self.walked else Coalesce(F(name), F(name))
        return by.desc(nulls_last=True) if down else by.asc(nulls_last=True)

    def _behind(self, last: Model) -> Q:
        found, same = Q(pk__in=()), Q()
        for name, down in self.order:
            value = _value(last, name)
            if value is None:
                same &= Q(**{f"{name}__isnull": True})
                continue
            further = Q(**{f"{name}__{'lt' if down else 'gt'}": value})
            found |= same & (further | Q(**{f"{name}__isnull": True}))
            same &= Q(**{name: value})
        return found


@dataclass(frozen=True)
class Ways:
    """Matches of one model, found in several ways of which no two find the same row.

    For a condition of alternatives that no index serves as a whole, and each by itself.
    `shown` are all rows with what an answer needs of them, in the order of the ways: of
    these it takes what the ways have found.
    """

    shown: Rows
    ways: tuple[Rows, ...]

    def page(self, offset: int, last: Model | None, size: int) -> list[Any]:
        """So many rows, behind a number of others or behind one row."""
        begin = 0 if last else offset
        most = begin + size
        if last or most > SOME:
            found = [way.keys(last, most) for way in self.ways]
        else:
            found = self._first
        keys = [key for of_way in found for key in of_way[:most]]
        rows = self.shown.queryset.filter(pk__in=keys)
        return replace(self.shown, queryset=rows).page(begin, None, size)

    def count(self, most: int | None) -> int:
        """How many there are, up to a number or all of them."""
        if any(len(keys) > SOME for keys in self._first):
            return _sum(self.ways, most)
        number = sum(map(len, self._first))
        return number if most is None else min(number, most)

    @cached_property
    def _first(self) -> list[list[int]]:
        """The first primary keys of each way; of one with few, all."""
        return [way.keys(None, SOME + 1) for way in self.ways]


@dataclass(frozen=True)
class Parts:
    """Matches of several models, those of one model after those of another."""

    of: tuple[Rows, ...]

    def page(self, offset: int, last: Model | None, size: int) -> list[Any]:
        """So many rows, behind a number of others or behind one row."""
        found: list[Any] = []
        begun = last is None
        for part in self.of:
            here = last is not None and part.queryset.model is type(last)
            begun = begun or here
            if not begun or len(found) == size:
                continue
            behind = last if here else None
            rows = part.page(offset, behind, size - len(found))
            found += rows
            if last is None and offset:
                # Nothing before the part that has rows from there on is left out.
                offset = 0 if rows else offset - part.count(offset)
        return found

    def count(self, most: int | None) -> int:
        """How many there are, up to a number or all of them."""
        return _sum(self.of, most)


def _sum(parts: Iterable[Rows], most: int | None) -> int:
    number = 0
    for part in parts:
        if most is None or number < most:
            number += part.count(None if most is None else most - number)
    return number


def _value(row: Any, name: str) -> Any:
    for part in name.split("__"):
        row = getattr(row, part)
    return row


def _named(
    name: str, known: Callable[[str], Parameter | None]
) -> tuple[str, Parameter | None, str]:
    """Its name, the parameter itself and the modifier behind it."""
    if found := known(name):
        return name, found, ""
    base, _colon, modifier = name.rpartition(":")
    return base, known(base) if base else None, modifier


def _asked(base: str, parameter: Parameter, modifier: str, text: str) -> list[Asked]:
    if modifier and modifier not in (*parameter.modifiers, "missing"):
        raise Rejected(f"{base}: the modifier '{modifier[:20]}' is not supported")
    if "\x00" in text or len(text) > LONGEST:
        raise Rejected(f"{base}: a value is too long or has a NUL character")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Rejected(f"{base}: a value has half a character pair")
    values = tuple(filter(None, text.split(",")))
    if len(values) > VALUES:
        raise Rejected(f"{base}: more than {VALUES} values")
    if modifier == "missing":
        if values not in (("true",), ("false",)):
            raise Rejected(f"{base}:missing is true or false")
        if parameter.missing is None:
            raise Rejected(f"{base}: the modifier 'missing' is not supported")
    # An empty parameter asks for nothing (FHIR R4, Search).
    return [Asked(base, parameter, modifier, values)] if values else []


def _sort(text: str, sorts: Mapping[str, Any]) -> tuple[tuple[str, bool], ...]:
    found = []
    for name in filter(None, text.split(",")):
        down, field_name = name.startswith("-"), name.removeprefix("-")
        if field_name not in sorts:
            known = ", ".join(sorts) or "nothing"
            raise Rejected(f"_sort: '{field_name[:20]}' is unknown; known is {known}")
        found.append((field_name, down))
    return tuple(found)


def _count(text: str) -> int:
    return min(_number(text, "_count", 10**9, COUNT), MOST)


def _number(text: str, name: str, most: int, usual: int = 0) -> int:
    if not text:
        return usual
    if not (text.isascii() and text.isdecimal() and len(text) < 12):
        raise Rejected(f"{name}: a whole number belongs here")
    if int(text) > most:
        raise Rejected(f"{name}: {most} is the most; follow the link “next” beyond it")
    return int(text)
