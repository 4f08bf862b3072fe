"""The one mask of DESIGN section 4: what may differ between two answers that are alike."""

import re
from io import BytesIO
from typing import Any
from urllib.parse import quote

from django.utils.html import escape
from pypdf import PdfReader

# Shorter texts stand in every page by chance.
SHORTEST_KEY = 8
# Expires is the Date once more, on pages that must not be cached.
CLOCKED = {"Date", "Expires", "X-Correlation-Id", "fumage-correlation-id"}
_HIDDEN = re.compile(
    rb'(name="(?:csrfmiddlewaretoken|form_token)" value=")[^"]*|(X-CSRFToken[^:]*: ?.?.?)'
    rb"[0-9A-Za-z]{64}"
)
# What a handle (patients.handles) looks like: no two of one patient are alike.
_HANDLE = re.compile(rb"gAAAAA[0-9A-Za-z_=-]{100,}")
_NONCE = re.compile(r"nonce(?:-|=\")[0-9A-Za-z+/=_-]+")


def masked(response: Any, key: str = "") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of an answer without CSRF values, handles, nonces, Date,
    the correlation id and the requested key: what must be the same byte for byte."""
    correlation = response.headers.get("X-Correlation-Id", "")
    headers = {
        name: _hide(_NONCE.sub("nonce", value), key, correlation)
        for name, value in sorted(response.headers.items())
        if name not in CLOCKED
    }
    # Whether these two are sent depends on the session's age and on nothing else.
    others = response.cookies.keys() - {"csrftoken", "sessionid"}
    headers |= {f"cookie {name}": response.cookies[name].value for name in others}
    body = _HANDLE.sub(b"", _HIDDEN.sub(rb"\1\2", _readable(response)))
    body = _NONCE.sub("nonce", body.decode()).encode()
    return (
        response.status_code,
        headers,
        _hide(body.decode(), key, correlation).encode(),
    )


def _readable(response: Any) -> bytes:
    """The body; of a PDF what it says, because its bytes are packed."""
    if response.headers.get("Content-Type") != "application/pdf":
        return response.getvalue()
    pages = PdfReader(BytesIO(response.getvalue())).pages
    return "\n".join(page.extract_text() for page in pages).encode()


def _hide(text: str, key: str, correlation: str) -> str:
    for secret in (correlation, key, quote(key), quote(quote(key)), escape(key)):
        if len(secret) >= SHORTEST_KEY:
            text = text.replace(secret, "")
    return text
