"""One JSON object behind its length, on a pipe: how the two sides talk."""

import json
import os
import struct
from typing import Any

# How a run ends that could not be locked, and so has run nothing.
NOT_LOCKED = 70
LENGTH = struct.Struct(">I")


def encoded(message: dict[str, Any]) -> bytes:
    """A message as a frame. Raises ValueError or TypeError for what JSON cannot say."""
    text = json.dumps(message, allow_nan=False).encode("ascii")
    return LENGTH.pack(len(text)) + text


def write(pipe: int, message: dict[str, Any]) -> None:
    """Write a whole frame; waits while the pipe is full."""
    left = memoryview(encoded(message))
    while left:
        left = left[os.write(pipe, left) :]


def read(pipe: int) -> dict[str, Any]:
    """Read a whole frame; waits for it. Raises EOFError where the other side is gone."""
    (length,) = LENGTH.unpack(_exactly(pipe, LENGTH.size))
    return json.loads(_exactly(pipe, length))


def _exactly(pipe: int, size: int) -> bytes:
    parts = []
    while size:
        part = os.read(pipe, min(size, 1 << 20))
        if not part:
            raise EOFError("The other side of the pipe is gone.")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
