"""What is written on a sheet: headings, text, facts in two columns, and tables."""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any

from django.utils.translation import gettext as _

from patients.printing.sheet import EDGE, INK, LEADING, QUIET, SHADE, SMALL, Sheet

GAP = 3
PADDING = 0.6
LABEL = 45
# Rows of a table; the pages show the others.
MOST_ROWS = 500
# So many lines stay together with the heading above them.
BELOW_HEADING = 7
# A row of no more lines stays on one page.
KEPT_TOGETHER = 8

# The head of a column, and its part of the width.
Column = tuple[Any, float]
Row = Sequence[str]


def heading(sheet: Sheet, text: Any) -> None:
    """The title of a part, which is never the last thing on a page."""
    if not sheet.room(GAP + BELOW_HEADING * LEADING):
        return
    sheet.set_y(sheet.get_y() + GAP)
    sheet.write_in("B", 11)
    sheet.put(EDGE, sheet.get_y(), sheet.epw, sheet.fitting(str(text), sheet.epw))
    sheet.set_y(sheet.get_y() + LEADING + 1.5)


def paragraph(sheet: Sheet, text: Any, style: str = "", quiet: bool = False) -> None:
    """Text over the whole width."""
    letters = {"style": style, **({"ink": QUIET} if quiet else {})}
    sheet.write_in(**letters)
    for line in sheet.wrapped(str(text), sheet.epw):
        if not sheet.room(LEADING):
            return
        # A new page was headed in other letters.
        sheet.write_in(**letters)
        sheet.put(EDGE, sheet.get_y(), sheet.epw, line)
        sheet.set_y(sheet.get_y() + LEADING)


def facts(sheet: Sheet, pairs: Iterable[tuple[Any, Any]], none: Any = "") -> None:
    """Names of facts and the facts, side by side; `none` where there are none."""
    pairs = list(pairs)
    if not pairs:
        paragraph(sheet, none, quiet=True)
    widths = [LABEL, sheet.epw - LABEL]
    for pair in pairs[:MOST_ROWS]:
        _row(sheet, _in_lines(sheet, pair, widths), widths, [QUIET])
    _left_out(sheet, pairs)


def table(
    sheet: Sheet, columns: Sequence[Column], rows: Sequence[Row], none: Any = ""
) -> None:
    """A table, its head on each page that it is on; `none` where there are no rows."""
    if not rows:
        paragraph(sheet, none, quiet=True)
        return
    total = sum(part for _title, part in columns)
    widths = [sheet.epw * part / total for _title, part in columns]
    titles = [str(title) for title, _part in columns]
    first = max(len(lines) for lines in _in_lines(sheet, rows[0], widths))
    if not sheet.room((1 + min(first, KEPT_TOGETHER)) * LEADING + 4 * PADDING):
        return
    _head(sheet, titles, widths)
    for row in rows[:MOST_ROWS]:
        _row(sheet, _in_lines(sheet, row, widths), widths, head=titles)
    _left_out(sheet, rows)


def _left_out(sheet: Sheet, rows: Sequence[Any]) -> None:
    """Say it where there are more rows than are printed."""
    if len(rows) > MOST_ROWS:
        said = _("Only the first %(most)d are printed. The screen has the others.")
        paragraph(sheet, said % {"most": MOST_ROWS}, style="B")


def _in_lines(sheet: Sheet, row: Row, widths: list[float]) -> list[list[str]]:
    sheet.write_in()
    return [
        sheet.wrapped(cell, width - GAP)
        for cell, width in zip(row, widths, strict=True)
    ]


def _row(
    sheet: Sheet,
    cells: list[list[str]],
    widths: list[float],
    inks: Sequence[int] = (),
    head: list[str] | None = None,
) -> None:
    """One row, of cells in lines; a long one goes on on the next page."""
    count = max(len(lines) for lines in cells)
    together = count if count <= KEPT_TOGETHER else 1
    if not _room(sheet, together * LEADING + 2 * PADDING, widths, head):
        return
    sheet.set_y(sheet.get_y() + PADDING)
    begin = 0
    while begin < count and _room(sheet, LEADING, widths, head):
        end = begin + int((sheet.bottom - sheet.get_y() + 0.01) / LEADING)
        _lines(sheet, [lines[begin:end] for lines in cells], widths, inks)
        begin = end
    sheet.set_y(sheet.get_y() + PADDING)
    if head:
        sheet.rule(sheet.get_y())


def _lines(
    sheet: Sheet, cells: list[list[str]], widths: list[float], inks: Sequence[int]
) -> None:
    """As much of a row as the page holds, cell by cell, as it is read aloud."""
    x, y = EDGE, sheet.get_y()
    for lines, width, ink in zip_longest(cells, widths, inks, fillvalue=INK):
        sheet.write_in(ink=ink)
        for number, line in enumerate(lines):
            sheet.put(x, y + number * LEADING, width - GAP, line)
        x += width
    sheet.set_y(y + LEADING * max(len(lines) for lines in cells))


def _room(
    sheet: Sheet, height: float, widths: list[float], head: list[str] | None
) -> bool:
    """Room in a table: a new page begins with the head."""
    page = sheet.page_no()
    if not sheet.room(height):
        return False
    if head and sheet.page_no() != page:
        _head(sheet, head, widths)
    return True


def _head(sheet: Sheet, titles: list[str], widths: list[float]) -> None:
    y = sheet.get_y()
    sheet.set_fill_color(SHADE)
    sheet.rect(EDGE, y, sheet.epw, LEADING + 2 * PADDING, style="F")
    sheet.write_in("B", SMALL, QUIET)
    x = EDGE
    for title, width in zip(titles, widths, strict=True):
        sheet.put(x, y + PADDING, width - GAP, sheet.fitting(title, width - GAP))
        x += width
    sheet.set_y(y + LEADING + 2 * PADDING)
