"""Runs a command with DATABASE_URL at a PostgreSQL of its own, gone when it ends.

    python .ci/postgres.py COMMAND…

The cluster lies in a temporary folder and listens on a free port of 127.0.0.1. Ends
with the command's exit code, or with 3 where PostgreSQL is not installed.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NOT_INSTALLED = 3
START_SECONDS = 60
STOP_SECONDS = 10
# Tests on it meet what needs PostgreSQL, too.
CARRIED = {"PROCRASTINATE": "1"}
# What protects data from a power cut only costs time here.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # What tests undo stays in the tables as dead rows, which every later question meets.
    "autovacuum_naptime": "5s",
}


def programs() -> Path | None:
    """The folder of PostgreSQL's server programs, the newest version's, or None."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found = sorted(debian, key=lambda path: float(path.parts[-3]), reverse=True)
    on_path = shutil.which("initdb")
    found += [Path(on_path).resolve()] if on_path else []
    return found[0].parent if found else None


def server_account() -> dict[str, Any]:
    """Whom the server runs as: ourselves, but for root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            account = pwd.getpwnam(name)
            ids = {"user": account.pw_uid, "group": account.pw_gid}
            return {**ids, "extra_groups": []}
    raise SystemExit(
        "PostgreSQL refuses to run as root, and there is no other account."
    )


@contextlib.contextmanager
def cluster(bin_folder: Path) -> Iterator[str]:
    """A running cluster, as the address for DATABASE_URL; removed afterwards."""
    account = server_account()
    folder = Path(tempfile.mkdtemp(prefix="canvas-admin-pg-"))
    password = secrets.token_hex(16)
    server = None
    try:
        _make(bin_folder, folder, password, account)
        port = free_port()
        server = _start(bin_folder, folder, port, account)
        yield f"postgres://app:{password}@127.0.0.1:{port}/postgres"
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if server is not None:
            server.send_signal(signal.SIGQUIT)
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _make(
    bin_folder: Path, folder: Path, password: str, account: dict[str, Any]
) -> None:
    secret = folder / "password"
    secret.write_text(password)
    if account:
        os.chown(folder, account["user"], account["group"])
        os.chown(secret, account["user"], account["group"])
    command = [bin_folder / "initdb", "--pgdata", folder / "data", "--username", "app"]
    command += ["--pwfile", secret, "--auth", "scram-sha-256", "--encoding", "UTF8"]
    # A language's order, as in production: what needs bytewise order must ask for it.
    command += ["--locale", "C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, check=False, **account
    )
    if done.returncode:
        raise SystemExit(f"PostgreSQL's initdb failed:\n{done.stdout}{done.stderr}")


def free_port() -> int:
    """A port of 127.0.0.1 that nothing used a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _start(
    bin_folder: Path, folder: Path, port: int, account: dict[str, Any]
) -> subprocess.Popen:
    command = [bin_folder / "postgres", "-D", folder / "data", "-p", str(port)]
    if setpriv := shutil.which("setpriv"):
        # Should this program be killed, the server goes too.
        command = [setpriv, "--pdeathsig", "QUIT", *command]
    for name, value in {**SETTINGS, "unix_socket_directories": str(folder)}.items():
        command += ["-c", f"{name}={value}"]
    # A session of its own: Ctrl-C is for the tests, which need the server to the end.
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
            **account,
        )
    asked = [bin_folder / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    end = time.monotonic() + START_SECONDS
    try:
        while subprocess.run(asked, check=False).returncode:
            if server.poll() is not None or time.monotonic() > end:
                told = (folder / "log").read_text()
                raise SystemExit(f"PostgreSQL did not start:\n{told}")
            time.sleep(0.1)
    except BaseException:
        server.kill()
        server.wait()
        raise
    return server


def end_on_signals() -> None:
    """Let every way of stopping this program run its "finally" clauses."""

    def leave(number: int, _frame: Any) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def run(command: list[str], **environment: str) -> int:
    """Run a command to its end and return its exit code; Ctrl-C ends it too."""
    with _child(command, environment) as child:
        code = child.wait()
    if code < 0:
        print(f"{command[0]} was ended by {signal.Signals(-code).name}", flush=True)
    return code if code >= 0 else 128 - code


def output(command: list[str], **environment: str) -> str:
    """What a command prints; the program ends when the command fails."""
    with _child(command, environment, stdout=subprocess.PIPE, text=True) as child:
        said, _nothing = child.communicate()
    if child.returncode:
        raise SystemExit(child.returncode)
    return said


@contextlib.contextmanager
def _child(
    command: list[str], environment: dict[str, str], **options: Any
) -> Iterator[subprocess.Popen]:
    """A command in a process group of its own, so that all it starts ends with it."""
    environment = {**os.environ, **environment}
    child = subprocess.Popen(command, env=environment, process_group=0, **options)
    try:
        yield child
    except SystemExit:
        with contextlib.suppress(subprocess.TimeoutExpired, ProcessLookupError):
            os.killpg(child.pid, signal.SIGINT)
            child.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        raise


def main() -> int:
    end_on_signals()
    bin_folder = programs()
    if bin_folder is None:
        print("PostgreSQL is not installed; Debian's package postgresql brings it.")
        return NOT_INSTALLED
    with cluster(bin_folder) as address:
        return run(sys.argv[1:], DATABASE_URL=address)


if __name__ == "__main__":
    sys.exit(main())
