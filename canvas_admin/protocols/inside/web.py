"""HTTP without a network: what a protocol sends becomes a frame, and the answer comes back.

The hook sits where a connection is made, below `requests`, `urllib3`, `urllib.request` and
`http.client`, so that all of them work as ever: sessions, retries, redirects, cookies.
"""

import base64
import http.client
import io
from collections.abc import Callable
from typing import Any

import requests.adapters
import urllib3.connection

Exchange = Callable[[dict[str, Any]], dict[str, Any]]
LONGEST = 2**20
END = b"\r\n\r\n"


class Refused(ConnectionError):
    """The other side does not do this request; its sentence says why."""


class Wire:
    """Stands where a connection has its socket: one request, one answer."""

    def __init__(self, origin: str, exchange: Exchange) -> None:
        self.origin, self.exchange = origin, exchange
        self.sent = bytearray()

    def sendall(self, data: Any) -> None:
        """Collect a part of the request."""
        self.sent += data
        if len(self.sent) > LONGEST:
            raise Refused(f"A request is at most {LONGEST} bytes long.")

    def makefile(self, *_args: Any, **_kwargs: Any) -> io.BytesIO:
        """Send what was collected, and give the answer to read."""
        answer = self.exchange(_request(self.origin, bytes(self.sent)))
        self.sent.clear()
        if refused := answer.get("refused"):
            raise Refused(refused)
        return io.BytesIO(_response(answer))

    def settimeout(self, _seconds: float | None) -> None:
        """The run's own time is what counts."""

    def setsockopt(self, *_option: Any) -> None:
        """There is nothing to set."""

    def close(self) -> None:
        """There is nothing to close."""


def _request(origin: str, sent: bytes) -> dict[str, Any]:
    head, _end, body = sent.partition(END)
    line, _newline, _rest = head.partition(b"\r\n")
    method, target, _version = line.decode("latin-1").split(" ", 2)
    fields = io.BytesIO(head[len(line) + 2 :] + END)
    headers = http.client.parse_headers(fields)
    if headers.get("Transfer-Encoding", "").lower() == "chunked":
        body = _joined(body)
    return {
        "kind": "http",
        "method": method,
        "url": target if "://" in target else origin + target,
        "headers": headers.items(),
        "body": base64.b64encode(body).decode(),
    }


def _joined(chunks: bytes) -> bytes:
    body = b""
    while chunks:
        length, _newline, chunks = chunks.partition(b"\r\n")
        size = int(length.partition(b";")[0], 16)
        if not size:
            break
        body, chunks = body + chunks[:size], chunks[size + 2 :]
    return body


def _response(answer: dict[str, Any]) -> bytes:
    body = base64.b64decode(answer["body"])
    own = {"connection", "content-length", "transfer-encoding"}
    headers = [(n, v) for n, v in answer["headers"] if n.lower() not in own]
    headers += [("Content-Length", str(len(body))), ("Connection", "close")]
    lines = [f"HTTP/1.1 {answer['status']} {answer.get('reason', '')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("latin-1") + END + body


def hook(exchange: Exchange) -> None:
    """Let every connection that is made from here on end at `exchange`."""

    def connect_by(scheme: str) -> Callable[[Any], None]:
        def connect(self: Any) -> None:
            if getattr(self, "_tunnel_host", None) or getattr(self, "proxy", None):
                raise Refused("There is no proxy here.")
            port = "" if self.port in (None, self.default_port) else f":{self.port}"
            self.sock = Wire(f"{scheme}://{self.host}{port}", exchange)
            self.is_verified = self.proxy_is_verified = True

        return connect

    for scheme, kinds in {
        "http": (http.client.HTTPConnection, urllib3.connection.HTTPConnection),
        "https": (http.client.HTTPSConnection, urllib3.connection.HTTPSConnection),
    }.items():
        for kind in kinds:
            kind.connect = connect_by(scheme)
    # It would look for the file of authorities that no connection asks.
    requests.adapters.HTTPAdapter.cert_verify = lambda *_args, **_kwargs: None
