"""Rows about patients in the order of keys: the index proposes, the rule decides.

A page costs what it shows, however much a person may see: it reads the next keys of the
streams that the person has, and asks the rule about the patients of these rows alone
(DESIGN section 6).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db.models import QuerySet

from canvas_admin.records.models import find_row
from patients import access
from patients.search import scans

# A row, and the code of the path that opens its patient; "" where there is none.
Found = tuple[Any, str]


class Proposed(ABC):
    """Rows of one model within a reach; a subclass says which, and where their keys are.

    `backwards` is for what is shown from the last key to the first. Rows that are `loose`
    may be about no patient.
    """

    model: Any
    reach: access.Reach
    backwards = False
    loose = False

    @abstractmethod
    def scan(self) -> scans.Scan:
        """The stretch of each stream that has the keys."""

    @abstractmethod
    def streams(self) -> list[int]:
        """Where the keys are."""

    @abstractmethod
    def confirmed(self, pks: list[int]) -> QuerySet:
        """Those of these rows that are what the keys say."""

    @abstractmethod
    def with_rest(self, rows: QuerySet) -> QuerySet:
        """These rows with what is shown of each."""

    @abstractmethod
    def place(self, row: Any) -> str:
        """Where a row's keys stand."""

    def page(self, after: str, size: int) -> dict[str, Any]:
        """The first rows, or those behind the row with the key `after`.

        For a template, as DatedQuerySet.page(); `seen` is for the audit trail. A key of no
        row within reach begins anew.
        """
        last = find_row(self.model.objects.visible_to(self.reach), after)
        found = list(islice(self.items(last, size + 1), size + 1))
        shown = found[:size]
        return {
            "rows": [row for row, _path in shown],
            "seen": seen(shown),
            "begun": last is not None,
            "next": shown[-1][0].key if len(found) > size else "",
        }

    def items(self, after: Any, size: int) -> Iterator[Found]:
        """What is behind a row, in order, read `size` at a time or more."""
        start = self.place(after) if after else None
        for batch in scans.batches(
            self.scan(), self.streams(), size, start, self.backwards
        ):
            rows = self.with_rest(self.confirmed([key.about for key in batch]))
            yield from self.opened(batch, rows)

    def opened(self, batch: list[scans.Candidate], rows: QuerySet) -> Iterator[Found]:
        """Those of the candidates whose row bears them out, and whose patient is in reach."""
        found = self._opened(list(rows))
        for candidate in batch:
            row = found.get(candidate.about)
            if row and self._says_so(row[0], candidate):
                yield row

    def _opened(self, rows: list[Any]) -> dict[int, Found]:
        """Those whose patient the rule opens, by primary key."""
        patients = {row.patient_id for row in rows if row.patient_id}
        opened = access.opened(self.reach, patients) if patients else {}
        by_pk = {patient.pk: (patient, path) for patient, path in opened.items()}
        found = {}
        for row in rows:
            if row.patient_id in by_pk:
                row.patient, path = by_pk[row.patient_id]
                found[row.pk] = (row, path)
            elif row.patient_id is None and self.loose:
                found[row.pk] = (row, "")
        return found

    def _says_so(self, row: Any, key: scans.Candidate) -> bool:
        """Whether the row bears its key out, so that none is shown at a wrong place."""
        return self.place(row) == key.place


def seen(found: list[Found]) -> list[tuple[str, str]]:
    """(patient's key, path) of each patient among these, once."""
    paths = {row.patient.key: path for row, path in found if path}
    return list(paths.items())
