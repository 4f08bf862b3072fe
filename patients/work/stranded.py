"""Stranded work: what none of its assignees can see, and what nobody has been given.

S2: "Items assigned to staff will not be visible to them if they do not have access to the
patient." So that none is forgotten, administrators meet such work (security A10): its
kind, age and assignee. An item is stranded when its person, or everybody in its team, has
left, may not open work of this kind, or does not reach the patient.

The walk goes through the open work of each person and team by its keys, and asks the rule
once for all that a team's people hold together. Whoever sees every patient is passed
over. It looks at LOOKED keys at most and says where it stopped, so that one look takes a
bounded time and the next goes on.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import F, Q, QuerySet, Subquery
from django.db.models.expressions import OuterRef

from patients import access, work
from patients.models.work_keys import (
    EVERYONE,
    LOOSE,
    NOBODY,
    WorkKey,
    person,
    stream_of,
    team,
)
from patients.search import scans
from patients.work.queues import KEYS
from patients.work.work_keys import place_of
from staffing.models import Staff, Team, TeamMember
from staffing.standing import Standing, able

LOOKED = 20_000
# For the number on the front page, which everybody there waits for.
COUNTED = 5_000
AT_ONCE = 500


class Position(NamedTuple):
    """Where a walk is: whose items, of which kind, and behind which place."""

    whose: int
    kind: int
    place: str


@dataclass(frozen=True)
class Item:
    """An open item as administrators meet it; `patient` is a primary key.

    `since` is when it came, not when it is due: A10 has its age.
    """

    kind: work.Kind
    key: str
    since: datetime | None
    patient: int | None
    holder: Staff | Team | None
    position: Position


@dataclass(frozen=True)
class Holder:
    """A person or team that has open work of some kinds, and the accounts behind it."""

    who: Staff | Team
    whose: int
    kinds: tuple[work.Kind, ...]
    accounts: tuple[int, ...]

    @property
    def rows(self) -> Q:
        """Which items it has."""
        if isinstance(self.who, Staff):
            return Q(assignee=self.who)
        return Q(assignee__isnull=True, team=self.who)


def holders() -> list[Holder]:
    """Everybody and every team with open work, in one order; 3 queries."""
    found = [
        Holder(staff, staff.whose, kinds, (staff.user_id,) * bool(staff.user_id))
        for staff, kinds in _with_work(Staff.objects.all(), person)
    ]
    accounts: dict[int, list[int]] = {}
    members = TeamMember.objects.filter(staff__user__isnull=False)
    for pk, user in members.values_list("team", "staff__user"):
        accounts.setdefault(pk, []).append(user)
    found += [
        Holder(each, each.whose, kinds, tuple(accounts.get(each.pk, ())))
        for each, kinds in _with_work(Team.objects.all(), team)
    ]
    return sorted(found, key=lambda holder: holder.whose)


def _with_work(
    rows: QuerySet, whose: Callable[[Any], Any]
) -> Iterator[tuple[Any, tuple[work.Kind, ...]]]:
    """Those that have open work, each with its kinds; one query.

    The LIMIT keeps PostgreSQL from going through all keys to find those of few streams.
    """
    rows = rows.annotate(whose=whose(F("pk"))).order_by()
    looks = []
    for kind in sorted(work.KINDS.values(), key=lambda kind: kind.number):
        for source in (EVERYONE, LOOSE) if kind.loose else (EVERYONE,):
            stream, first = f"stream_{source}", f"first_{kind.number}_{source}"
            keys = WorkKey.objects.filter(stream=OuterRef(stream), kind=kind.number)
            keys = keys.order_by("place").values("item")[:1]
            rows = rows.annotate(**{stream: stream_of(F("whose"), source)})
            rows = rows.annotate(**{first: Subquery(keys)})
            looks.append((kind, first))
    for row in rows:
        had = dict.fromkeys(k for k, first in looks if getattr(row, first) is not None)
        if had:
            yield row, tuple(had)


@dataclass
class Sight:
    """What the people behind some holders reach together, by the permissions needed."""

    standings: dict[int, Standing]
    _able: dict[tuple[str, ...], set[int | None]] = field(default_factory=dict)
    _reach: dict[frozenset[int | None], access.Reach] = field(default_factory=dict)

    @classmethod
    def of(cls, holders: Iterable[Holder]) -> "Sight":
        """Of these holders' live accounts: one query."""
        users = {user for holder in holders for user in holder.accounts}
        return cls({each.user: each for each in Standing.of_each(users) if each.user})

    def reach(self, holder: Holder, kind: work.Kind) -> access.Reach | None:
        """Through which a holder sees items of a kind; None when nobody is able to."""
        if kind.permissions not in self._able:
            seeing = able(self.standings.values(), kind.permissions)
            self._able[kind.permissions] = {each.user for each in seeing}
        users = frozenset(self._able[kind.permissions].intersection(holder.accounts))
        if users and users not in self._reach:
            people = together([self.standings[user] for user in users])
            self._reach[users] = access.Reach.of(people).read()
        return self._reach.get(users)


