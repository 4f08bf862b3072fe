"""What people type to find a patient, and which patients it means.

Names are compared as folded words, each by its beginning and in any order. Nothing that
is typed has a special meaning: folding leaves letters, digits and spaces.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q

from patients.folding import fold
from patients.models import Patient, PatientIdentifier

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

    def by_name_and_birth(self) -> Q:
        """Patients whose names have words that begin so, born on the typed day."""
        if not self.words and self.born is None:
            return Q(pk__in=())
        found = Q() if self.born is None else Q(birth_date=self.born)
        for word in self.words:
            found &= Q(name_words__contains=f" {word}")
        return found

    def by_anything(self) -> Q:
        """The same, or the MRN or an identifier typed in full: within reach only."""
        identified = PatientIdentifier.objects.filter(value=self.text)
        return (
            self.by_name_and_birth()
            | Q(mrn=self.text)
            | Q(pk__in=identified.values("patient"))
        )


def read_date(text: str) -> date:
    """A date as people type it; raises NoSuchDate for anything else.

    1980-01-02, 01/02/1980 (month first), 01021980, 2 Jan 1980, January 2, 1980.
    """
    found, rest = _take_date(text)
    if found is None or rest.strip():
        raise NoSuchDate(text)
    return found


@dataclass(frozen=True)
class Shown:
    """A line of "See all patients"; out of reach it holds these and no key (A1)."""

    name: str
    birth_date: date
    birth_date_precision: str
    active: bool
    deceased: bool
    key: str = ""


def everyone(user: Any, query: Query, limit: int) -> list[tuple[Patient, Shown]]:
    """The first patients that a name or date of birth means, whoever may open them.

    S2: "if the user clicks “See all patients” …, then the user will see patients they
    do not have access to (alongside inactive or deceased patients …)". Each comes with
    what may be shown of it; the patient itself is for the audit trail alone.
    """
    rows = list(
        Patient.objects.filter(query.by_name_and_birth()).order_by("sort_name")[:limit]
    )
    reachable = set(
        Patient.objects.accessible_to(user)
        .filter(pk__in=[patient.pk for patient in rows])
        .values_list("pk", flat=True)
    )
    return [(patient, _shown(patient, patient.pk in reachable)) for patient in rows]


def _shown(patient: Patient, within_reach: bool) -> Shown:
    return Shown(
        name=patient.name,
        birth_date=patient.birth_date,
        birth_date_precision=patient.birth_date_precision,
        active=patient.active,
        deceased=patient.deceased,
        key=patient.key if within_reach else "",
    )


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
