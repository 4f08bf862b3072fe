"""FHIR's data types as Python values, read from validated resources."""

import re
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from django.utils import timezone

from canvas_admin.fhir.bundles import Rejected

# The system of identifiers that are URIs, such as a resource's own address.
URI = "urn:ietf:rfc:3986"

YEARS = range(1800, 2201)

# How much of a date is known, by the length of what is written.
PRECISIONS = {4: "year", 7: "month", 10: "day"}


class Coding(NamedTuple):
    """A code with the system it is from and the words for it; all may be empty."""

    system: str = ""
    code: str = ""
    display: str = ""


def coding(concept: dict[str, Any] | None) -> Coding:
    """The first coding of a CodeableConcept that has a code; its text where none has.

    Without a display, the concept's text or the code itself is the display.
    """
    concept = concept or {}
    text = concept.get("text") or ""
    for each in concept.get("coding") or []:
        if code := each.get("code"):
            display = each.get("display") or text or code
            return Coding(each.get("system") or "", code, display)
    return Coding(display=text)


def day(text: str, at: str) -> tuple[date, str]:
    """A FHIR date and how precisely it is known: "day", "month" or "year".

    A missing month or day becomes 01 (facts 4). Raises Rejected, naming the element `at`,
    for a day that no calendar has or a year outside 1800 to 2200.
    """
    precision = PRECISIONS.get(len(text))
    if precision is None or not re.fullmatch(r"\d{4}(-\d\d){0,2}", text):
        raise Rejected(f"{at}: is not a date")
    try:
        found = date.fromisoformat(f"{text}-01-01"[:10])
    except ValueError as error:
        raise Rejected(f"{at}: no calendar has this day") from error
    return _in_our_years(found, at), precision


def instant(text: str, at: str) -> datetime:
    """A FHIR dateTime in UTC; one without a time is the start of that day in the clinic.

    Raises Rejected as day() does.
    """
    if "T" not in text:
        start, _precision = day(text, at)
        midnight = datetime(start.year, start.month, start.day)
        return timezone.make_aware(midnight).astimezone(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Rejected(f"{at}: is not a time") from error
    _in_our_years(found, at)
    if found.tzinfo is None:
        raise Rejected(f"{at}: has a time without its zone")
    return found.astimezone(UTC)


def day_of(text: str | None, at: str) -> date | None:
    """The day of a FHIR dateTime, as written; None for none."""
    return day(text[:10], at)[0] if text else None


def period(data: dict[str, Any], at: str) -> dict[str, date | None]:
    """`start` and `end` of an element that has a period."""
    span = data.get("period") or {}
    return {name: day_of(span.get(name), f"{at}.{name}") for name in ("start", "end")}


def extension(resource: dict[str, Any], url: str, kind: str) -> Any:
    """The value[x] named `kind` of the first extension with this url, or None."""
    for each in resource.get("extension") or []:
        if each.get("url") == url:
            return each.get(kind)
    return None


def words(parts: list[str | None] | None, between: str = " ") -> str:
    """The texts of a list in one, without the missing ones and outer spaces."""
    return between.join(part.strip() for part in parts or [] if part and part.strip())


def _in_our_years(found: Any, at: str) -> Any:
    if found.year not in YEARS:
        raise Rejected(f"{at}: the year is impossible")
    return found
