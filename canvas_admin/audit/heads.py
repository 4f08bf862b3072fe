"""The head of the chain of seals, kept where whoever writes to the database cannot.

Without it nobody could tell that the newest seals were cut off together with their rows.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from canvas_admin.audit.models import Seal
from canvas_admin.audit.seals import SealingRefused, highest, last_seal
from canvas_admin.records import clock


class HeadUnreadable(Exception):
    """A file that should hold a head does not; the message says which and why."""


@dataclass(frozen=True)
class Head:
    """The newest seal's number and HMAC, and the highest id sealed up to it."""

    seal: int
    last_row: int
    mac: str

    def __str__(self) -> str:
        return f"seal {self.seal}, rows up to {self.last_row}, {self.mac}"


def current() -> Head | None:
    """The head as the database has it; None before the first seal."""
    newest = last_seal()
    return newest and Head(newest.number, highest(newest.number), newest.mac)


def read(file: Path) -> Head:
    """The head in a file. Raises HeadUnreadable."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        head = Head(found["seal"], found["last_row"], found["mac"])
    except OSError as error:
        raise HeadUnreadable(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise HeadUnreadable(f"{file} is no head of an audit trail.") from error
    if [type(part) for part in (head.seal, head.last_row, head.mac)] != [int, int, str]:
        raise HeadUnreadable(f"{file} is no head of an audit trail.")
    return head


def write(file: Path, head: Head) -> None:
    """Replace the file in one step. Raises OSError."""
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    told = {**vars(head), "written": clock.now().isoformat()}
    with unfinished.open("w", encoding="utf-8") as out:
        out.write(json.dumps(told) + "\n")
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(file)


def check_kept(file: Path) -> None:
    """Refuse to go on from a chain that lacks the head in the file, if there is one.

    A new head in its place would hide what was cut off. Raises SealingRefused and
    HeadUnreadable.
    """
    if not file.exists():
        return
    kept = read(file)
    if not Seal.objects.filter(number=kept.seal, mac=kept.mac).exists():
        raise SealingRefused(
            f"The trail does not hold the head that {file} keeps ({kept}). Seals were "
            "cut off or exchanged, or an older database was put in place by hand. "
            "Nothing is sealed. Run verify_audit; keep the file, and move it away only "
            "when you know why."
        )
