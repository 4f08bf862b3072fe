"""The sandbox's process: loads the workflow kit once, and forks a locked child for each run.

A control socket tells it what to run: one message with the seconds that the run may take,
and three pipes, for the job, for what the run answers and for what it prints. Any other
message ends the run that is going on; the end of the socket ends the sandbox. Every run
ends in one report on that socket.
"""

import gc
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import decouple

# Before the kit asks: what an .env file of the clinic says is not for protocols.
decouple.config = decouple.Config(decouple.RepositoryEmpty())

from . import (  # noqa: E402
    attempts,
    frames,
    limits,
    preloaded,
    runs,
    system_calls,
    walls,
    web,
)

JOB, ANSWERS = 3, 4
PARENT_DEATH_SIGNAL, DUMPABLE = 1, 4


def main(control: socket.socket) -> None:
    """Load, lock, and run what comes until nothing does."""
    _end_with_parent(os.getppid())
    missing = preloaded.load()
    web.hook(_ask)
    os.environ.clear()
    program = system_calls.assembled()
    gc.collect()
    gc.freeze()
    os.nice(10)
    # Where memory ends, this goes first.
    Path("/proc/self/oom_score_adj").write_text("1000")
    around = [walls.another_account(), walls.no_files()]
    _end_with_parent(os.getppid())
    system_calls.LIBRARY.prctl(DUMPABLE, 0, 0, 0, 0)
    waker = _woken_by_children()
    ready = {"walls": [wall for wall in around if wall], "missing": missing}
    control.send(json.dumps(ready).encode())
    while request := _received(control):
        control.send(json.dumps(_run(control, waker, program, *request)).encode())


def _received(control: socket.socket) -> tuple[float, list[int]] | None:
    """What is to be run next; None at the end."""
    while True:
        message, pipes, _flags, _address = socket.recv_fds(control, 4096, 3)
        if not message:
            return None
        # What was to end a run may come when that has ended by itself.
        if pipes:
            return json.loads(message)["seconds"], pipes


def _run(
    control: socket.socket,
    waker: int,
    program: system_calls.Program,
    seconds: float,
    pipes: list[int],
) -> dict[str, Any]:
    """Fork a child for one run and see it end; returns the report."""
    started = time.monotonic()
    parent = os.getpid()
    child = os.fork()
    if not child:
        _be_the_run(parent, pipes, program)
    for pipe in pipes:
        os.close(pipe)
    ended, killed = _watched(child, control, waker, started + seconds)
    _pid, status, used = ended
    return {
        "status": os.waitstatus_to_exitcode(status),
        "killed": killed,
        "seconds": time.monotonic() - started,
        "processor": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss * 1024,
    }


def _watched(
    child: int, control: socket.socket, waker: int, end: float
) -> tuple[tuple[int, int, resource.struct_rusage], str]:
    """Wait for a child, at most until its end; why it was killed, or ""."""
    killed = ""
    while True:
        found = os.wait4(child, os.WNOHANG)
        if found[0]:
            return found, killed
        left = end - time.monotonic()
        if left <= 0 and not killed:
            killed = "time"
            os.kill(child, signal.SIGKILL)
        heard = select.select([control, waker], [], [], max(0.01, left))[0]
        if waker in heard:
            os.read(waker, 4096)
        if control in heard:
            if not control.recv(4096):
                sys.exit()
            killed = killed or "asked"
            os.kill(child, signal.SIGKILL)


def _be_the_run(
    parent: int, pipes: list[int], program: system_calls.Program
) -> NoReturn:
    """The child: locked, one job, one answer, gone."""
    status = frames.NOT_LOCKED
    try:
        _arrange(parent, pipes)
        limits.put_on()
        system_calls.allow_only(program)
        status = 1
        gc.enable()
        frames.write(ANSWERS, _answer(frames.read(JOB)))
        status = 0
    finally:
        os._exit(status)


def _answer(job: dict[str, Any]) -> dict[str, Any]:
    if job["kind"] == "attempts":
        return {"kind": "attempts", "open": attempts.open_doors()}
    return runs.done(job)


def _arrange(parent: int, pipes: list[int]) -> None:
    """Nothing open but the pipes: 0 is empty, 1 and 2 print, then the job and the answers."""
    _end_with_parent(parent)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    high = [os.dup2(pipe, 100 + n) for n, pipe in enumerate(pipes)]
    job, answers, printed = high
    for pipe, place in ((printed, 1), (printed, 2), (job, JOB), (answers, ANSWERS)):
        os.dup2(pipe, place)
    os.closerange(ANSWERS + 1, 4096)


def _ask(request: dict[str, Any]) -> dict[str, Any]:
    frames.write(ANSWERS, request)
    return frames.read(JOB)


def _end_with_parent(parent: int) -> None:
    """Let the kernel end this process with its parent; a change of account forgets it."""
    system_calls.LIBRARY.prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(frames.NOT_LOCKED)


def _woken_by_children() -> int:
    waker, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    return waker
