"""Proving the trail: one pass over all seals and rows, which finds what was done to them."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db import DatabaseError

from canvas_admin.audit import seals, stored
from canvas_admin.audit.heads import Head
from canvas_admin.audit.models import AuditRow, Seal
from canvas_admin.audit.stored import Stored

SEALS_AT_ONCE = 100


class Proving:
    """A pass over the trail; findings() is run once, and the counts are right after it.

    `head` is what was kept elsewhere, or None; `progress` is told how many rows were
    proven. Rows are read in the order of their ids, few at a time: what stays in memory
    is the ids of rows among the sealed ones that no seal has held so far, none in a sound
    trail but those that were sealed late.
    """

    def __init__(
        self,
        head: Head | None = None,
        progress: Callable[[int], Any] = lambda _rows: None,
    ) -> None:
        self.head = head
        self.progress = progress
        self.seals = self.rows = self.archived = self.unsealed = 0
        # What is right and still worth saying: rows that were sealed late.
        self.remarks: list[str] = []
        self._before: Seal | None = None
        self._number = 1
        self._reached = 0
        self._reached_at_head: int | None = None
        self._unheld: set[int] = set()

    def findings(self) -> Iterator[str]:
        """One line for each thing that is wrong, with the seal's number and the rows."""
        for seal in _in_order():
            sound = seal.mac == seals.mac_of(seal)
            yield from self._link(seal, sound)
            if sound:
                try:
                    yield from self._content(seal)
                except DatabaseError as error:
                    yield f"seal {seal.number}: the rows cannot be read ({error})"
                self._reached = max(self._reached, seal.last_row)
                self.progress(seal.rows)
            yield from self._compare_with_head(seal)
            self._before = seal
            self.seals += 1
        yield from self._end()

    def _link(self, seal: Seal, sound: bool) -> Iterator[str]:
        """Is this the seal that comes next, made with the key?"""
        if not sound:
            yield f"seal {seal.number}: altered, or not made with this key"
        if seal.number != self._number:
            yield f"seal {self._number}: gone; seal {seal.number} is in its place"
        elif seal.previous != (self._before.mac if self._before else ""):
            yield f"seal {seal.number}: does not follow the seal before it"
        self._number = (seal.number if sound else self._number) + 1

    def _content(self, seal: Seal) -> Iterator[str]:
        """Are the seal's rows there, as they were, and no others among them?"""
        held = seals.marks(seal)
        late = seal.last_row <= self._reached
        found = self._read(seal, held, late)
        if late:
            yield from self._late(seal, held)
        if seal.archived:
            yield from self._archived(seal, found)
        else:
            yield from differences(seal, held, found)
            self.rows += len(found)

    def _read(self, seal: Seal, held: dict[int, str], late: bool) -> dict[int, bytes]:
        """The digests of those of the seal's rows that are there."""
        found: dict[int, bytes] = {}
        for row in self._around(seal, late):
            if row[0] in held:
                found[row[0]] = stored.digest(row)
            else:
                self._unheld.add(row[0])
        self._unheld.difference_update(held)
        return found

    def _around(self, seal: Seal, late: bool) -> Iterator[Stored]:
        """The rows from the last seal's end to this one's; of a late seal its own."""
        if late:
            for first, last in seals.spans(seal):
                yield from stored.all_rows(first, last)
        else:
            begin = self._reached + 1 if self._reached else stored.LOWEST
            yield from stored.all_rows(begin, seal.last_row)

    def _late(self, seal: Seal, held: Iterable[int]) -> Iterator[str]:
        """A late row is told of; it is wrong if a head says that it was not there."""
        self.remarks.append(
            f"seal {seal.number}, {named(held)}: appeared late, among rows that were "
            "sealed before"
        )
        if self._reached_at_head is not None:
            if added := [one for one in held if one <= self._reached_at_head]:
                yield (
                    f"seal {seal.number}, {named(added)}: put among rows that were "
                    "sealed before the head was kept"
                )

    def _archived(self, seal: Seal, found: Iterable[int]) -> Iterator[str]:
        self.archived += 1
        if seal.archived != seals.archived_of(seal):
            yield (
                f"seal {seal.number}, {named(seals.marks(seal))}: said to be archived, "
                "not by this key"
            )
        elif there := list(found):
            yield f"seal {seal.number}, {named(there)}: archived, and here again"

    def _compare_with_head(self, seal: Seal) -> Iterator[str]:
        if self.head is None or seal.number != self.head.seal:
            return
        self._reached_at_head = self._reached
        if (seal.mac, self._reached) != (self.head.mac, self.head.last_row):
            yield f"seal {seal.number}: not the one that the head names"

    def _end(self) -> Iterator[str]:
        if self.head and self._reached_at_head is None:
            yield (
                f"seal {self.head.seal}: the head names it, and the chain has ended with "
                f"seal {self._number - 1}: what was sealed behind row {self._reached}, up "
                f"to row {self.head.last_row}, was cut off"
            )
        for first, last in seals.runs(sorted(self._unheld)):
            yield (
                f"{named(range(first, last + 1))}: among rows that are sealed, and held by "
                "no seal: put there by hand, or by a transaction open for longer than a "
                "minute (then seal_audit seals it late, within a day)"
            )
        self.unsealed = AuditRow.objects.filter(id__gt=self._reached).count()


def differences(
    seal: Seal, held: dict[int, str], found: dict[int, bytes]
) -> Iterator[str]:
    """What is wrong with a sound seal's rows: `held` as marks, `found` as digests."""
    gone = [one for one in held if one not in found]
    altered = [
        one for one, digest in found.items() if seals.mark_of(digest) != held[one]
    ]
    if gone:
        yield f"seal {seal.number}, {named(gone)}: gone"
    if altered:
        yield f"seal {seal.number}, {named(altered)}: altered"
    if not gone and not altered and seals.digest_of(found.values()) != seal.digest:
        yield f"seal {seal.number}, {named(held)}: one or more altered"


def _in_order() -> Iterator[Seal]:
    """All seals in the order in which they were made, few in memory at a time."""
    rows, first = Seal.objects.order_by("pk"), stored.LOWEST
    while some := list(rows.filter(pk__gte=first)[:SEALS_AT_ONCE]):
        yield from some
        first = some[-1].pk + 1


def named(ids: Iterable[int]) -> str:
    """Ascending ids for a person: "row 5", "rows 5-8, 11"."""
    stretches = seals.runs(ids)
    told = [
        f"{first}" if first == last else f"{first}-{last}" for first, last in stretches
    ]
    single = len(told) == 1 and stretches[0][0] == stretches[0][1]
    return f"{'row' if single else 'rows'} {', '.join(told)}"
