"""Files that people bring: which are taken, told by what they are and not by their name.

Nothing that could act when it is opened is among them: no HTML, no SVG, no office file.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MIB = 2**20
LARGEST = 20 * MIB


@dataclass(frozen=True)
class FileType:
    """A type of file that is taken: its media type, its ending, its name for people.

    It begins with one of `begins`, and where `ends` is given that is near its end.
    """

    media_type: str
    ending: str
    name: str
    begins: tuple[bytes, ...]
    ends: bytes = b""


TYPES = (
    FileType("application/pdf", "pdf", "PDF", (b"%PDF-",), b"%%EOF"),
    FileType("image/png", "png", "PNG", (b"\x89PNG\r\n\x1a\n",), b"IEND"),
    FileType("image/jpeg", "jpg", "JPEG", (b"\xff\xd8\xff",)),
    FileType("image/tiff", "tif", "TIFF", (b"II*\x00", b"MM\x00*")),
)
# Programs put something behind the end of a file, but not much.
TAIL = 4096
BY_MEDIA_TYPE = {each.media_type: each for each in TYPES}
# What browsers show by themselves.
SHOWN = {"application/pdf", "image/png", "image/jpeg"}


@dataclass(frozen=True)
class Accepted:
    """What is known of a file that may be kept."""

    media_type: str
    size: int
    sha256: str


def accept(upload: Any) -> Accepted:
    """Look at an uploaded file.

    Raises ValidationError for an empty one, one of more than 20 MiB, any type that is not
    taken, and one that was cut off on its way.
    """
    if not upload.size:
        raise ValidationError(_("This file is empty."))
    if upload.size > LARGEST:
        raise ValidationError(
            _("This file is larger than %(most)d MiB. Send it in parts.")
            % {"most": LARGEST // MIB}
        )
    upload.seek(0)
    found = _type_of(upload.read(16))
    if found is None:
        raise ValidationError(
            _("Only PDF, PNG, JPEG and TIFF files are taken, whatever they are called.")
        )
    digest, tail = hashlib.sha256(), b""
    for chunk in upload.chunks():
        digest.update(chunk)
        tail = (tail + chunk)[-TAIL:]
    if found.ends not in tail:
        raise ValidationError(_("The end of this file is missing. Send it again."))
    return Accepted(found.media_type, upload.size, digest.hexdigest())


def _type_of(start: bytes) -> FileType | None:
    return next((each for each in TYPES if start.startswith(each.begins)), None)
