"""How a stored file goes out: after the gate, and never as something that acts."""

from io import BytesIO
from typing import Any

from django.core.files import File
from django.http import FileResponse, Http404

from patients import uploads

# A file is no page of ours: what it holds may load nothing and run nothing.
SHUT_IN = "default-src 'none'; frame-ancestors 'none'; sandbox"


def file_answer(row: Any, name: str) -> FileResponse:
    """The file of a row as an answer: opened() and sent()."""
    return sent(row, opened(row), name)


def opened(row: Any) -> File:
    """The file of a row. Raises Http404 for a row without one, and for one that is gone.

    Call it after the gate and before the trail is written.
    """
    if not row.file:
        raise Http404
    try:
        return row.file.open()
    except FileNotFoundError:
        raise Http404 from None


def sent(row: Any, content: File, name: str) -> FileResponse:
    """The answer that is a row's file, shown by the browser where it is a picture or a PDF.

    `name` is what it is called when it is saved, without its ending.
    """
    kind = uploads.BY_MEDIA_TYPE[row.media_type]
    return FileResponse(
        content,
        as_attachment=row.media_type not in uploads.SHOWN,
        filename=f"{name}.{kind.ending}",
        content_type=row.media_type,
        headers={"Content-Security-Policy": SHUT_IN},
    )


def text_answer(text: str, name: str) -> FileResponse:
    """A text as a file to save."""
    return FileResponse(
        BytesIO(text.encode()),
        as_attachment=True,
        filename=f"{name}.txt",
        content_type="text/plain; charset=utf-8",
        headers={"Content-Security-Policy": SHUT_IN},
    )
