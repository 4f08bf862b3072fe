"""Printed pages, read back, for tests."""

import re
from io import BytesIO
from typing import Any

from pypdf import PdfReader


def reader(response: Any) -> PdfReader:
    """The PDF of an answer."""
    assert response.status_code == 200, response.status_code
    assert response["Content-Type"] == "application/pdf"
    return PdfReader(BytesIO(response.getvalue()))


def text_of(response: Any) -> str:
    """All that is printed, in one line."""
    pages = (page.extract_text() for page in reader(response).pages)
    return re.sub(r"\s+", " ", " ".join(pages))
