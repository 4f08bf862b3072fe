"""make proof: the large counts, on both databases, and the records in docs/proof/.

    python .ci/proof.py [--again] [NAME…]

Each proof is a file of tests marked "proof", which run at their large count under
PROOF=1 and leave a result per database. A proof that passed is left out while nothing
that it runs has changed since its commit, so that a run that was stopped goes on.
"""

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import postgres

PROJECT = Path(__file__).resolve().parent.parent
RECORDS = PROJECT / "docs" / "proof"
PROOFS = {
    "worlds": "canvas_admin/tests/worlds/test_worlds.py",
    "grants": "staffing/tests/test_grant_rules.py",
    "last_administrator": "staffing/tests/test_last_administrator.py",
    "noninterference": "canvas_admin/tests/test_noninterference.py",
    "decisions": "canvas_admin/tests/matrix/test_decisions.py",
    "matrix": "canvas_admin/tests/matrix/test_matrix.py",
    "fhir_matrix": "canvas_admin/tests/matrix/test_fhir_matrix.py",
    "foreign_keys": "canvas_admin/tests/matrix/test_foreign_keys.py",
    "locks": "canvas_admin/tests/matrix/test_locks.py",
    "canaries": "canvas_admin/tests/matrix/test_canaries.py",
    "searches": "canvas_admin/tests/searches/test_random.py",
    "fuzz": "canvas_admin/tests/test_fhir_fuzz.py",
    "large_group": "patients/tests/test_fhir_group.py",
    "campaign": "tasks/tests/test_campaigns.py",
    "schemathesis": "canvas_admin/tests/test_schemathesis.py",
    "page_fuzz": "canvas_admin/tests/matrix/test_page_fuzz.py",
    "damaged_keys": "canvas_admin/tests/worlds/test_damaged_keys.py",
    "damaged_work_keys": "canvas_admin/tests/worlds/test_damaged_work_keys.py",
    "damaged_claim_keys": "canvas_admin/tests/worlds/test_damaged_claim_keys.py",
    "readers_and_writer": "patients/tests/test_readers_and_writer.py",
    "audit_seals": "canvas_admin/tests/test_audit_proving.py",
    "bombs": "canvas_admin/tests/protocols/test_bombs.py",
    "escapes": "canvas_admin/tests/protocols/test_escapes.py",
    "shipped": "canvas_admin/tests/protocols/test_kit.py",
    "workers": "canvas_admin/tests/protocols/test_workers.py",
    "administration_pages": "canvas_admin/tests/browser/test_admin_pages.py",
}
# Neither what pages look like nor the sandbox follows from the database.
OF_SQLITE = {"administration_pages", "bombs", "escapes"}
DATABASES = ("sqlite", "postgresql")


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What git says about this project."""
    command = ["/usr/bin/env", "git", *arguments]
    return subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, check=False
    )


def code_since(commit: str, *but: str) -> bool:
    """Whether anything but documents differs from a commit, or it is unknown.

    What `but` names, as git's globs do, is let alone.
    """
    apart = [":!docs", ":!*.md", *(f":(exclude,glob){glob}" for glob in but)]
    return bool(git("diff", "--quiet", commit, "--", ".", *apart).returncode)


@cache
def tests_since(commit: str, tests: str) -> bool:
    """Whether these tests, or what they run on, differ from a commit: no other tests."""
    of_tests = git("diff", "--quiet", commit, "--", tests).returncode
    return bool(of_tests) or code_since(commit, "**/test_*.py", ".ci/**")


def commit() -> str:
    """The commit that runs; with "+changes" when the files differ from it."""
    head = git("rev-parse", "HEAD").stdout.strip()
    return f"{head}+changes" if code_since("HEAD") else head


def read(name: str) -> dict[str, Any]:
    """The record of a proof; empty before its first run."""
    path = RECORDS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def stands(name: str, database: str) -> bool:
    """Whether this proof passed on this database with the code as it is."""
    result = read(name).get(database, {})
    return result.get("passed", False) and not tests_since(
        result["commit"], PROOFS[name]
    )


def prove(name: str, database: str, **environment: str) -> bool:
    """Run one proof on one database and record it; whether it passed."""
    print(f"\n== {name}, {database} ==", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "-m", "proof"]
    command += ["-o", "faulthandler_timeout=0"]
    with tempfile.TemporaryDirectory() as folder:
        environment |= {"PROOF": "1", "PROOF_OUT": folder}
        started = commit()
        code = postgres.run([*command, PROOFS[name]], **environment)
        written = Path(folder) / f"{name}-{database}.json"
        found = json.loads(written.read_text()) if written.exists() else {}
    passed = code == 0 and found.get("failures") == 0 and started == commit()
    keep(name, database, {**found, "passed": passed, "commit": started})
    return passed


def keep(name: str, database: str, result: dict[str, Any]) -> None:
    """Put a database's result into the record."""
    for repeated in ("name", "database"):
        result.pop(repeated, None)
    result |= {"date": datetime.now(UTC).date().isoformat(), "machine": machine()}
    RECORDS.mkdir(parents=True, exist_ok=True)
    record = {"name": name, "tests": PROOFS[name], **read(name), database: result}
    text = json.dumps(record, indent=2) + "\n"
    (RECORDS / f"{name}.json").write_text(text)


def machine() -> dict[str, Any]:
    """What the proof ran on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    folder = postgres.programs()
    found = {
        "processors": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    if folder:
        asked = [folder / "postgres", "--version"]
        told = subprocess.run(asked, capture_output=True, text=True, check=True)
        found["postgresql"] = told.stdout.split()[2]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the proofs at their large count.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROOFS))
    parser.add_argument("--again", action="store_true", help="also those that stand")
    options = parser.parse_args()
    if unknown := set(options.names) - PROOFS.keys():
        parser.error(f"no proof is named {', '.join(sorted(unknown))}")
    postgres.end_on_signals()
    os.chdir(PROJECT)
    for name in ("DATABASE_URL", "CANVAS_ADMIN_DEMO", "PROOF_SEED"):
        os.environ.pop(name, None)
    failed = []
    for name in options.names or PROOFS:
        for database in DATABASES[: 1 if name in OF_SQLITE else None]:
            if not options.again and stands(name, database):
                print(f"{name}, {database}: stands")
            elif not prove_on(name, database):
                failed.append(f"{name}, {database}")
    print(f"\nFailed: {'; '.join(failed)}" if failed else "\nEvery proof stands.")
    return 1 if failed else 0


def prove_on(name: str, database: str) -> bool:
    """Run one proof on SQLite, or on a PostgreSQL of its own."""
    if database == "sqlite":
        return prove(name, database)
    bin_folder = postgres.programs()
    if bin_folder is None:
        print(
            f"\n{name}: PostgreSQL was skipped: Debian's package postgresql brings it."
        )
        return False
    with postgres.cluster(bin_folder) as address:
        return prove(name, database, DATABASE_URL=address, **postgres.CARRIED)


if __name__ == "__main__":
    sys.exit(main())
