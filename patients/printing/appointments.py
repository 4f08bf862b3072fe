"""A patient's appointments, and the schedule."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from patients.printing.blocks import facts, heading, paragraph, table
from patients.printing.sheet import Sheet
from patients.printing.wording import moment
from patients.templatetags.patients import born


def appointments(sheet: Sheet, rows: Sequence[Any], with_reason: bool) -> None:
    """A patient's appointments, the latest first."""
    columns = [
        (_("When"), 2.6),
        (_("Visit"), 3),
        (_("Provider"), 2),
        (_("Location"), 2),
        (_("Status"), 1.8),
    ]
    cells = [
        [
            moment(row.start, row.zone),
            "\n".join([row.visit_type.name, row.reason if with_reason else ""]).strip(),
            row.provider.name,
            row.location.name,
            row.get_status_display(),
        ]
        for row in rows
    ]
    table(sheet, columns, cells, _("No appointment is recorded."))


def schedule(
    sheet: Sheet, wanted: Any, days: Sequence[tuple[date, list[Any]]], most: int
) -> None:
    """The schedule's lines, day by day; `most` where there are more than these.

    `wanted` says whose and where, if it is narrowed down.
    """
    if narrowed := [
        (label, row.name)
        for label, row in (
            (_("Provider"), wanted.provider),
            (_("Location"), wanted.location),
        )
        if row
    ]:
        facts(sheet, narrowed)
    if most:
        said = _("Only the first %(most)d appointments are shown.") % {"most": most}
        paragraph(sheet, said, style="B")
    for day, lines in days:
        heading(sheet, date_format(day, "l, j M Y"))
        table(sheet, _columns(), [_line(line) for line in lines])
    if not days:
        paragraph(sheet, date_format(wanted.date, "l, j M Y"), "B")
        paragraph(sheet, _("No appointment here."))


def _columns() -> list[tuple[str, float]]:
    return [
        (_("Time"), 2.4),
        (_("Patient"), 2.8),
        (_("Visit"), 2.6),
        (_("Provider"), 2),
        (_("Location"), 2),
        (_("Status"), 1.8),
    ]


def _line(line: Any) -> list[str]:
    """A line as the page has it: out of reach it holds A3's fields alone."""
    length = _("%(minutes)d min") % {"minutes": line.minutes}
    zone = line.start.tzname()
    return [
        f"{line.start:%H:%M} – {line.end:%H:%M} {zone}",
        "\n".join([line.name, born(line), line.reason]).strip(),
        f"{line.visit_type}\n{length}",
        line.provider,
        line.location,
        line.status,
    ]
