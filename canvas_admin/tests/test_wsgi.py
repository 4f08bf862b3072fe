"""The application as the server calls it: a charset that a client names changes nothing."""

import io
import logging
from types import SimpleNamespace
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.conf import settings

from canvas_admin.audit.server_log import WithoutQueries
from canvas_admin.wsgi import application

CHARSETS = ("base64", "hex", "punycode", "unicode_escape", "utf-16", "latin-1", "x")
FORM = "application/x-www-form-urlencoded"

pytestmark = pytest.mark.usefixtures("open_connection")


def call(path: str, kind: str, body: bytes | None = None, cookie: str = "") -> Any:
    """The status and the text of an answer."""
    environ: dict[str, Any] = {"HTTP_HOST": "127.0.0.1", "CONTENT_TYPE": kind}
    environ["PATH_INFO"], _, environ["QUERY_STRING"] = path.partition("?")
    if body is not None:
        environ |= {"REQUEST_METHOD": "POST", "wsgi.input": io.BytesIO(body)}
        environ |= {"CONTENT_LENGTH": str(len(body)), "HTTP_COOKIE": cookie}
    setup_testing_defaults(environ)
    started: list[str] = []
    text = b"".join(
        application(environ, lambda status, headers: started.append(status))
    )
    return started[0][:3], text.decode()


@pytest.fixture(params=CHARSETS)
def charset(request: pytest.FixtureRequest) -> str:
    return request.param


def test_an_address_is_read_all_the_same(db: None, charset: str) -> None:
    for parameter in (f"charset={charset}", f"charset*=utf-8''{charset}"):
        status, text = call(
            "/account/login/?next=%5Cud800ab", f"text/plain; {parameter}"
        )
        assert status == "200"
        assert "Sign in" in text


@pytest.mark.parametrize("path", ["/account/login/", "/patients/"])
def test_a_form_without_its_token_is_out_of_date(
    db: None, charset: str, path: str
) -> None:
    status, text = call(path, f"{FORM}; charset={charset}", b"q=%FF%FE\xff")
    assert status == "403"
    assert "This form is out of date" in text


def test_a_form_in_parts_is_read_as_utf_8(
    cast: SimpleNamespace, signed_in: Any, charset: str
) -> None:
    client = signed_in("nora")
    token = "t" * 32
    names = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME)
    session = client.cookies[names[0]].value
    cookie = f"{names[0]}={session}; {names[1]}={token}"
    kind = f"multipart/form-data; boundary=x; charset={charset}"

    def search(typed: bytes) -> Any:
        fields = {b"csrfmiddlewaretoken": token.encode(), b"q": typed}
        part = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        body = b"".join(part % field for field in fields.items()) + b"--x--\r\n"
        return call("/patients/search/", kind, body, cookie)

    status, text = search("Álvarez".encode())
    assert status == "200"
    assert cast.ada.key in text
    assert search(rb"\ud800ab")[0] == "200"


def test_the_servers_log_has_no_query_string() -> None:
    line = ("gunicorn.error", logging.ERROR, "", 0, "Error handling request %s")
    record = logging.LogRecord(
        *line, ("GET /patients/?q=ada%20alvarez HTTP/1.1",), None
    )
    assert WithoutQueries().filter(record)
    assert record.getMessage() == "Error handling request GET /patients/?… HTTP/1.1"