def together(standings: Collection[Standing]) -> Standing:
    """What several accounts hold, as if they were one: some path opens what one of them
    reaches."""
    return Standing(
        superuser=any(each.superuser for each in standings),
        everyone=any(each.everyone for each in standings),
        auth_groups=frozenset().union(*(each.auth_groups for each in standings)),
    )


@dataclass
class Walk:
    """The stranded items from behind a position on; `stopped` is where it gave up."""

    start: Position | None = None
    left: int = field(default_factory=lambda: LOOKED)
    stopped: Position | None = None

    def __iter__(self) -> Iterator[Item]:
        found = holders()
        sight = Sight.of(found)
        for holder in found:
            if self.start and holder.whose < self.start.whose:
                continue
            for kind in holder.kinds:
                reach = sight.reach(holder, kind)
                if reach is None or None not in access.streams(reach):
                    yield from self._of(holder, kind, reach)
                if self.stopped:
                    return

    def _of(
        self, holder: Holder, kind: work.Kind, reach: access.Reach | None
    ) -> Iterator[Item]:
        begin = Position(holder.whose, kind.number, "")
        if self.start and begin[:2] < self.start[:2]:
            return
        if self.start and begin[:2] == self.start[:2]:
            begin = self.start
        for batch in _batches(kind, holder.whose, begin.place):
            unseen = _rows(kind, holder.rows, batch)
            patients = {row.patient for row in unseen if row.patient}
            opened = access.opened(reach, patients) if reach and patients else ()
            seen = {patient.pk for patient in opened}
            for row in unseen:
                blind = row.patient not in seen if row.patient else reach is None
                if blind:
                    position = begin._replace(place=row.place)
                    yield row.item(kind, holder.who, position)
            self.left -= len(batch)
            if self.left <= 0:
                self.stopped = begin._replace(place=batch[-1].place)
                return


def unassigned(after: str, size: int) -> list[Item]:
    """What nobody has been given, of every kind, what waits longest first."""
    found: list[Item] = []
    for kind in work.KINDS.values():
        mine: list[Item] = []
        for batch in _batches(kind, NOBODY, after):
            for row in _rows(kind, Q(assignee=None, team=None), batch):
                position = Position(NOBODY, kind.number, row.place)
                mine.append(row.item(kind, None, position))
            if len(mine) >= size:
                break
        found += mine
    return sorted(found, key=lambda item: item.position.place)[:size]


def count_unassigned(most: int) -> int:
    """How many keys say that nobody has an item, up to `most`."""
    number = 0
    for kind in work.KINDS.values():
        keys = WorkKey.objects.filter(stream__in=_streams(NOBODY), kind=kind.number)
        number += keys.order_by()[: most - number].count()
    return number


class _Row(NamedTuple):
    """What is read of an open item."""

    key: str
    patient: int | None
    date: datetime | None
    came: datetime | None

    @property
    def place(self) -> str:
        return place_of(self.date, self.key)

    def item(
        self, kind: work.Kind, holder: Staff | Team | None, position: Position
    ) -> Item:
        """It, with this holder, met at this position."""
        return Item(kind, self.key, self.came, self.patient, holder, position)


def _streams(whose: int) -> list[int]:
    """All items of this holder are in these."""
    return [stream_of(whose, EVERYONE), stream_of(whose, LOOSE)]


def _batches(
    kind: work.Kind, whose: int, after: str
) -> Iterator[list[scans.Candidate]]:
    """A holder's keys of a kind behind a place, some at a time, none empty."""
    scan = scans.Scan(kind.number, "", scans.END, table=KEYS)
    for batch in scans.batches(scan, _streams(whose), AT_ONCE, after or None):
        if batch:
            yield batch


def _rows(kind: work.Kind, which: Q, batch: list[scans.Candidate]) -> list[_Row]:
    """The items of these keys that are still open and still so, by their places."""
    rows = kind.model._base_manager.filter(
        kind.open, which, pk__in=[key.about for key in batch]
    )
    came = kind.model.came_by or kind.dated_by
    read = rows.values_list("key", "patient", kind.dated_by, came)
    found = map(_Row._make, read)
    places = {key.place for key in batch}
    return sorted(
        (row for row in found if row.place in places), key=lambda row: row.place
    )
