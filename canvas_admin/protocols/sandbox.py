"""Third-party code at arm's length: one locked process for each run (DESIGN section 7).

A run has no files, no network, no environment, no processes of its own, and limits on time,
processor and memory. It is given a job and answers in data; what it asks of the web is
answered here. Whatever comes back is checked before it means anything (security P52-P55).
"""

import contextlib
import json
import math
import os
import select
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from canvas_admin.fhir.bundles import BrokenBundle, parse_json
from canvas_admin.protocols.inside import frames, limits

HERE = Path(__file__).resolve().parent
# Seconds that a run may take, and that the sandbox has beyond them to say so.
WALL, LATE = 10.0, 2.0
STARTED_WITHIN = 60.0
# A run that has answered has so long to be gone.
GONE_WITHIN = 0.2
LONGEST_FRAME, LONGEST_ANSWERS, LONGEST_LOG = 2 * 2**20, 8 * 2**20, 64 * 2**10
MOST_ASKED = 50
LAST_KINDS = {"result", "error", "checked", "attempts"}

Message = dict[str, Any]
Broker = Callable[[Message], Message]


class Unavailable(Exception):
    """Protocols cannot run on this system; says why."""


class Died(Exception):
    """The sandbox itself ended: the run says nothing about its protocol, try again."""


class Broken(Exception):
    """What a run sent is no answer; says what is wrong with it."""


@dataclass
class Ran:
    """What came of a run: its last message, what it printed, what it used."""

    message: Message
    log: str
    used: Message


def refused(_request: Message) -> Message:
    """The web of a run that has none."""
    return {"refused": "this run may not ask the web"}


