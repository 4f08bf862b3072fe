"""make proof, its second part: a test goes red for every guard that is removed.

    python .ci/guards.py [--again] [--list] [BEGINNING-OF-A-MODULE…]

First every test runs with nothing removed, and it is noted which of them meet a guard.
Then each guard that sabotage.py finds is removed in turn, and the tests that meet it run,
up to the first that fails. Goes on where it was stopped; two at a time. The record is
docs/proof/guards.json: what noticed each guard, and which nobody noticed.
"""

import argparse
import contextlib
import hashlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import in_place
import postgres
import proof
import sabotage
import unguarded

RECORD = proof.RECORDS / "guards.json"
AT_ONCE = 2
PARTS = 12
KEPT = Path(tempfile.gettempdir()) / f"canvas-admin-guards-{os.getuid()}"
# What the tests depend on, and what is noted of them.
OF_TESTS = (*sabotage.ROOMS, "templates", "pyproject.toml", "requirements.txt")
OF_TESTS += (".ci/sabotage.py", ".ci/marking.py")
# The tests that a guard is tried with before all others that meet it.
LIKELIEST = 8
# And so many where that is quick.
IN_PLACE = 60
# Which files meet a guard cannot be told where it is a value and no question: these ask
# every area or address, the quickest first.
EVERY = (
    "canvas_admin/tests/test_fhir_permissions.py",
    "canvas_admin/tests/test_administration_door.py",
    "canvas_admin/tests/test_error_pages.py",
    "canvas_admin/tests/test_audit.py",
    "canvas_admin/tests/matrix/test_permissions_asked.py",
    "canvas_admin/tests/matrix/test_decisions.py",
    "canvas_admin/tests/test_access_table.py",
    "canvas_admin/tests/test_documents.py",
    "canvas_admin/tests/test_sessions.py",
    "canvas_admin/tests/test_sign_in.py",
    "canvas_admin/tests/matrix/test_locks.py::test_one_group_too_few_opens_nothing",
    "canvas_admin/tests/matrix/test_matrix.py",
)
# Guards are removed on SQLite; these are of PostgreSQL with Procrastinate alone.
ELSEWHERE = {"canvas_admin/tests/protocols/test_jobs.py"}
Result = dict[str, str]


class Meetings:
    """Which tests meet which guards, and how long each takes, nothing being removed.

    Kept outside the project for each file of tests, while it and all else are unchanged.
    """

    def __init__(self) -> None:
        told = proof.git("ls-files", "-co", "--exclude-standard", "--", *OF_TESTS)
        paths = [proof.PROJECT / line for line in told.stdout.splitlines()]
        tests = {p for p in paths if p.match("test_*.py") and "browser" not in p.parts}
        rest = hashlib.sha256()
        for path in sorted({p for p in paths if p.is_file()} - tests):
            rest.update(_named(path).encode() + path.read_bytes())
        self.kept = {}
        for path in sorted(p for p in tests if _named(p) not in ELSEWHERE):
            own = hashlib.sha256(rest.digest() + path.read_bytes()).hexdigest()
            self.kept[_named(path)] = KEPT / f"{own}.json"
        self.seconds: dict[str, float] = {}
        self.met: dict[str, dict[str, bool]] = defaultdict(dict)

    def record(self) -> None:
        """Run what is not known yet. Raises RuntimeError if a test is red."""
        KEPT.mkdir(parents=True, exist_ok=True)
        left = [test for test, kept in self.kept.items() if not kept.exists()]
        print(f"{len(left)} files of tests run with nothing removed", flush=True)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._run, (left[at::PARTS] for at in range(PARTS))))
        for kept in self.kept.values():
            found = json.loads(kept.read_text())
            self.seconds |= found["seconds"]
            for guard, tests in found["met"].items():
                self.met[guard] |= tests

    def _run(self, files: list[str]) -> None:
        for file, found in (
            unguarded.apart(unguarded.meetings, files).items() if files else ()
        ):
            self.kept[file].write_text(json.dumps(found))

    def tests_for(self, guard: sabotage.Guard) -> list[str]:
        """The tests that should notice: those whom it refuses first, the quickest first."""
        met = self.met.get(guard.name, {})
        likely = sorted(met, key=lambda test: (not met[test], self.seconds[test]))
        # These are asked on import, by whichever test comes first.
        if guard.kind == "administration":
            return [*EVERY, *likely]
        return likely or [*EVERY]


def _named(path: Path) -> str:
    return str(path.relative_to(proof.PROJECT))


