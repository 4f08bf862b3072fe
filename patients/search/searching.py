"""What people type to find a patient, and which patients it means.

Names are compared as folded words, each by its beginning and in any order. Nothing that
is typed has a special meaning: folding leaves letters, digits and spaces.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from patients.models import Patient
from patients.search import scans
from patients.search.folding import fold
from patients.search.scans import Scan

MONTHS = (
    "january february march april may june july august september october november "
    "december"
).split()

_MONTH = "(?P<name>" + "|".join(f"{m[:3]}(?:{m[3:]})?" for m in MONTHS) + r")\.?"
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<y>\d{4})"
_WRITTEN = tuple(
    re.compile(rf"(?<!\w){form}(?!\w)", re.ASCII | re.IGNORECASE)
    for form in (
        rf"{_YEAR}(?P<gap>[-/.])(?P<m>\d{{1,2}})(?P=gap){_DAY}",
        rf"(?P<m>\d{{1,2}})(?P<gap>[-/.])(?P<d>\d{{1,2}})(?P=gap){_YEAR}",
        rf"{_DAY}[ -]?{_MONTH}[ -]?,? ?{_YEAR}",
        rf"{_MONTH} ?{_DAY} ?,? ?{_YEAR}",
    )
)
_DIGITS = re.compile(r"(?<!\w)\d{8}(?!\w)", re.ASCII)


class NoSuchDate(ValueError):
    """Something has the form of a date, and no calendar has it."""


@dataclass(frozen=True)
class Query:
    """A typed text, understood: folded words, a date of birth, and the whole of it."""

    words: tuple[str, ...]
    born: date | None
    text: str

    @classmethod
    def read(cls, text: str) -> "Query":
        """Understand a text such as "smi joh" or "smith 2 Jan 1980".

        Raises NoSuchDate for 02/30/1980 and the like.
        """
        born, rest = _take_date(text)
        return cls(tuple(dict.fromkeys(fold(rest).split())), born, text.strip())

    @property
    def number(self) -> str:
        """The whole text if it may be a record number or identifier: it has a digit."""
        return self.text if any(map(str.isdigit, self.text)) else ""

    @property
    def enough(self) -> bool:
        """Whether there is a word of two characters, or a date of birth."""
        return self.born is not None or any(len(word) > 1 for word in self.words)

    @property
    def enough_for_everyone(self) -> bool:
        """Whether "See all patients" may be asked (DESIGN section 4).

        Two letters of a name's word, or a complete date of birth; digits are no name.
        """
        letters = (sum(map(str.isalpha, word)) for word in self.words)
        return self.born is not None or any(count > 1 for count in letters)

    def scan(self, streams: Sequence[int]) -> Scan | None:
        """The stretch of these streams in which the patients lie whom the query means.

        The date of birth if there is one, else the word that the fewest have.
        """
        if self.born is not None:
            return Scan.exact(scans.Kind.BIRTH, self.born.isoformat(), self.words)
        if not self.words:
            return None
        word = scans.rarest(self.words, streams)
        return Scan.prefix(word, [other for other in self.words if other != word])

    def means(self, patient: Patient) -> bool:
        """Whether the patient's names have words that begin so, and the birth is right."""
        born = self.born is None or patient.birth_date == self.born
        return born and all(f" {word}" in patient.name_words for word in self.words)

    def in_order(self, patients: Iterable[Patient]) -> list[Patient]:
        """Those first whose family name begins with one of the words; then by name."""
        return sorted(
            patients,
            key=lambda patient: (
                not patient.sort_name.startswith(self.words),
                patient.sort_name,
            ),
        )


def read_date(text: str) -> date:
    """A date as people type it; raises NoSuchDate for anything else.

    1980-01-02, 01/02/1980 (month first), 01021980, 2 Jan 1980, January 2, 1980.
    """
    found, rest = _take_date(text)
    if found is None or rest.strip():
        raise NoSuchDate(text)
    return found


def _take_date(text: str) -> tuple[date | None, str]:
    """The first date in a text, and the text without it."""
    for form in _WRITTEN:
        if match := form.search(text):
            part = match.groupdict()
            month = part.get("m") or _month(part["name"])
            try:
                found = date(int(part["y"]), int(month), int(part["d"]))
            except ValueError as error:
                raise NoSuchDate(match.group()) from error
            return found, text[: match.start()] + " " + text[match.end() :]
    for match in _DIGITS.finditer(text):
        for found in _without_gaps(match.group()):
            return found, text[: match.start()] + " " + text[match.end() :]
    return None, text


def _without_gaps(digits: str) -> Iterator[date]:
    """Eight digits read as MMDDYYYY, else as YYYYMMDD; no date when neither is one."""
    for year, month, day in (
        (digits[4:], digits[:2], digits[2:4]),
        (digits[:4], digits[4:6], digits[6:]),
    ):
        try:
            yield date(int(year), int(month), int(day))
        except ValueError:
            continue


def _month(name: str) -> int:
    return [month[:3] for month in MONTHS].index(name[:3].lower()) + 1
