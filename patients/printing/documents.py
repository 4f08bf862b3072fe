"""A picture of an administrative document on paper."""

from typing import Any

from patients.printing.blocks import heading, paragraph
from patients.printing.pictures import put_pictures
from patients.printing.sheet import Sheet
from patients.printing.wording import day


def scan(sheet: Sheet, document: Any, file: Any) -> None:
    """What is written on the folder, and the file's pictures below."""
    heading(sheet, document.title)
    about = document.get_kind_display()
    if document.document_date:
        about = f"{about}, {day(document.document_date)}"
    paragraph(sheet, about, quiet=True)
    put_pictures(sheet, file)
