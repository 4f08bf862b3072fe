"""Dates and states in words, as the pages write them."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _


def day(value: date | None) -> str:
    """A date, or the clinic's date at an instant; said where it is not known."""
    if value is None:
        return _("not known")
    return date_format(_local(value), "DATE_FORMAT")


def moment(value: datetime, zone: ZoneInfo | None = None) -> str:
    """Date and time by the clock of a place, the clinic's unless told."""
    return date_format(timezone.localtime(value, zone), "D, j M Y, H:i")


def span(start: date | None, end: date | None) -> str:
    """From when until when, as far as that is known."""
    parts = []
    if start:
        parts.append(_("from %(start)s") % {"start": day(start)})
    if end:
        parts.append(_("until %(end)s") % {"end": day(end)})
    return " ".join(parts)


def known(text: Any) -> str:
    """A text, or that it is not known."""
    return str(text) if text else _("not known")


def with_marks(text: str, *marks: Any) -> str:
    """A text, and what is said about it in brackets."""
    said = ", ".join(str(mark) for mark in marks if mark)
    return f"{text} ({said})" if said else text


def _local(value: date) -> date:
    return timezone.localtime(value) if isinstance(value, datetime) else value