class Sandbox:
    """A sandbox process; a context manager. One run at a time, in one thread.

    Raises Unavailable where the system cannot hold what has to be held, or holds it by one
    wall alone: with `one_wall` that is enough.
    """

    def __init__(self, *, one_wall: bool = False) -> None:
        self.one_wall = one_wall
        self.walls: list[str] = []
        self._process: subprocess.Popen | None = None
        self._control: socket.socket | None = None

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, whatever it does."""
        if self._control:
            self._control.close()
        if self._process:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None

    def run(self, job: Message, broker: Broker = refused, seconds: float = WALL) -> Ran:
        """Run one job in a locked process. Raises Died where the sandbox has ended."""
        try:
            if self._process is None or self._process.poll() is not None:
                self.close()
                self._start()
            return _Run(self._control, broker, seconds).over(frames.encoded(job))
        except (Died, Unavailable, OSError) as error:
            self.close()
            raise Died(str(error)) from error
        except BaseException:
            # What the run still says would be taken for the next one's.
            self.close()
            raise

    def _start(self) -> None:
        if not sys.platform.startswith("linux"):
            raise Unavailable("Protocols run on Linux alone.")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, *UNAIDED, "-c", BEGIN, str(theirs.fileno()), *_path()],
                env={
                    "HOME": "/nonexistent",
                    "TZ": "UTC",
                    "PYTHONDONTWRITEBYTECODE": "1",
                },
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._control = ours
        self.walls = self._ready()["walls"]
        if not self.one_wall and not any(w.startswith("landlock") for w in self.walls):
            self.close()
            raise Unavailable("There is no second wall: this system has no Landlock.")
        if opened := self._open_doors():
            self.close()
            raise Unavailable(f"The sandbox does not hold here: {', '.join(opened)}.")

    def _ready(self) -> Message:
        heard = select.select([self._control], [], [], STARTED_WITHIN)[0]
        said = self._control.recv(2**16) if heard else b""
        if not said:
            self._process.kill()
            told = self._process.stderr.read().decode(errors="replace")
            self.close()
            raise Unavailable(f"The sandbox did not start. {told[-2_000:]}")
        ready = json.loads(said)
        if ready["missing"]:
            self.close()
            names = ", ".join(ready["missing"])
            raise Unavailable(f"The sandbox could not load {names}.")
        return ready

    def _open_doors(self) -> list[str]:
        ran = self.run({"kind": "attempts"})
        if ran.message.get("kind") != "attempts":
            return [str(ran.message.get("error"))]
        return list(ran.message["open"])


# Without the environment, the user's folder, site-packages, and unbuffered: a run ends
# without ado, and what it prints is written at once.
UNAIDED = ("-I", "-S", "-u")
BEGIN = """\
import socket, sys
sys.path += sys.argv[2:]
from inside import zygote
zygote.main(socket.socket(fileno=int(sys.argv[1])))
"""


def _path() -> list[str]:
    """Where the inner package and the kit lie; the project is not among it."""
    return [str(HERE), *{sysconfig.get_path(name) for name in ("purelib", "platlib")}]


@dataclass
class _Run:
    """One run from outside: three pipes, and the sandbox's report at the end."""

    control: socket.socket
    broker: Broker
    seconds: float
    heard: bytearray = field(default_factory=bytearray)
    log: bytearray = field(default_factory=bytearray)
    left: bytes = b""
    asked: int = 0
    total: int = 0
    message: Message | None = None
    wrong: str = ""
    # When the run is to be killed, if something is known to end it.
    end: float = math.inf

    def __post_init__(self) -> None:
        self.due = time.monotonic() + self.seconds

    def over(self, job: bytes) -> Ran:
        """Give the job, serve the run to its end, and say what came of it."""
        with contextlib.ExitStack() as pipes:
            theirs = self._opened(pipes)
            try:
                request = json.dumps({"seconds": self.seconds}).encode()
                socket.send_fds(self.control, [request], theirs)
            finally:
                for pipe in theirs:
                    os.close(pipe)
            self.left = job
            report = self._served()
            self._drain()
        # No database keeps a NUL in a text.
        log = self.log.decode(errors="replace").replace("\x00", "\ufffd")
        return Ran(self._said(report), log, report)

    def _opened(self, pipes: contextlib.ExitStack) -> list[int]:
        job, self.job = os.pipe()
        self.answers, answers = os.pipe()
        self.printed, printed = os.pipe()
        for pipe in (self.job, self.answers, self.printed):
            os.set_blocking(pipe, False)
            pipes.callback(os.close, pipe)
        self.reading = {self.answers: self._hear, self.printed: self._print}
        return [job, answers, printed]

    def _served(self) -> Message:
        """See the run to its end; the report is heard also where an answer took long."""
        last = self.due + LATE
        while True:
            now = time.monotonic()
            if now >= self.end:
                self.control.send(b"kill")
                self.end = math.inf
            ready, writable, _ = select.select(
                [self.control, *self.reading],
                [self.job] if self.left else [],
                [],
                max(min(last, self.end) - now, 0),
            )
            if writable:
                self._give()
            if self.control in ready:
                return self._report()
            for pipe in ready:
                self._take(pipe)
            if now >= last:
                raise Died("The sandbox did not end a run in time.")

    def _report(self) -> Message:
        said = self.control.recv(4096)
        if not said:
            raise Died("The sandbox is gone.")
        return json.loads(said)

    def _give(self) -> None:
        try:
            self.left = self.left[os.write(self.job, self.left) :]
        except BrokenPipeError:
            self.left = b""
        except BlockingIOError:
            return

    def _take(self, pipe: int) -> bool:
        """Read what a pipe has; whether there was something."""
        try:
            data = os.read(pipe, 2**16)
        except BlockingIOError:
            return False
        if not data:
            del self.reading[pipe]
            return False
        self.reading[pipe](data)
        return True

    def _drain(self) -> None:
        for pipe in list(self.reading):
            while pipe in self.reading and self._take(pipe):
                pass

    def _print(self, data: bytes) -> None:
        self.log += data[: LONGEST_LOG - len(self.log)]

    def _hear(self, data: bytes) -> None:
        self.total += len(data)
        if self.wrong:
            return
        self.heard += data
        try:
            if self.total > LONGEST_ANSWERS:
                raise Broken(f"it answers with more than {LONGEST_ANSWERS} bytes")
            while (frame := self._frame()) is not None:
                self._understand(decoded(frame))
        except Broken as error:
            self.wrong, self.end = str(error), time.monotonic()

    def _frame(self) -> bytes | None:
        size = frames.LENGTH.size
        if len(self.heard) < size:
            return None
        (length,) = frames.LENGTH.unpack_from(self.heard)
        if length > LONGEST_FRAME:
            raise Broken(f"a message is longer than {LONGEST_FRAME} bytes")
        if len(self.heard) < size + length:
            return None
        frame = bytes(self.heard[size : size + length])
        del self.heard[: size + length]
        return frame

    def _understand(self, message: Message) -> None:
        if self.message is not None:
            raise Broken("it goes on after its answer")
        kind = message.get("kind")
        if kind == "http":
            self.asked += 1
            if self.asked > MOST_ASKED:
                raise Broken(f"it asks the web more than {MOST_ASKED} times")
            if time.monotonic() >= self.due:
                over = f"when its {self.seconds:g} seconds are over"
                raise Broken(f"it asks the web {over}")
            self.left += frames.encoded(self.broker(message))
        elif kind in LAST_KINDS:
            self.message, self.end = message, time.monotonic() + GONE_WITHIN
        else:
            raise Broken("a message is of no known kind")

    def _said(self, report: Message) -> Message:
        if self.wrong:
            return _error(f"The protocol broke off: {self.wrong}.")
        if self.message is not None and not self.heard:
            return self.message
        if self.message is not None:
            return _error("The protocol broke off: it goes on after its answer.")
        if report["status"] == frames.NOT_LOCKED:
            raise Died("A run could not be locked.")
        return _error(_why(report, self.seconds))


def _error(sentence: str) -> Message:
    return {"kind": "error", "error": sentence, "line": None, "traceback": ""}


def _why(report: Message, seconds: float) -> str:
    if report["killed"] == "time":
        return f"The protocol took longer than {seconds:g} seconds."
    out_of_time = report["status"] == -signal.SIGXCPU
    if out_of_time or report["processor"] >= limits.PROCESSOR_SECONDS:
        allowed = limits.PROCESSOR_SECONDS
        return f"The protocol computed for longer than {allowed} seconds."
    return f"The protocol ended without an answer (status {report['status']})."


def decoded(frame: bytes) -> Message:
    """A message of a run, as data that the database can keep. Raises Broken."""
    try:
        message = parse_json(frame)
        _checked(message)
    except (BrokenBundle, ValueError, RecursionError) as error:
        raise Broken(f"a message {str(error)[:80]}") from error
    if not isinstance(message, dict):
        raise Broken("a message is no object")
    return message


def _checked(value: Any) -> None:
    """Raises ValueError for a text or number that a database or an answer cannot hold."""
    if isinstance(value, str):
        value.encode("utf-8")
        if "\x00" in value:
            raise ValueError("has a text with a NUL character")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("has a number without an end")
    elif isinstance(value, dict):
        for name, each in value.items():
            _checked(name)
            _checked(each)
    elif isinstance(value, list):
        for each in value:
            _checked(each)
