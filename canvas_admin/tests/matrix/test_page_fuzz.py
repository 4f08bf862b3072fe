"""Hostile requests to every page of the site and the administration.

Somebody who holds every group asks: never an answer of 5xx, never one that is late, and
nothing written by one that is refused.
"""

import time
from collections import Counter
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, quote, quote_from_bytes, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import resolve, reverse
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from canvas_admin.testing import give
from canvas_admin.tests import proof
from canvas_admin.tests.matrix.clinic import END_OF_SESSION
from canvas_admin.tests.matrix.expected import TWELVE
from canvas_admin.tests.matrix.filling import Form, Reader
from canvas_admin.tests.undoing import undone
from canvas_admin.wsgi import Utf8Request
from patients.tests.test_bad_input import BAD
from staffing.groups import BY_NAME

PARTS = proof.count(1, 10)
CASES = proof.count(120, 10_000) // PARTS
SOME = 40
FORM = "application/x-www-form-urlencoded"
REFUSED = {400, 403, 404, 405, 409}
# Names that addresses of the site or of the administration take, beside those of links.
NAMES = ("q", "next", "page", "p", "o", "e", "all", "show", "sort", "after", "before")
NAMES += ("day", "date", "_popup", "_to_field", "_changelist_filters", "id__in", "pk")
NAMES += ("term", "app_label", "model_name", "field_name", "patient", "staff", "until")
NAMES += ("grant_type", "response_type", "client_id", "client_secret", "redirect_uri")
NAMES += ("code", "code_challenge", "scope", "state", "token")
HEADER_NAMES = (
    "hx-request",
    "hx-target",
    "referer",
    "accept-language",
    "range",
    "origin",
)
HEADER_NAMES += ("if-modified-since", "x-forwarded-for", "accept", "content-encoding")
BODIES = {
    "application/json": b'{"q": ["a"]}',
    "application/x-www-form-urlencoded; charset=utf-16": b"\x00\xff=&&&=%",
    "multipart/form-data; boundary=x": b"--x\r\nbroken",
    "multipart/form-data": b"--x--",
    "text/plain": b"\x00" * 1000,
    "": b"a",
}
TEXTS = st.one_of(
    st.sampled_from([v for v in BAD.values() if isinstance(v, str)]),
    st.text(st.characters(), max_size=30),
    st.integers(-(10**40), 10**40).map(str),
    st.floats().map(str),
    st.datetimes().map(str),
    st.dates().map(str),
).map(str)  # As one of two, not as six of seven.
HEADERS = st.dictionaries(
    st.sampled_from(HEADER_NAMES), st.text("\x20\x7fab;,=/1\xe9", max_size=20)
)
SELDOM = ("head", "put", "patch", "delete", "options", "trace")
METHODS = st.sampled_from([*["get"] * 12, *["post"] * 8, *SELDOM])


class Site:
    """What can be asked: addresses and forms, and the words that stand in them."""

    def __init__(self, session: Client, addresses: list[str], *words: str) -> None:
        self.addresses, self.values, self.names = addresses, {*words}, {*NAMES}
        self.forms: dict[str, list[Form]] = {}
        for url in addresses:
            with undone():
                answer = session.get(url)
                html = "text/html" in answer.get("Content-Type", "")
                if answer.status_code == 200 and html:
                    self.note(url, answer.content.decode())
            self.values |= {str(v) for v in resolve(url).kwargs.values()}

    def note(self, url: str, page: str) -> None:
        """Take a page's forms, and the queries of its links."""
        reader = Reader(url)
        reader.feed(page)
        for form in reader.forms:
            self.forms.setdefault(form.action, []).append(form)
        for link in reader.links:
            for name, value in parse_qsl(urlsplit(link).query):
                self.names.add(name)
                self.values.add(value)

    @cached_property
    def name(self) -> st.SearchStrategy[str]:
        return st.sampled_from(sorted(self.names)) | TEXTS

    @cached_property
    def value(self) -> st.SearchStrategy[str]:
        return st.sampled_from(sorted(self.values)) | TEXTS

    @cached_property
    def filling(self) -> st.SearchStrategy[Any]:
        return self.value | st.lists(self.value, max_size=3) | files()


@dataclass
class Sent:
    """One request."""

    method: str
    url: str
    data: Any = None
    kind: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


