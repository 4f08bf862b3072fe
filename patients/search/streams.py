"""Lists of patients and the search within reach: the index proposes, the rule decides.

A page starts behind a patient (keyset), so a late page costs what the first one does, and
nothing is ever counted. Stream keys only propose: every patient shown was opened by the
rule, and is what its own row says, however wrong a key may be (DESIGN section 6).
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

from patients import access
from patients.models import Patient
from patients.models.stream_keys import place_of, streams_of
from patients.search import scans, stream_keys
from patients.search.scans import Kind, Scan
from patients.search.searching import Query

# A patient who may be shown, and what is known of it: the path that opens it.
Opened = tuple[Patient, Any]


@dataclass(frozen=True)
class Order:
    """An order over patients that no two of them share a place in, and its keys."""

    fields: tuple[str, ...]
    scan: Scan

    def values(self, patient: Patient) -> tuple[str, ...]:
        """What the patient is compared by."""
        return tuple(str(getattr(patient, field)) for field in self.fields)

    def place(self, patient: Patient) -> str:
        """Where the patient's key of this order stands."""
        word = str(patient.birth_date) if self.scan.kind == Kind.BIRTH else ""
        return place_of(word, patient.sort_name)


BY_NAME = Order(("sort_name",), scans.BY_NAME)
BY_BIRTH = Order(("birth_date", "sort_name"), scans.BY_BIRTH)


@dataclass(frozen=True)
class Page:
    """Some patients in order, each with the path that opens it, and if there are more."""

    paths: dict[Patient, str]
    has_previous: bool = False
    has_next: bool = False

    @property
    def patients(self) -> list[Patient]:
        """The patients, in order."""
        return list(self.paths)

    @property
    def seen(self) -> list[tuple[str, str]]:
        """(patient key, code of the path), for the audit trail."""
        return [(patient.key, path) for patient, path in self.paths.items()]


def page(
    account: Any,
    order: Order = BY_NAME,
    after: Patient | None = None,
    before: Patient | None = None,
    limit: int = 25,
    query: Query | None = None,
    listed: bool = False,
) -> Page:
    """Up to `limit` patients within reach, behind one patient or ahead of one.

    `query` leaves those whom it finds by name, birth or number; `listed` leaves active,
    living ones. `account` is whatever access.Reach.of() takes. Takes the same number of
    queries wherever the page lies, unless the rule drops candidates.
    """
    backwards = after is None and before is not None
    start = before if backwards else after
    walk = Walk.within(account, listed=listed, order=order, backwards=backwards)
    found = walk.everybody(start, limit + 1)
    if query is not None:
        found = walk.meant_by(query, start, limit + 1, walk.numbered(query))
    paths = first(limit + 1, found)
    more = len(paths) > limit
    if more:
        paths.popitem()
    if backwards:
        return Page(dict(reversed(paths.items())), has_previous=more, has_next=True)
    return Page(paths, has_previous=after is not None, has_next=more)


def search(account: Any, query: Query, limit: int) -> Page:
    """The first active, living patients within reach whom a typed text finds.

    Who has it as record number or identifier comes first, then whose name begins with a
    word of it, then the others.
    """
    walk = Walk.within(account, listed=True)
    named = first(limit, walk.named(query, limit))
    in_order = [(p, named[p]) for p in query.in_order(named)]
    return Page(first(limit, walk.numbered(query), in_order))


def first(limit: int, *found: Iterable[Opened]) -> dict[Patient, Any]:
    """The first of these, one after the other, each patient once."""
    paths: dict[Patient, Any] = {}
    for patient, path in chain(*found):
        paths.setdefault(patient, path)
        if len(paths) == limit:
            # Before the next is asked for, which may mean another batch.
            break
    return paths


