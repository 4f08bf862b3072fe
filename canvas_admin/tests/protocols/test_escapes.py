"""What a protocol tries to reach beyond what it is given: nothing succeeds (P53).

Each attempt says so if it gets through; otherwise it raises, or finds nothing.
"""

import os
import secrets
import socket
import subprocess
import time

import pytest

from canvas_admin.protocols.sandbox import Sandbox
from canvas_admin.tests import proof
from canvas_admin.tests.protocols.running import job

TIMES = proof.count(1, 5)
C = "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\n"
ATTEMPTS = {
    "a file of the system": "got = open('/etc/passwd').read()",
    "a folder": "import os\ngot = os.listdir('/')",
    "the database": "got = open({database!r}, 'rb').read(16)",
    "the database, by its driver": (
        "import sqlite3\ngot = sqlite3.connect({database!r}).execute('select 1')"
    ),
    "its own environment": "import os\ngot = dict(os.environ)",
    "the worker's environment": "got = open('/proc/{worker}/environ').read()",
    "the worker's memory": (
        f"{C}b = ctypes.create_string_buffer(8)\n"
        "n = c.process_vm_readv({worker}, b, 1, b, 1, 0)\ngot = n >= 0"
    ),
    "its own memory map": "got = open('/proc/self/maps').read()",
    "TCP": (
        "import socket\n"
        "got = socket.create_connection(('127.0.0.1', {port}), timeout=1)"
    ),
    "UDP": (
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "got = s.sendto(b'x', ('127.0.0.1', {port}))"
    ),
    "a name of the network": (
        "import socket\ngot = socket.getaddrinfo('localhost', 80, type=1)"
    ),
    "a local socket": (
        "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect({local!r})\ngot = 1"
    ),
    "an abstract socket": (
        "import socket\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0x')\ngot = 1"
    ),
    "another descriptor": (
        "import os\ngot = []\nfor n in range(5, 4096):\n"
        "    try:\n        os.read(n, 1)\n        got.append(n)\n"
        "    except OSError:\n        pass"
    ),
    "a file to write": "open('/tmp/{name}', 'w').write('x')\ngot = 1",
    "the kit on disk": (
        "import canvas_workflow_kit\n"
        "open(canvas_workflow_kit.__file__, 'a').write('#')\ngot = 1"
    ),
    "a link": "import os\nos.symlink('/etc/passwd', '/tmp/{name}')\ngot = 1",
    "a process": "import os\ngot = os.fork()",
    "a program": "import subprocess\ngot = subprocess.run(['/bin/true'])",
    "a shell": f"{C}got = c.system(b'true') == 0",
    "a signal to the worker": "import os, signal\ngot = os.kill({worker}, 0) or 1",
    "a signal to its parent": "import os\ngot = os.kill(os.getppid(), 0) or 1",
    "tracing": f"{C}got = c.ptrace(16, {{worker}}, 0, 0) == 0",
    "another library": f"{C}got = ctypes.CDLL('libutil.so.1')",
    "machine code": (
        "import mmap\ngot = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)"
    ),
    "its limits": (
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\ngot = 1"
    ),
    "the project": "import canvas_admin.settings\ngot = 1",
    "Django": "import django\ngot = 1",
    "a namespace of its own": f"{C}got = c.unshare(0x10000000) == 0",
    "the kernel by programs": f"{C}got = c.syscall(321, 0, 0, 0) >= 0",
}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as made:
        yield made


@pytest.fixture
def there(tmp_path):
    """What there is to be reached: a file, servers, this process."""
    name = f"escaped-{secrets.token_hex(8)}"
    local = str(tmp_path / "s")
    (tmp_path / "database.sqlite3").write_bytes(b"SQLite format 3\0")
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as listening,
    ):
        listening.bind(local)
        listening.listen()
        yield {
            "name": name,
            "local": local,
            "database": str(tmp_path / "database.sqlite3"),
            "worker": os.getpid(),
            "port": server.getsockname()[1],
        }
    assert not os.path.lexists(f"/tmp/{name}")  # noqa: S108


TELL = "\nif got:\n    result.add_narrative(f'reached: {{got!r}}'[:200])"


@pytest.mark.proof
def test_nothing_is_reached(sandbox, there):
    started, reached = time.monotonic(), []
    for name, body in ATTEMPTS.items():
        for _time in range(TIMES):
            said = sandbox.run(job((body + TELL).format(**there)), seconds=5).message
            if said["kind"] == "result" and said["narrative"]:
                reached.append(f"{name}: {said['narrative']}")
    proof.record(
        "escapes",
        "sqlite",
        0,
        TIMES * len(ATTEMPTS),
        len(reached),
        time.monotonic() - started,
    )
    assert reached == []


def test_the_attempts_reach_what_is_not_held(there, tmp_path):
    """Outside the sandbox most of them get through, so that none is refused by itself."""
    stays = {"a process", "its limits", "a link", "a file to write", "the kit on disk"}
    stays |= {"tracing", "another descriptor"}
    reached = set()
    for name, body in ATTEMPTS.items():
        if name in stays:
            continue
        code = f"{body.format(**there)}\nif got:\n    print('reached')"
        ran = subprocess.run(
            ["/usr/bin/env", "python3", "-c", code],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=20,
        )
        if "reached" in ran.stdout:
            reached.add(name)
    assert len(reached) > len(ATTEMPTS) / 2, reached
