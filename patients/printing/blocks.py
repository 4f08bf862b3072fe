"""What is written on a sheet: headings, text, facts in two columns, and tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Grid:
    """The columns of rows: `titles` are their heads, on each page that they are on."""

    widths: Sequence[float]
    titles: Sequence[str] = ()
    inks: Sequence[int] = ()
    # Columns of numbers end at the right.
    numbers: Sequence[int] = ()

    def align(self, column: int) -> str:
        return "R" if column in self.numbers else "L"


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
    ink = QUIET if quiet else INK
    sheet.write_in(style, ink=ink)
    for line in sheet.wrapped(str(text), sheet.epw):
        if not sheet.room(LEADING):
            return
        # A new page was headed in other letters.
        sheet.write_in(style, ink=ink)
        sheet.put(EDGE, sheet.get_y(), sheet.epw, line)
        sheet.set_y(sheet.get_y() + LEADING)


def facts(sheet: Sheet, pairs: Iterable[tuple[Any, Any]], none: Any = "") -> None:
    """Names of facts and the facts, side by side; `none` where there are none."""
    pairs = list(pairs)
    if not pairs:
        paragraph(sheet, none, quiet=True)
    grid = Grid([LABEL, sheet.epw - LABEL], inks=[QUIET])
    for pair in pairs[:MOST_ROWS]:
        _row(sheet, grid, pair)
    left_out(sheet, pairs)


def table(
    sheet: Sheet,
    columns: Sequence[Column],
    rows: Sequence[Row],
    none: Any = "",
    numbers: Sequence[int] = (),
) -> None:
    """A table, its head on each page that it is on; `none` where there are no rows."""
    if not rows:
        paragraph(sheet, none, quiet=True)
        return
    total = sum(part for _title, part in columns)
    grid = Grid(
        [sheet.epw * part / total for _title, part in columns],
        [str(title) for title, _part in columns],
        numbers=numbers,
    )
    first = max(len(lines) for lines in _in_lines(sheet, grid, rows[0]))
    if not sheet.room((1 + min(first, KEPT_TOGETHER)) * LEADING + 4 * PADDING):
        return
    _head(sheet, grid)
    for row in rows[:MOST_ROWS]:
        _row(sheet, grid, row)
    left_out(sheet, rows)


def left_out(sheet: Sheet, rows: Sequence[Any]) -> None:
    """Say it where there are more rows than are printed."""
    if len(rows) > MOST_ROWS:
        said = _("Only the first %(most)d are printed. The screen has the others.")
        paragraph(sheet, said % {"most": MOST_ROWS}, style="B")


def _in_lines(sheet: Sheet, grid: Grid, row: Row) -> list[list[str]]:
    sheet.write_in()
    return [
        sheet.wrapped(cell, width - GAP)
        for cell, width in zip(row, grid.widths, strict=True)
    ]


def _row(sheet: Sheet, grid: Grid, row: Row) -> None:
    """One row; a long one goes on on the next page."""
    cells = _in_lines(sheet, grid, row)
    count = max(len(lines) for lines in cells)
    together = count if count <= KEPT_TOGETHER else 1
    if not _room(sheet, grid, together * LEADING + 2 * PADDING):
        return
    sheet.set_y(sheet.get_y() + PADDING)
    begin = 0
    while begin < count and _room(sheet, grid, LEADING):
        end = begin + int((sheet.bottom - sheet.get_y() + 0.01) / LEADING)
        _lines(sheet, grid, [lines[begin:end] for lines in cells])
        begin = end
    sheet.set_y(sheet.get_y() + PADDING)
    if grid.titles:
        sheet.rule(sheet.get_y())


def _lines(sheet: Sheet, grid: Grid, cells: list[list[str]]) -> None:
    """As much of a row as the page holds, cell by cell, as it is read aloud."""
    x, y = EDGE, sheet.get_y()
    columns = zip_longest(cells, grid.widths, grid.inks, fillvalue=INK)
    for column, (lines, width, ink) in enumerate(columns):
        sheet.write_in(ink=ink)
        for number, line in enumerate(lines):
            at = y + number * LEADING
            sheet.put(x, at, width - GAP, line, grid.align(column))
        x += width
    sheet.set_y(y + LEADING * max(len(lines) for lines in cells))


def _room(sheet: Sheet, grid: Grid, height: float) -> bool:
    """Room in a table: a new page begins with the head."""
    page = sheet.page_no()
    if not sheet.room(height):
        return False
    if grid.titles and sheet.page_no() != page:
        _head(sheet, grid)
    return True


def _head(sheet: Sheet, grid: Grid) -> None:
    y = sheet.get_y()
    sheet.set_fill_color(SHADE)
    sheet.rect(EDGE, y, sheet.epw, LEADING + 2 * PADDING, style="F")
    sheet.write_in("B", SMALL, QUIET)
    x = EDGE
    for column, (title, width) in enumerate(zip(grid.titles, grid.widths, strict=True)):
        title = sheet.fitting(title, width - GAP)
        sheet.put(x, y + PADDING, width - GAP, title, grid.align(column))
        x += width
    sheet.set_y(y + LEADING + 2 * PADDING)
