"""How much a proof runs, from which seed, and the record that it leaves (DESIGN 12).

PROOF       "1" runs the counts that an issue names; otherwise the small ones of `make test`
PROOF_SEED  the seed to start from; otherwise one is drawn and printed
GUARDS      "1" while guards are removed: the small counts, and every walk whole
PROOF_OUT   a folder for result fragments, <name>-<database>.json; without it none is kept
"""

import fcntl
import json
import os
import random
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

Item = TypeVar("Item")

FULL = os.environ.get("PROOF") == "1"
# Whether a walk asks everything: which lock notices what must not be left to chance.
GUARDS = os.environ.get("GUARDS") == "1"
WHOLE = FULL or GUARDS
# One seed for all processes of a run that is split over several.
SEED = int(os.environ.get("PROOF_SEED") or 0) or random.Random(
    os.environ.get("PYTEST_XDIST_TESTRUNUID")
).randrange(1, 2**31)


def count(small: int, big: int) -> int:
    """How many cases to run: `big` under PROOF=1, else `small`."""
    return big if FULL else small


def some(items: Iterable[Item], small: int) -> list[Item]:
    """So many of these, drawn by the seed; all of them where a walk is whole."""
    every = list(items)
    if WHOLE or len(every) <= small:
        return every
    return random.Random(seed()).sample(every, small)


def seed() -> int:
    """The seed of this run, printed, so that a failure can be had again."""
    print(f"PROOF_SEED={SEED}")  # noqa: T201
    return SEED


def watch() -> Callable[[], float]:
    """Tells how many seconds have passed since."""
    started = time.monotonic()
    return lambda: time.monotonic() - started


def record(
    name: str,
    database: str,
    seed: int,
    count: int,
    failures: int,
    seconds: float,
    *,
    part: str = "all",
    **more: Any,
) -> None:
    """Keep a result in PROOF_OUT, if that is set.

    A proof that is split over processes gives each `part` a name: the fragment holds
    every part and, on top, their sums. A part that runs again replaces its old result.
    """
    if not os.environ.get("PROOF_OUT"):
        return
    result = {
        "seed": seed,
        "count": count,
        "failures": failures,
        "seconds": round(seconds, 1),
        **more,
    }
    path = Path(os.environ["PROOF_OUT"]) / f"{name}-{database}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        parts = json.loads(file.read() or "{}").get("parts", {}) | {part: result}
        file.truncate(0)
        file.write(json.dumps(_summed(name, database, parts), indent=2) + "\n")


def _summed(
    name: str, database: str, parts: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    seeds = {part["seed"] for part in parts.values()}
    sums = {
        field: round(sum(part[field] for part in parts.values()), 1)
        for field in ("count", "failures", "seconds")
    }
    head = {"name": name, "database": database, "seed": min(seeds)}
    return {**head, **sums, "parts": dict(sorted(parts.items()))}
