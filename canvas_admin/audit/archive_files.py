"""The file that holds a month of the trail, and proving it with the key alone.

Compressed JSON, a value a line: a head, each seal of the month with its rows behind it,
and an end that proves that no seal is missing.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from canvas_admin.audit import seals, stored
from canvas_admin.audit.models import Seal
from canvas_admin.audit.proving import differences, named

FORMAT = 1
SEAL_FIELDS = (*seals.COVERED, "mac")
KINDS = {"archive": dict, "seal": dict, "row": list, "end": str}


class Damaged(Exception):
    """What was read is no archive, or not to its end; the message says where."""


def values(month: str, sealed: Iterable[Seal]) -> Iterator[dict[str, Any]]:
    """What the archive of these seals holds, line by line."""
    macs = hashlib.sha256()
    yield {"archive": {"format": FORMAT, "month": month, "columns": stored.COLUMNS}}
    for seal in sealed:
        macs.update(seal.mac.encode())
        yield {"seal": {name: getattr(seal, name) for name in SEAL_FIELDS}}
        for first, last in seals.spans(seal):
            for row in stored.all_rows(first, last):
                yield {"row": row}
    yield {"end": end_of(month, macs.hexdigest())}


def end_of(month: str, macs: str) -> str:
    """What proves that these are all the seals: `macs` is the SHA-256 of theirs."""
    return seals.proof("archive", FORMAT, month, macs)


class Reading:
    """One pass over an archive; findings() is run once, and the counts are right then."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.month = self.end = ""
        self.seals = self.rows = 0
        self._macs = hashlib.sha256()

    def findings(self) -> Iterator[str]:
        """One line for each thing that is wrong. Raises Damaged."""
        lines = _lines(self.file)
        self._head(next(lines, ("", {})))
        seal, found = None, {}
        for kind, value in lines:
            if kind == "row":
                found[value[0]] = stored.digest(value)
                continue
            if seal:
                yield from self._judged(seal, found)
            if kind == "end":
                yield from self._end(value, lines)
                return
            seal, found = self._seal(value), {}
        raise Damaged(f"{self.file} ends too early.")

    def _head(self, first: tuple[str, Any]) -> None:
        kind, head = first
        known = {"format": FORMAT, "columns": list(stored.COLUMNS)}
        if kind != "archive" or {**head, **known} != head:
            raise Damaged(f"{self.file} is no archive of an audit trail.")
        self.month = str(head.get("month"))

    def _seal(self, value: Any) -> Seal:
        if not isinstance(value, dict) or value.keys() != set(SEAL_FIELDS):
            raise Damaged(f"{self.file} holds something else in the place of a seal.")
        self.seals += 1
        self._macs.update(str(value["mac"]).encode())
        return Seal(**value)

    def _judged(self, seal: Seal, found: dict[Any, bytes]) -> Iterator[str]:
        """Is it the seal that it claims to be, and are these its rows?"""
        if seal.mac != seals.mac_of(seal) or seal.month != self.month:
            yield f"seal {seal.number}: altered, or not made with this key"
            return
        held = seals.marks(seal)
        added = [one for one in found if one not in held]
        mine = {one: found[one] for one in held if one in found}
        if added:
            yield f"seal {seal.number}, {named(added)}: added"
        yield from differences(seal, held, mine)
        self.rows += len(mine)

    def _end(self, end: str, lines: Iterator[Any]) -> Iterator[str]:
        self.end = end
        if end != end_of(self.month, self._macs.hexdigest()) or any(lines):
            yield "the end: seals are missing or were added"


def _lines(file: Path) -> Iterator[tuple[str, Any]]:
    """Each line's kind and value. Raises Damaged."""
    try:
        with gzip.open(file, "rb") as lines:
            for number, line in enumerate(lines, 1):
                yield _value(line, f"{file}, line {number}")
    except (OSError, EOFError, zlib.error) as error:
        raise Damaged(f"{file} cannot be read to its end ({error}).") from error


def _value(line: bytes, where: str) -> tuple[str, Any]:
    try:
        [(kind, value)] = json.loads(line).items()
    except (ValueError, AttributeError, RecursionError) as error:
        raise Damaged(f"{where}: this is no line of an archive.") from error
    known = isinstance(value, KINDS.get(kind, ()))
    if not known or (kind == "row" and [type(one) for one in value[:1]] != [int]):
        raise Damaged(f"{where}: this is no line of an archive.")
    return kind, value
