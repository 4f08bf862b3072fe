"""Search parameters: what a value asks for, as a condition on rows (FHIR R4, Search).

Each kind of parameter turns one value into a condition; values of one parameter between
commas are alternatives, and a parameter that is given again narrows further.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from django.db.models import Model, Q

from canvas_admin.fhir.dates import midnight, next_midnight, read_date

NOTHING = Q(pk__in=())


@dataclass(frozen=True)
class Parameter(ABC):
    """A search parameter. `missing` is the condition that a row has no such value."""

    missing: Q | None = field(default=None, kw_only=True)
    documentation: str = field(default="", kw_only=True)
    kind: ClassVar[str] = ""
    modifiers: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def condition(self, value: str, modifier: str = "") -> Q:
        """What rows have to be for one value. Raises Rejected for one that means nothing."""

    def either(self, values: Sequence[str], modifier: str = "") -> Q:
        """What rows have to be: one of the values; with `:not` none of them."""
        if modifier == "missing":
            missing = NOTHING if self.missing is None else self.missing
            return missing if values[0] == "true" else ~missing
        plain = "" if modifier == "not" else modifier
        found = NOTHING
        for value in values:
            found |= self.condition(value, plain)
        return ~found if modifier == "not" else found

    def bound(self, request: Any) -> "Parameter":
        """The parameter for this caller, where what it finds depends on who asks."""
        return self


@dataclass(frozen=True)
class Token(Parameter):
    """A code that a field has; `codes` gives ours for FHIR's where they differ.

    The value may say in which system, as `system|code`; we have one for each field.
    """

    field: str
    codes: Mapping[str, Any] | None = None
    kind = "token"
    modifiers = ("not",)

    def condition(self, value: str, modifier: str = "") -> Q:
        code = value.rpartition("|")[2]
        if self.codes is not None:
            found = Q(**{self.field: self.codes[code]}) if code in self.codes else None
        else:
            found = Q(**{self.field: code}) if code else None
        return NOTHING if found is None else found


BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class Coded(Parameter):
    """A code of which each stands for a condition, which may depend on the day."""

    conditions: Mapping[str, Callable[[], Q]]
    kind = "token"
    modifiers = ("not",)

    def condition(self, value: str, modifier: str = "") -> Q:
        meant = self.conditions.get(value.rpartition("|")[2])
        return meant() if meant else NOTHING


@dataclass(frozen=True)
class LogicalId(Parameter):
    """The id of a resource, alone or with its type: `<id>` or `Task/<id>`."""

    field: str
    type: str
    pattern: re.Pattern[str]
    kind = "token"

    def condition(self, value: str, modifier: str = "") -> Q:
        found = value.removeprefix(f"{self.type}/")
        return Q(**{self.field: found}) if self.pattern.fullmatch(found) else NOTHING


@dataclass(frozen=True)
class Reference(Parameter):
    """Another resource, by its id: `<id>`, `Type/<id>`, or the address of one."""

    field: str
    type: str
    pattern: re.Pattern[str]
    kind = "reference"

    @property
    def modifiers(self) -> tuple[str, ...]:
        return (self.type,)

    @property
    def path(self) -> str:
        """The relation that leads to what is referred to."""
        return self.field.rpartition("__")[0]

    def condition(self, value: str, modifier: str = "") -> Q:
        kind, slash, found = value.rpartition("/")
        if slash and kind.rpartition("/")[2] != self.type:
            return NOTHING
        asked = f"{self.path}__known_as" if self.path else self.field
        return Q(**{asked: found}) if self.pattern.fullmatch(found) else NOTHING


@dataclass(frozen=True)
class Text(Parameter):
    """The beginning of a text, compared as `fold` writes both; `:exact` all as it is.

    `folded` is the field with folded words, each behind a space, `plain` the text as it was
    written. In `each` word a text may begin, too.
    """

    folded: str
    plain: str
    fold: Callable[[str], str]
    each: bool = False
    kind = "string"
    modifiers = ("exact",)

    def condition(self, value: str, modifier: str = "") -> Q:
        if modifier == "exact":
            return Q(**{self.plain: value})
        words = self.fold(value)
        if not words.strip():
            return NOTHING
        if self.each:
            return Q(**{f"{self.folded}__contains": words})
        # A range: "begins with" is compared otherwise on each database.
        return Q(**{f"{self.folded}__gte": words, f"{self.folded}__lt": f"{words}\x7f"})


@dataclass(frozen=True)
class Either(Parameter):
    """What any of several parameters would find."""

    of: tuple[Parameter, ...]

    @property
    def kind(self) -> str:
        return self.of[0].kind

    @property
    def modifiers(self) -> tuple[str, ...]:
        return self.of[0].modifiers

    def condition(self, value: str, modifier: str = "") -> Q:
        found = NOTHING
        for parameter in self.of:
            found |= parameter.condition(value, modifier)
        return found


@dataclass(frozen=True)
class Instant(Parameter):
    """A moment, by a date or time with a prefix; a day is one of UTC, as shown."""

    field: str
    kind = "date"

    def condition(self, value: str, modifier: str = "") -> Q:
        prefix, low, high = read_date(value)
        since, before = f"{self.field}__gte", f"{self.field}__lt"
        return {
            "eq": Q(**{since: low, before: high}),
            "ne": Q(**{before: low}) | Q(**{since: high}),
            "gt": Q(**{since: high}),
            "sa": Q(**{since: high}),
            "lt": Q(**{before: low}),
            "eb": Q(**{before: low}),
            "ge": Q(**{since: low}),
            "le": Q(**{before: high}),
        }[prefix]


@dataclass(frozen=True)
class Day(Parameter):
    """A date that may be known to the day, the month or the year (FHIR R4, Search, date).

    `precision` names the field that says so; without one each is known to the day.
    """

    field: str
    precision: str = ""
    kind = "date"

    def condition(self, value: str, modifier: str = "") -> Q:
        prefix, low, high = read_date(value)
        first, last = low.date(), high.date()
        # No day lies within a time of day.
        whole = low == midnight(first) and high == midnight(last)
        within = self._within(first, last) if whole else NOTHING
        behind = self._ends_behind(last)
        ahead = Q(**{f"{self.field}__lt": next_midnight(low)})
        return {
            "eq": within,
            "ne": ~within,
            "gt": behind,
            "ge": behind | within,
            "lt": ahead,
            "le": ahead | within,
            "sa": Q(**{f"{self.field}__gte": next_midnight(high)}),
            "eb": self._ends_ahead(first),
        }[prefix]

    def _of(self, precision: str, **asked: Any) -> Q:
        conditions = {f"{self.field}__{name}": day for name, day in asked.items()}
        if self.precision:
            conditions[self.precision] = precision
        return Q(**conditions)

    def _within(self, start: date, end: date) -> Q:
        """What is known precisely enough to lie in the span as a whole."""
        found = Q(**{f"{self.field}__gte": start, f"{self.field}__lt": end})
        if not self.precision:
            return found
        length = (end - start).days
        known = ["day"] + ["month"] * (length >= 28) + ["year"] * (length >= 365)
        return found & Q(**{f"{self.precision}__in": known})

    def _ends_behind(self, end: date) -> Q:
        """What ends behind the span: of a month or year, the last day of it."""
        found = self._of("day", gte=end)
        if self.precision:
            found |= self._of("month", gte=end.replace(day=1))
            found |= self._of("year", gte=end.replace(month=1, day=1))
        return found

    def _ends_ahead(self, start: date) -> Q:
        """What has ended before the span begins."""
        found = self._of("day", lt=start)
        if self.precision:
            found |= self._of("month", lt=start.replace(day=1))
            found |= self._of("year", lt=start.replace(month=1, day=1))
        return found


@dataclass(frozen=True)
class Of(Parameter):
    """A parameter of rows that belong to the one that is looked for, by `owner`."""

    model: type[Model]
    owner: str
    inner: Parameter
    only: Q = field(default_factory=Q)

    @property
    def kind(self) -> str:
        return self.inner.kind

    @property
    def modifiers(self) -> tuple[str, ...]:
        return self.inner.modifiers

    def condition(self, value: str, modifier: str = "") -> Q:
        asked = self.inner.condition(value, modifier)
        rows = self.model._base_manager.filter(self.only, asked)
        # Not a join: one that is found twice is one match. Not EXISTS: what is looked for
        # is few, and the index over it the way in.
        return Q(pk__in=rows.order_by().values(self.owner))