@contextlib.contextmanager
def migrated() -> Iterator[None]:
    """A migrated database for every run of tests to begin with."""
    secret = {"SECRET_KEY": secrets.token_hex(30), "AUDIT_KEY": secrets.token_hex(30)}
    os.environ |= {**secret, "INSECURE_HTTP": "1", "PROOF_SEED": "1"}
    os.environ["GUARDS"] = "1"
    for name in ("PROOF", "DATABASE_URL", "CANVAS_ADMIN_DEMO"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/migrated.sqlite3"
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        url = {**os.environ, "DATABASE_URL": f"sqlite:///{path}"}
        subprocess.run(migrate, cwd=proof.PROJECT, env=url, check=True)
        os.environ["MIGRATED_DATABASE"] = path
        yield


def read() -> dict[str, Any]:
    """guard → {"noticed_by", "commit"}, from the last record."""
    if not RECORD.exists():
        return {}
    return json.loads(RECORD.read_text())["guards"]


def keep(found: dict[str, Any], guards: list[sabotage.Guard], started: float) -> None:
    """Write the record of what is known so far."""
    told = {guard.name: found[guard.name] for guard in guards if guard.name in found}
    unnoticed = [name for name, result in told.items() if not result["noticed_by"]]
    record = {
        "name": "guards",
        "date": datetime.now(UTC).date().isoformat(),
        "commit": proof.commit(),
        "count": len(told),
        "of": len(guards),
        "failures": len(unnoticed),
        "unnoticed": unnoticed,
        "kinds": dict(sorted(Counter(guard.kind for guard in guards).items())),
        "seconds_of_this_run": round(time.monotonic() - started),
        "machine": proof.machine(),
        "guards": told,
    }
    RECORD.write_text(json.dumps(record, indent=1) + "\n")


def remove(guards: list[sabotage.Guard]) -> Iterator[tuple[sabotage.Guard, Result]]:
    """Each guard with the first test that goes red without it; "" when none does.

    In place first, which is quick; before the import whatever is not noticed so.
    """
    meetings = Meetings()
    meetings.record()
    tests = {guard: meetings.tests_for(guard) for guard in guards}
    left = {guard.name: guard for guard in guards}
    tasks = [(guard.name, tests[guard][:IN_PLACE]) for guard in guards]
    for name, result in in_place.noticed(tasks, AT_ONCE):
        if result and result["noticed_by"]:
            yield left.pop(name), result
    yield from before_import([*left.values()], tests)


def before_import(
    guards: list[sabotage.Guard], tests: dict[sabotage.Guard, list[str]]
) -> Iterator[tuple[sabotage.Guard, Result]]:
    """The same, each in a process that imports the module without its guard."""
    first = [(guard.name, tests[guard][:LIKELIEST]) for guard in guards]
    unnoticed = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        noticed = partial(pool.map, partial(unguarded.apart, unguarded.noticed_by))
        for guard, result in zip(guards, noticed(first), strict=True):
            more = len(tests[guard]) > LIKELIEST
            if result["noticed_by"] or not more:
                yield guard, result
            else:
                unnoticed.append(guard)
        rest = [(guard.name, tests[guard][LIKELIEST:]) for guard in unnoticed]
        yield from zip(unnoticed, noticed(rest), strict=True)


def told(result: Result) -> str:
    if result["noticed_by"]:
        return result["noticed_by"]
    broken = result["broken"].partition("\n")[0]
    return f"BROKEN, NOT REMOVED {broken}" if broken else "NOBODY NOTICED"


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Remove each guard, and run the tests."
    )
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="begins with this")
    parser.add_argument("--again", action="store_true", help="also those that stand")
    parser.add_argument("--list", action="store_true", help="say only what there is")
    options = parser.parse_args()
    postgres.end_on_signals()
    guards = sabotage.find()
    wanted = [g for g in guards if g.module.startswith(tuple(options.modules or [""]))]
    if options.list:
        for guard in wanted:
            print(guard.name, "|", guard.says)
        return 0
    found = {} if options.again else standing()
    try:
        remove_and_keep(guards, wanted, found)
    except RuntimeError as error:
        print(f"\nStopped: {error}", file=sys.stderr)
        return 1
    unnoticed = [g for g in wanted if not found[g.name]["noticed_by"]]
    print(f"\n{len(unnoticed)} of {len(wanted)} guards are noticed by nobody.")
    return 1 if unnoticed else 0


def standing() -> dict[str, Any]:
    """The results in the record that stand: neither code nor the test that noticed changed."""
    return {
        guard: result
        for guard, result in read().items()
        if not proof.tests_since(
            result["commit"], result["noticed_by"].partition("::")[0] or "."
        )
    }


def remove_and_keep(
    guards: list[sabotage.Guard], wanted: list[sabotage.Guard], found: dict[str, Any]
) -> None:
    """Remove the wanted that are not found yet, and put what comes of it into `found`.

    Raises RuntimeError if a test is red with nothing removed.
    """
    started, commit = time.monotonic(), proof.commit()
    left = [guard for guard in wanted if guard.name not in found]
    print(f"{len(guards)} guards, {len(left)} to be removed now", flush=True)
    if not left:
        return
    with migrated():
        for guard, result in remove(left):
            found[guard.name] = {**result, "commit": commit}
            print(guard.name, told(result), guard.says, sep="\t", flush=True)
            keep(found, guards, started)


if __name__ == "__main__":
    sys.exit(main())
