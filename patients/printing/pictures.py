"""A stored picture on sheets of paper: scans and photographs of documents."""

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from patients.printing.blocks import paragraph
from patients.printing.sheet import EDGE, Sheet

# What a page shows at 200 points an inch; more makes the file larger and no clearer.
LARGEST = (1500, 1900)
# A picture is unpacked in memory: 150 MB at most.
MOST_PIXELS = 50_000_000
MOST_PICTURES = 50
FORMATS = ("PNG", "JPEG", "TIFF")
# What Pillow raises for files that are not what they begin as.
DAMAGED = (
    ArithmeticError,
    EOFError,
    Image.DecompressionBombError,
    LookupError,
    MemoryError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


class NoPicture(Exception):
    """The file is no picture that can be put on paper."""


def put_pictures(sheet: Sheet, file: Any) -> None:
    """Each picture of the file on a page of its own (a fax is a TIFF of several)."""
    try:
        for number, picture in enumerate(_pictures(file)):
            if number == MOST_PICTURES:
                said = _("Only the first %(most)d pages are printed.")
                paragraph(sheet, said % {"most": MOST_PICTURES}, style="B")
                return
            if number:
                sheet.add_page()
            _put(sheet, picture)
    except NoPicture:
        paragraph(sheet, _("This file cannot be shown as a picture."), style="B")


def _put(sheet: Sheet, picture: Image.Image) -> None:
    """The picture as large as the page allows, upright."""
    width, height = sheet.epw, sheet.bottom - sheet.get_y() - 2
    scale = min(width / picture.width, height / picture.height)
    packed = BytesIO()
    picture.save(packed, "JPEG", quality=85)
    sheet.image(
        packed,
        x=EDGE,
        y=sheet.get_y() + 1,
        w=picture.width * scale,
        h=picture.height * scale,
    )
    sheet.set_y(sheet.get_y() + picture.height * scale + 2)


def _pictures(file: Any) -> Iterator[Image.Image]:
    """The file's pictures, small enough; raises NoPicture."""
    try:
        with Image.open(file, formats=FORMATS) as opened:
            for number in range(getattr(opened, "n_frames", 1)):
                opened.seek(number)
                yield _small(opened)
    except DAMAGED as error:
        raise NoPicture from error


def _small(opened: Image.Image) -> Image.Image:
    if opened.width * opened.height > MOST_PIXELS:
        raise NoPicture
    opened.draft("RGB", LARGEST)
    upright = ImageOps.exif_transpose(opened)
    # Where a picture is transparent, paper is white.
    if "A" in upright.mode or "transparency" in upright.info:
        upright = upright.convert("RGBA")
        paper = Image.new("RGBA", upright.size, "white")
        paper.alpha_composite(upright)
        upright = paper
    picture = upright.convert("RGB")
    picture.thumbnail(LARGEST)
    return picture
