"""Queues of open work: the index proposes, the rule decides, as for lists of patients.

A page costs what it shows, however much a person may see: it reads the next keys of the
streams that the person has, and asks the rule about the patients of these items alone
(DESIGN section 6). What is assigned to somebody is hidden, and not counted, while the
patient is out of reach (S2, "Filtered data in panel views").
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any

from django.db.models import Q

from canvas_admin.records.models import find_row
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
from patients.work import Kind
from patients.work.work_keys import place_of
from staffing.models import Staff, TeamMember

KEYS = scans.Table("patients_workkey", "item")
# A number beside a panel goes no further.
MOST_COUNTED = 99

# An item, and the code of the path that opens its patient; "" where there is none.
Found = tuple[Any, str]


class Whose(StrEnum):
    """Which of the open items."""

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
class Queue:
    """The open items of a kind that a person may see: the person's, nobody's, or all."""

    kind: Kind
    person: Person
    whose: Whose = Whose.MINE

    def page(self, after: str, size: int) -> dict[str, Any]:
        """The items that wait longest, or those behind the item with the key `after`.

        For a template, as DatedQuerySet.page(); `seen` is for the audit trail. A key of no
        item within reach begins anew.
        """
        rows = self.kind.model.objects.visible_to(self.person.reach)
        last = find_row(rows, after)
        found = list(islice(self.items(last, size + 1), size + 1))
        shown = found[:size]
        return {
            "rows": [item for item, _path in shown],
            "seen": list(
                {i.patient.key: (i.patient.key, p) for i, p in shown if p}.values()
            ),
            "begun": last is not None,
            "next": shown[-1][0].key if len(found) > size else "",
        }

    def count(self) -> int:
        """How many there are, up to one more than MOST_COUNTED."""
        most = MOST_COUNTED + 1
        return sum(1 for _found in islice(self.items(None, most), most))

    def items(self, after: Any, size: int) -> Iterator[Found]:
        """What is behind an item, in order, read `size` at a time or more."""
        scan = scans.Scan(self.kind.number, "", scans.END, table=KEYS)
        place = self._place(after) if after else None
        for batch in scans.batches(scan, self._streams(), size, place):
            found = self._confirmed(batch) if batch else {}
            for candidate in batch:
                item = found.get(candidate.about)
                if item and self._says_so(item[0], candidate):
                    yield item

    def _streams(self) -> list[int]:
        """Where the keys of these items are."""
        sources = [*access.streams(self.person.reach)]
        if self.kind.loose:
            sources.append(LOOSE)
        return [stream_of(whose, each) for whose in self._holders() for each in sources]

    def _holders(self) -> list[int]:
        """Whose items they are."""
        if self.whose is Whose.ALL:
            return [ANYBODY]
        if self.whose is Whose.UNASSIGNED:
            return [NOBODY]
        if self.person.staff is None:
            return []
        return [person(self.person.staff), *map(team, self.person.teams)]

    def _confirmed(self, batch: list[scans.Candidate]) -> dict[int, Found]:
        """Those that are what the keys say, and whose patient the rule opens."""
        rows = self.kind.model._base_manager.filter(
            self.kind.open, self._whose(), pk__in=[key.about for key in batch]
        )
        rows = list(self.kind.with_rest(rows))
        patients = {row.patient_id for row in rows if row.patient_id}
        opened = access.opened(self.person.reach, patients) if patients else {}
        by_pk = {patient.pk: (patient, path) for patient, path in opened.items()}
        found = {}
        for row in rows:
            if row.patient_id in by_pk:
                row.patient, path = by_pk[row.patient_id]
                found[row.pk] = (row, path)
            elif row.patient_id is None and self.kind.loose:
                found[row.pk] = (row, "")
        return found

    def _whose(self) -> Q:
        if self.whose is Whose.UNASSIGNED:
            return Q(assignee__isnull=True, team__isnull=True)
        if self.whose is Whose.ALL:
            return Q()
        of_teams = Q(assignee__isnull=True, team__in=self.person.teams)
        return Q(assignee=self.person.staff) | of_teams

    def _says_so(self, item: Any, key: scans.Candidate) -> bool:
        """Whether the item bears its key out, so that none is shown at a wrong place."""
        return self._place(item) == key.place

    def _place(self, item: Any) -> str:
        return place_of(getattr(item, self.kind.dated_by), item.key)
