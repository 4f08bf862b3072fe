"""Rows as CSV for spreadsheet programs, which take some texts for formulas."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# By this mark spreadsheet programs know that the file is UTF-8.
BEGIN = "\ufeff"


def as_csv(rows: Iterable[Iterable[Any]]) -> str:
    """The rows as lines, every value quoted; what looks like a formula is made a text."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows(map(_harmless, rows))
    return out.getvalue()


def _harmless(values: Iterable[Any]) -> list[str]:
    return [str(v) if isinstance(v, Decimal) else _text(v) for v in values]


def _text(value: Any) -> str:
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
