"""Other hosts than the clinic's own, as far as an administrator allows a protocol to ask them.

What is sent there leaves the clinic: each call is on the trail, with the host and the patient.
"""

import base64
import contextlib
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import requests

from canvas_admin.audit import trail
from canvas_admin.protocols.broker import READING, Message, Writes
from patients import access
from patients.models import Patient
from staffing.models import User

# Seconds to connect, and to wait for each part of an answer.
PATIENCE = (3, 5)
LONGEST = 2**20
# Seconds for the whole of an answer's body, however busily it comes.
WHOLE = 10.0
# The connection's own.
NOT_SENT = {"host", "connection", "content-length", "transfer-encoding", "expect"}
NOT_ANSWERED = {"connection", "content-encoding", "content-length", "transfer-encoding"}


@dataclass(frozen=True)
class Abroad:
    """What a run over a patient may ask of these hosts; a dry one writes nothing there."""

    hosts: Collection[str]
    account: User
    patient: Patient
    dry: bool = False
    writes: Writes | None = None

    def ask(
        self, method: str, host: str, path: str, headers: dict[str, str], body: bytes
    ) -> Message:
        """The host's answer, or {"refused": why}. A redirection is the run's to follow."""
        url = f"https://{host}{path}"
        if method in READING:
            return self._sent(method, url, headers, body)
        if self.dry:
            return _answer(200, [["Content-Type", "application/json"]], b"{}")
        if self.writes is None:
            return self._sent(method, url, headers, body)
        return self.writes.once(
            [method, url, body],
            lambda: self._sent(method, url, headers, body),
            apart=True,
        )

    def _sent(
        self, method: str, url: str, headers: dict[str, str], body: bytes
    ) -> Message:
        self._record(method, url)
        try:
            with requests.Session() as session:
                session.trust_env = False
                with session.request(
                    method,
                    url,
                    headers={n: v for n, v in headers.items() if n not in NOT_SENT},
                    data=body or None,
                    timeout=PATIENCE,
                    allow_redirects=False,
                    stream=True,
                ) as answer:
                    return _read(answer)
        except requests.RequestException as error:
            return {"refused": f"no answer: {type(error).__name__}"}

    def _record(self, method: str, url: str) -> None:
        """Before anything is sent; the path may name somebody, so it is not told."""
        seen: Any = access.paths_to(self.account, [self.patient])
        host = url.split("/")[2]
        trail.done(self.account, "protocol.sent", seen, method=method, host=host)


def _read(answer: requests.Response) -> Message:
    body, end = b"", time.monotonic() + WHOLE
    with _broken_off(answer):
        for part in answer.iter_content(2**16):
            body += part
            if len(body) > LONGEST:
                return {"refused": f"the answer has more than {LONGEST} bytes"}
    if time.monotonic() >= end:
        return {"refused": f"the answer takes longer than {WHOLE:g} seconds"}
    told = [[n, v] for n, v in answer.headers.items() if n.lower() not in NOT_ANSWERED]
    return _answer(answer.status_code, told, body)


@contextlib.contextmanager
def _broken_off(answer: requests.Response) -> Iterator[None]:
    """Read no more of it once its time is over: time-outs are for each part alone."""

    def end() -> None:
        # It has come to its end by itself.
        with contextlib.suppress(RuntimeError, OSError):
            answer.raw.shutdown()

    timer = threading.Timer(WHOLE, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _answer(status: int, headers: list[list[str]], body: bytes) -> Message:
    encoded = base64.b64encode(body).decode()
    return {"status": status, "headers": headers, "body": encoded}
