"""What a run may never do, tried: the sandbox is used only where all of it is refused."""

import ctypes
import mmap
import os
import socket
import threading
from collections.abc import Callable

from .system_calls import LIBRARY

HERE = os.fsencode(__file__)


def _call(name: str, *arguments: int | bytes | None) -> None:
    """A function of the C library. Raises OSError where it fails."""
    if getattr(LIBRARY, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


def _executable_memory() -> None:
    size, anonymous = mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    mmap.mmap(-1, size, anonymous, mmap.PROT_READ | mmap.PROT_EXEC).close()


def _thread() -> None:
    threading.Thread(target=int).start()


def _internet() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_STREAM)


def _datagrams() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def _local_socket() -> None:
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)


def _fork() -> None:
    if not os.fork():
        os._exit(0)


ATTEMPTS: dict[str, Callable[[], object]] = {
    "read a file": lambda: os.open(HERE, os.O_RDONLY),
    "look at a file": lambda: os.stat(HERE),
    "list a folder": lambda: os.listdir("/"),
    "write a file": lambda: os.open("/tmp/x", os.O_WRONLY | os.O_CREAT),  # noqa: S108
    "read another process": lambda: os.open("/proc/1/environ", os.O_RDONLY),
    "change the folder": lambda: os.chdir("/"),
    "connect by TCP": _internet,
    "send by UDP": _datagrams,
    "connect to a local socket": _local_socket,
    "make a process": _fork,
    "make a thread": _thread,
    "run a program": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606
    "signal its parent": lambda: os.kill(os.getppid(), 0),
    "trace its parent": lambda: _call("ptrace", 16, os.getppid(), None, None),
    "make a pipe": os.pipe,
    "copy a descriptor": lambda: os.dup(0),
    "memory as a file": lambda: os.memfd_create("x"),
    "executable memory": _executable_memory,
    "leave its namespaces": lambda: _call("unshare", 0x10000000),
    "raise its limits": lambda: _call("prlimit", 0, 0, None, None),
    "change how it is run": lambda: _call("prctl", 4, 0, 0, 0, 0),
    "load into the kernel": lambda: _call("syscall", 321, 0, None, 0),
    "ask the kernel's rings": lambda: _call("syscall", 425, 1, None),
    "ask the kernel's keys": lambda: _call("syscall", 250, 0, 0, 0),
}


def open_doors() -> list[str]:
    """What of the attempts succeeds. Nothing does in a run that is locked as it should be."""
    return [name for name, attempt in ATTEMPTS.items() if _succeeds(attempt)]


def _succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (OSError, RuntimeError):
        return False
    return True
