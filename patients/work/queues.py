"""Queues of work, open or ended, a sort of patients.search.proposed.

What is assigned to somebody is hidden, and not counted, while the patient is out of reach
(S2, "Filtered data in panel views").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any

from django.db.models import Q, QuerySet

from patients import access
from patients.models.work_keys import (
    ANYBODY,
    LOOSE,
    NOBODY,
    person,
    stream_of,
    team,
)
from patients.search import scans
from patients.search.proposed import Proposed
from patients.work import BY_LABEL, Order, Shelf
from patients.work.work_keys import labelled, place_in
from staffing.models import Staff, TeamMember

KEYS = scans.Table("patients_workkey", "item")
# A number beside a panel goes no further.
MOST_COUNTED = 99


class Whose(StrEnum):
    """Which of the items."""

    MINE = "mine"
    UNASSIGNED = "unassigned"
    ALL = "all"


@dataclass(frozen=True)
class Person:
    """Who looks: what the account reaches, its staff member, and that one's teams."""

    reach: access.Reach
    staff: int | None = None
    teams: tuple[int, ...] = ()

    @classmethod
    def of(cls, reach: access.Reach) -> "Person":
        """The person behind a reach; an account without staff has no items of its own."""
        member = Staff.objects.filter(user=reach.standing.user, user__isnull=False)
        staff = member.values_list("pk", flat=True).first()
        teams = TeamMember.objects.filter(staff=staff).values_list("team", flat=True)
        return cls(reach, staff, tuple(teams) if staff else ())


@dataclass(frozen=True)
class Queue(Proposed):
    """The rows of a shelf that a person may see: the person's, nobody's, or all.

    In its usual order, of work what waits longest first, or in the one that `sort` names;
    of one label (a primary key), or whatever labels they have.
    """

    shelf: Shelf
    person: Person
    whose: Whose = Whose.MINE
    sort: str = ""
    label: int | None = None

    @property
    def order(self) -> Order:
        """In which its rows are."""
        return self.shelf.orders[self.sort]

    @property
    def backwards(self) -> bool:
        return self.order.backwards

    @property
    def model(self) -> Any:
        return self.shelf.model

    @property
    def reach(self) -> access.Reach:
        return self.person.reach

    @property
    def loose(self) -> bool:
        return self.shelf.loose

    def count(self) -> int:
        """How many there are, up to one more than MOST_COUNTED."""
        (number,) = counts([self])
        return number

    def _count(self, batch: list[scans.Candidate]) -> int:
        """How many of these there are; of all, if so many were asked for and some are none."""
        most = MOST_COUNTED + 1
        rows = self.confirmed([key.about for key in batch])
        rows = rows.only("key", "patient", *self.order.fields)
        number = sum(1 for _found in self.opened(list(dict.fromkeys(batch)), rows))
        if number < most == len(batch):
            # Some came twice or were dropped, and there are others.
            return sum(1 for _found in islice(self.items(None, most), most))
        return min(number, most)

    def scan(self) -> scans.Scan:
        if self.label is None:
            return scans.Scan(self.order.number, "", scans.END, table=KEYS)
        low = labelled(self.label)
        number = BY_LABEL + self.order.number
        return scans.Scan(number, low, f"{low}{scans.END}", table=KEYS)

    def streams(self) -> list[int]:
        sources = [*access.streams(self.reach)]
        if self.loose:
            sources.append(LOOSE)
        return [stream_of(whose, each) for whose in self._holders() for each in sources]

    def confirmed(self, pks: list[int]) -> QuerySet:
        rows = self.model._base_manager.filter(
            self.shelf.rows, self._whose(), pk__in=pks
        )
        if self.label is not None:
            rows = rows.filter(**{self.shelf.labelled_by: self.label})
        return rows

    def with_rest(self, rows: QuerySet) -> QuerySet:
        return self.shelf.with_rest(rows)

    def place(self, item: Any) -> str:
        return place_in(self.order, item, self.label)

    def _holders(self) -> list[int]:
        """Whose items they are."""
        if self.whose is Whose.ALL:
            return [ANYBODY]
        if self.whose is Whose.UNASSIGNED:
            return [NOBODY]
        if self.person.staff is None:
            return []
        return [person(self.person.staff), *map(team, self.person.teams)]

    def _whose(self) -> Q:
        if self.whose is Whose.UNASSIGNED:
            return Q(assignee__isnull=True, team__isnull=True)
        if self.whose is Whose.ALL:
            return Q()
        of_teams = Q(assignee__isnull=True, team__in=self.person.teams)
        return Q(assignee=self.person.staff) | of_teams


def counts(queues: Sequence[Queue]) -> list[int]:
    """How many there are in each of these queues, up to one more than MOST_COUNTED.

    They are the same person's, and of the same items as to whose these are.
    """
    if not queues:
        return []
    streams = sorted({stream for queue in queues for stream in queue.streams()})
    found = scans.some([q.scan() for q in queues], streams, MOST_COUNTED + 1)
    return [q._count(keys) for q, keys in zip(queues, found, strict=True)]
