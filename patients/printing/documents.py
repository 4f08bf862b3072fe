"""A stored file of pictures on paper, and what it is."""

from typing import Any

from patients.printing.blocks import heading, paragraph
from patients.printing.pictures import put_pictures
from patients.printing.sheet import Sheet
from patients.printing.wording import day


def scan(sheet: Sheet, document: Any, file: Any) -> None:
    """An administrative document: what is written on the folder, the pictures below."""
    about = document.get_kind_display()
    if document.document_date:
        about = f"{about}, {day(document.document_date)}"
    _put(sheet, document.title, about, file)


def result_scan(sheet: Sheet, result: Any, file: Any) -> None:
    """A result's file: what it is and its day, the pictures below."""
    _put(sheet, result.display, day(getattr(result, result.dated_by)), file)


def _put(sheet: Sheet, title: str, about: str, file: Any) -> None:
    heading(sheet, title)
    paragraph(sheet, about, quiet=True)
    put_pictures(sheet, file)