@st.composite
def requests(draw: Any, site: Site) -> Sent:
    """One request, more often nearly right than not."""
    value, name = site.value, site.name
    headers = draw(st.just({}) | HEADERS)
    if draw(st.booleans()) and site.forms:
        action = draw(st.sampled_from(sorted(site.forms)))
        form = draw(st.sampled_from(site.forms[action]))
        data = form.filled()
        for spoilt in draw(
            st.lists(st.sampled_from(sorted(data) or ["q"]), max_size=3)
        ):
            data[spoilt] = draw(site.filling)
        return Sent("post", action, *encoded(draw, data), headers)
    url = draw(st.sampled_from(site.addresses))
    for argument in resolve(url).kwargs.values():
        if draw(st.integers(0, 4)) == 0:
            url = url.replace(quote(str(argument)), quoted(draw(value)), 1)
    pairs = draw(st.lists(st.tuples(name, value), max_size=4))
    words = "&".join(f"{quoted(n)}={quoted(v)}" for n, v in pairs)
    method = draw(METHODS)
    if method == "post" and draw(st.booleans()):
        return Sent(method, url, words.encode(), FORM, headers)
    url += f"?{words}" if words else ""
    if method in ("get", "head", "trace"):
        return Sent(method, url, headers=headers)
    kind = draw(st.sampled_from(sorted(BODIES)))
    body = draw(st.just(BODIES[kind]) | st.binary(max_size=60))
    return Sent(method, url, body, kind, headers)


def files() -> st.SearchStrategy[SimpleUploadedFile]:
    names = st.sampled_from(["a.pdf", "a.png", "a.csv", "x" * 300, "a", "é\u202e.jpg"])
    begun = st.sampled_from(
        [b"", b"%PDF-1.4 ", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"a,b\n"]
    )
    content = st.tuples(begun, st.binary(max_size=60)).map(b"".join)
    return st.builds(SimpleUploadedFile, names, content)


def encoded(draw: Any, data: dict[str, Any]) -> tuple[Any, str | None]:
    """A form's body and media type: with files in parts, else mostly one text."""
    lists = {n: v if isinstance(v, list) else [v] for n, v in data.items()}
    uploads = any(
        isinstance(v, SimpleUploadedFile) for vs in lists.values() for v in vs
    )
    if uploads or draw(st.integers(0, 5)) == 0:
        plain = {
            n: [v.encode(errors="replace") if isinstance(v, str) else v for v in vs]
            for n, vs in lists.items()
        }
        return plain, None
    pairs = (f"{quoted(n)}={quoted(str(v))}" for n, vs in lists.items() for v in vs)
    return "&".join(pairs).encode(), FORM


def quoted(text: str) -> str:
    """Percent-encoded, a lone surrogate too."""
    return quote_from_bytes(text.encode(errors="surrogatepass"), safe="")


def send(client: Client, sent: Sent) -> Any:
    if sent.method == "post" and sent.kind is None:
        return client.post(sent.url, sent.data, headers=sent.headers)
    return client.generic(
        sent.method.upper(),
        sent.url,
        sent.data or b"",
        content_type=sent.kind or "",
        headers=sent.headers,
    )


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_no_request_breaks_a_page(clinic, monkeypatch, part):
    monkeypatch.setattr("django.test.client.WSGIRequest", Utf8Request)
    session = clinic.sign_in(frozenset(TWELVE), reached=True)
    give(clinic.pat, *BY_NAME)
    ends = [reverse(name) for name in sorted(END_OF_SESSION)]
    application = clinic.cast.application
    every = [*clinic.addresses.values(), *ends]
    words = (application.client_id, "client_credentials", "code", "refresh_token")
    site = Site(session, proof.some(every, SOME), *words)
    counted, started, cookies = Counter(), time.monotonic(), session.cookies

    @seed(proof.seed() + part)
    @settings(
        max_examples=CASES,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(requests(site))
    def each(sent: Sent) -> None:
        client = Client(raise_request_exception=False)
        client.cookies = copy(cookies)
        with undone() as changed:
            answer = send(client, sent)
            content = answer.getvalue()
        counted[answer.status_code] += 1
        assert answer.status_code < 500, (sent, content[:300])
        assert answer.status_code not in REFUSED or not changed, (changed, sent)

    each()
    proof.record(
        "page_fuzz",
        connection.vendor,
        proof.SEED,
        counted.total(),
        0,
        time.monotonic() - started,
        part=str(part),
        answers={str(code): n for code, n in sorted(counted.items())},
    )