@dataclass(frozen=True)
class Walk:
    """Some streams, gone through in an order, forward or backwards.

    `confirm` is asked about each batch of candidates, by primary key: it returns those who
    may be shown, each with what is to be known of it (for a list, the path that opens it).
    """

    streams: list[int]
    confirm: Callable[[Collection[int]], dict[Patient, Any]]
    order: Order = BY_NAME
    listed: bool = False
    backwards: bool = False

    @classmethod
    def within(cls, account: Any, *, listed: bool = False, **how: Any) -> "Walk":
        """What an account reaches; of it, when `listed`, active and living patients."""
        reach = access.Reach.of(account)
        halves = (True,) if listed else (True, False)
        groups = access.streams(reach)
        streams = [one for half in halves for one in streams_of(groups, half)]
        return cls(streams, partial(access.opened, reach), listed=listed, **how)

    def everybody(self, start: Patient | None, size: int) -> Iterator[Opened]:
        """Everybody behind `start`, read `size` at a time or more."""
        place = self.order.place(start) if start else None
        return self._confirmed(self.order.scan, size, place)

    def named(self, query: Query, size: int) -> Iterator[Opened]:
        """Those whose name or birth the query means, in the order of the words."""
        if self.streams and (scan := query.scan(self.streams)):
            for patient, path in self._confirmed(scan, size, None):
                if query.means(patient):
                    yield patient, path

    def numbered(self, query: Query) -> list[Opened]:
        """Those whose record number or identifier is the whole of the query, by name."""
        if not query.number or not self.streams:
            return []
        # The rule is asked even when nobody has the number: how long the answer takes must
        # not tell whether somebody out of reach has it.
        pks = scans.identified(query.number) or [access.NOBODY]
        found = self.confirm(pks).items()
        suiting = [(p, path) for p, path in found if self._suits(p)]
        return sorted(suiting, key=lambda item: item[0].sort_name)

    def meant_by(
        self,
        query: Query,
        start: Patient | None,
        size: int,
        besides: Iterable[Opened] = (),
    ) -> Iterator[Opened]:
        """Those behind `start` whose name or birth the query means, and some besides."""
        behind = self.order.values(start) if start else None
        scan = query.scan(self.streams) if self.streams else None
        left = {
            patient: path
            for patient, path in besides
            if behind is None or self._is_behind(self.order.values(patient), behind)
        }
        while scan:
            rows = scans.collect(
                scan, self.streams, size, self.order.fields, behind, self.backwards
            )
            for patient, path in self.confirm(rows).items():
                says_so = self.order.values(patient) == rows[patient.pk]
                if says_so and self._suits(patient) and query.means(patient):
                    left[patient] = path
            if len(rows) < size:
                break
            behind = next(reversed(rows.values()))
            yield from self._sorted(left, until=behind)
            size = min(2 * size, scans.MOST)
        yield from self._sorted(left)

    def _confirmed(self, scan: Scan, size: int, place: str | None) -> Iterator[Opened]:
        """The candidates who may be shown and whose own row says what the key said."""
        for batch in scans.batches(scan, self.streams, size, place, self.backwards):
            opened = self.confirm({candidate.about for candidate in batch})
            by_pk = {patient.pk: (patient, path) for patient, path in opened.items()}
            for candidate in batch:
                patient, path = by_pk.get(candidate.about, (None, ""))
                if not patient or not self._suits(patient):
                    continue
                if _says_so(patient, scan.kind, candidate.place):
                    yield patient, path

    def _suits(self, patient: Patient) -> bool:
        return patient.listed or not self.listed

    def _sorted(
        self, left: dict[Patient, Any], until: tuple[str, ...] | None = None
    ) -> Iterator[Opened]:
        """Take those out who come before a place, or all, in order."""
        for patient in sorted(left, key=self.order.values, reverse=self.backwards):
            if until and self._is_behind(self.order.values(patient), until):
                return
            yield patient, left.pop(patient)

    def _is_behind(self, values: tuple[str, ...], other: tuple[str, ...]) -> bool:
        return values < other if self.backwards else values > other


def _says_so(patient: Patient, kind: int, place: str) -> bool:
    """Whether the patient's row bears a key out, so that none is shown at a wrong place."""
    return (kind, place) in stream_keys.places(patient)
