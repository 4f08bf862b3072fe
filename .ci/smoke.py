"""A newcomer's first and second minute, in a fresh copy: `make demo`, sign in, stop.

The copy is a clone of this repository's last commit, with nothing installed in it. The
shell around it is set for other projects; none of that may reach the demo clinic.
"""

import contextlib
import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import postgres

FIRST_START = 600
SECOND_START = 30
NONSENSE = {
    "DATABASE_URL": "nonsense",
    "SECRET_KEY": "x",
    "AUDIT_KEY": "x",
    "ALLOWED_HOSTS": "x.example",
}


def start(copy: Path, port: int, log: Path) -> subprocess.Popen:
    """`make demo` in a process group of its own, as a terminal would start it."""
    return subprocess.Popen(
        ["/usr/bin/env", "make", "demo", f"PORT={port}"],
        cwd=copy,
        stdin=subprocess.DEVNULL,
        stdout=log.open("w"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**os.environ, **NONSENSE},
    )


def page(
    opener: urllib.request.OpenerDirector, address: str, data: bytes | None
) -> str:
    """A page's text; raises unless the answer is 200."""
    request = urllib.request.Request(address, data, {"Referer": address})  # noqa: S310
    with opener.open(request, timeout=60) as answer:
        return answer.read().decode()


def sign_in(base: str, printed: str) -> None:
    """Sign nora in with the password that `make demo` printed."""
    cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    opener = urllib.request.build_opener(cookies)
    address = f"{base}account/login/"
    form = page(opener, address, None)
    stylesheet = re.search(r'href="/(static/[^"]+\.css)"', form)[1]
    page(opener, base + stylesheet, None)
    fields = {
        "csrfmiddlewaretoken": re.search(r'csrfmiddlewaretoken" value="([^"]+)', form)[
            1
        ],
        "login": "nora",
        "password": re.search(r"^ +nora +(\S+)$", printed, re.MULTILINE)[1],
    }
    home = page(opener, address, urllib.parse.urlencode(fields).encode())
    if "Sign out" not in home:
        sys.exit(f"nora could not sign in with what was printed:\n{printed}")


def answers(server: subprocess.Popen, base: str, seconds: int) -> bool:
    """Whether the sign-in page comes within these seconds, while the server lives."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"{base}account/login/", timeout=60)  # noqa: S310
            return True
        time.sleep(0.5)
    return False


def visit(copy: Path, seconds: int) -> None:
    """Start the demo, sign in, stop it; ends the program when any of that fails."""
    port = postgres.free_port()
    base, log = f"http://127.0.0.1:{port}/", copy / "demo.log"
    began = time.monotonic()
    server = start(copy, port, log)
    try:
        if not answers(server, base, seconds):
            sys.exit(f"make demo did not answer in {seconds} s:\n{log.read_text()}")
        print(f"make demo answered after {time.monotonic() - began:.0f} s", flush=True)
        sign_in(base, log.read_text())
        os.killpg(server.pid, signal.SIGINT)
        server.wait(30)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
    with contextlib.suppress(urllib.error.URLError):
        urllib.request.urlopen(base, timeout=5)  # noqa: S310
        sys.exit("make demo goes on after Ctrl-C")


def main() -> None:
    postgres.end_on_signals()
    with tempfile.TemporaryDirectory(prefix="canvas-admin-copy-") as folder:
        copy = Path(folder) / "copy"
        project = Path(__file__).resolve().parent.parent
        clone = ["/usr/bin/env", "git", "clone", "--quiet", str(project), str(copy)]
        subprocess.run(clone, check=True)
        visit(copy, FIRST_START)
        visit(copy, SECOND_START)


if __name__ == "__main__":
    main()
