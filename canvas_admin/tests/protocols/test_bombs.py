"""A protocol that takes all it can get ends within its limit; other work goes on (P52)."""

import threading
import time

import pytest

from canvas_admin.protocols import sandbox as sandboxes
from canvas_admin.protocols.sandbox import Sandbox
from canvas_admin.tests import proof
from canvas_admin.tests.protocols.running import job

TIMES = proof.count(1, 20)
# Seconds that a run may take here, and until it is gone; beside other tests it may be late.
WALL, GONE = 2.0, proof.count(10, 3)
BOMBS = {
    "processor": ("while True: pass", "computed for longer"),
    "memory": ("x = []\nwhile True: x.append(bytearray(10**7))", "MemoryError"),
    "processes": ("import os\nwhile True: os.fork()", "PermissionError"),
    "sleep": ("import time\ntime.sleep(60)", "took longer"),
    "disk": ("open('/tmp/bomb', 'w').write('x' * 10**9)", "PermissionError"),
    "output": ("while True: print('x' * 10**6)", ""),
    "answer": ("result.add_narrative('x' * 10**8)", "longer than"),
}


@pytest.fixture
def neighbour():
    """Another sandbox, which runs one protocol after the other: how long each took."""
    took, stop = [], threading.Event()

    def work():
        with Sandbox() as made:
            while not stop.is_set():
                started = time.monotonic()
                assert made.run(job("pass")).message["kind"] == "result"
                took.append(time.monotonic() - started)

    thread = threading.Thread(target=work)
    thread.start()
    while not took and thread.is_alive():
        time.sleep(0.05)
    yield took
    stop.set()
    thread.join()


@pytest.mark.proof
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_within_its_limit(neighbour, name):
    body, told = BOMBS[name]
    wrong, slowest, begun = [], 0.0, time.monotonic()
    with Sandbox() as sandbox:
        for _time in range(TIMES):
            started, before = time.monotonic(), len(neighbour)
            ran = sandbox.run(job(body), seconds=WALL)
            took = time.monotonic() - started
            slowest = max(slowest, took)
            error = ran.message.get("error", "")
            if told not in error and "took longer" not in error or took > GONE:
                wrong.append((took, ran.message))
            if len(ran.log) > sandboxes.LONGEST_LOG:
                wrong.append("a log without end")
            if sandbox.run(job("pass")).message["kind"] != "result":
                wrong.append("it goes on no more")
            if took > 1 and len(neighbour) == before:
                wrong.append("its neighbour stood still")
    proof.record(
        "bombs",
        "sqlite",
        0,
        TIMES,
        len(wrong),
        time.monotonic() - begun,
        part=name,
        slowest=round(slowest, 2),
        beside=len(neighbour),
        slowest_beside=round(max(neighbour), 2),
    )
    assert wrong == []
