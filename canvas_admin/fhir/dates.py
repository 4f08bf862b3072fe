"""Dates and times as searches write them: a prefix, and the span that a value leaves open.

FHIR R4, Search, date: "2023-09" is the whole of a month.
"""

import re
from datetime import UTC, date, datetime, timedelta

from canvas_admin.fhir.bundles import Rejected

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
_DATE = re.compile(
    r"(?P<y>\d{4})(?:-(?P<m>\d\d)(?:-(?P<d>\d\d)"
    r"(?:T(?P<H>\d\d):(?P<M>\d\d)(?::(?P<S>\d\d)(?P<f>\.\d{1,6})?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?)?)?"
)


def read_date(value: str) -> tuple[str, datetime, datetime]:
    """(prefix, begin, end) of a date parameter: the span that its value leaves open, UTC.

    Raises Rejected for a date that no calendar has, and for one outside the years 1 to 9998.
    """
    prefix, rest = (value[:2], value[2:]) if value[:2] in PREFIXES else ("eq", value)
    # A plus sign that was not escaped arrives as a space.
    found = _DATE.fullmatch(rest.replace(" ", "+"))
    if not found:
        raise Rejected(f"'{_shown(value)}' is no date, such as 2023-09-22 or ge2023")
    part = found.groupdict()
    try:
        low = datetime(
            int(part["y"]), int(part["m"] or 1), int(part["d"] or 1), tzinfo=UTC
        )
        if low.year > 9998:
            raise ValueError
        return prefix, *_span(low, part)
    except (ValueError, OverflowError) as error:
        raise Rejected(f"'{_shown(value)}' is no date that a calendar has") from error


def _span(low: datetime, part: dict[str, str | None]) -> tuple[datetime, datetime]:
    if part["H"]:
        text = f"{low:%Y-%m-%d}".zfill(10) + f"T{part['H']}:{part['M']}"
        text += f":{part['S'] or '00'}{(part['f'] or '').ljust(7, '0') if part['f'] else ''}"
        zone = "+00:00" if part["zone"] in (None, "Z") else part["zone"]
        low = datetime.fromisoformat(text + zone).astimezone(UTC)
        if part["f"]:
            step = timedelta(microseconds=10 ** (7 - len(part["f"])))
        else:
            step = timedelta(seconds=1) if part["S"] else timedelta(minutes=1)
        return low, low + step
    if part["d"]:
        return low, low + timedelta(days=1)
    if part["m"]:
        ahead = (low + timedelta(days=31)).replace(day=1)
        return low, ahead
    return low, low.replace(year=low.year + 1)


def midnight(day: date) -> datetime:
    """When a day of UTC begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def next_midnight(moment: datetime) -> date:
    """The day that begins then, or after it."""
    day = moment.date()
    return day if moment == midnight(day) else day + timedelta(days=1)


def _shown(value: str) -> str:
    """The value in an error: it is the caller's own, cut and on one line."""
    return "".join(c if c.isprintable() else "?" for c in value)[:40]
