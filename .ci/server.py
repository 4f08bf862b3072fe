"""The site behind gunicorn for the bench, and a browser that is signed in to it."""

import contextlib
import http.client
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import postgres
from django.conf import settings
from django.test import Client

from staffing.models import Staff

HERE = Path(__file__).resolve().parent
SECONDS = 30


@contextlib.contextmanager
def running(application: str) -> Iterator[int]:
    """A server of one process and four threads; the port where it answers."""
    port = postgres.free_port()
    command = [sys.executable, "-m", "gunicorn", application, "--threads", "4"]
    command += ["--bind", f"127.0.0.1:{port}", "--keep-alive", "600"]
    command += ["--log-level", "warning", "--no-control-socket"]
    environment = {**os.environ, "PYTHONPATH": f"{HERE.parent}:{HERE}"}
    server = subprocess.Popen(command, env=environment, cwd=HERE.parent)
    try:
        _wait(port, server)
        yield port
    finally:
        server.terminate()
        server.wait()


def _wait(port: int, server: subprocess.Popen) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError):
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            asked.request("GET", "/account/login/")
            asked.getresponse().read()
            return
        time.sleep(0.1)
    raise SystemExit("the server did not answer")


class Browser:
    """A person's browser: signed in by a planted session, one connection kept open."""

    def __init__(self, port: int, staff: Staff) -> None:
        client = Client()
        client.force_login(staff.user, "staffing.backends.StaffBackend")
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        token = secrets.token_hex(16)
        self.headers = {
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; "
            f"{settings.CSRF_COOKIE_NAME}={token}",
            "X-CSRFToken": token,
        }
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, address: str) -> str:
        """The page at an address; ends the bench for anything but a 200."""
        return self._ask("GET", address, None, {})

    def search(self, text: str) -> str:
        """What the search bar suggests for a text."""
        form = urlencode({"q": text})
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "HX-Request": "true",
        }
        return self._ask("POST", "/patients/search/", form, headers)

    def _ask(self, method: str, address: str, body: Any, more: dict[str, str]) -> str:
        self.connection.request(method, address, body, {**self.headers, **more})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            sys.exit(f"{method} {address} answered {answer.status}")
        return text
