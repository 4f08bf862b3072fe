"""make test: every test on SQLite, then on a PostgreSQL of its own, where there is one.

Browser tests need Debian's Chromium. What pages look like, and what their scripts do,
does not follow from the database: those tests run on SQLite alone; and of a test with many
parameters a few run on PostgreSQL, drawn by the seed. What is not installed is said
plainly and left out; in CI (CI=true) nothing else may be left out, and a skipped test is a
failure. Both databases are migrated at once, and every test process begins with a copy.
"""

import os
import secrets
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import postgres
import psycopg

CI = os.environ.get("CI") == "true"
HERE = Path(__file__).resolve().parent
OF_POSTGRESQL = ["-m", "both_databases or not browser", "-p", "few_of_many"]


def left_out(what: str, package: str) -> None:
    """Say plainly what is not tested; in CI end the run."""
    print(f"\n{what} Debian's package {package} brings it.", flush=True)
    if CI:
        sys.exit(1)


def migrate(*addresses: str) -> None:
    """Migrate these databases, at once. Ends the run when one cannot be migrated."""
    secret = {"SECRET_KEY": secrets.token_hex(30), "AUDIT_KEY": secrets.token_hex(30)}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]

    def one(address: str) -> int:
        named = {**secret, "INSECURE_HTTP": "1", "DATABASE_URL": address}
        if address.startswith("postgres"):
            named |= postgres.CARRIED
        return postgres.run(command, **named)

    with ThreadPoolExecutor() as pool:
        if any(pool.map(one, addresses)):
            raise SystemExit(1)


def test(command: list[str], file: Path) -> int:
    """Run the tests on both databases, or on SQLite alone; `file` is SQLite's first."""
    bin_folder = postgres.programs()
    if bin_folder is None:
        migrate(f"sqlite:///{file}")
        failed = on_sqlite(command, file)
        left_out("PostgreSQL was skipped: it is not installed.", "postgresql")
        return failed
    with postgres.cluster(bin_folder) as address:
        with psycopg.connect(address, autocommit=True) as server:
            server.execute("CREATE DATABASE migrated")
        migrate(f"sqlite:///{file}", address.rpartition("/")[0] + "/migrated")
        failed = on_sqlite(command, file)
        print(f"\n== PostgreSQL ({bin_folder}); browser tests: above ==", flush=True)
        named = {
            "DATABASE_URL": address,
            "MIGRATED_DATABASE": "migrated",
            **postgres.CARRIED,
        }
        return postgres.run([*command, *OF_POSTGRESQL], **named) or failed


def on_sqlite(command: list[str], file: Path) -> int:
    """Run the tests on SQLite."""
    print("== SQLite ==", flush=True)
    return postgres.run(command, MIGRATED_DATABASE=str(file))


def main() -> int:
    postgres.end_on_signals()
    os.chdir(HERE.parent)
    os.environ["PYTHONPATH"] = str(HERE)
    for name in ("DATABASE_URL", "CANVAS_ADMIN_DEMO", "DJANGO_SETTINGS_MODULE"):
        os.environ.pop(name, None)
    command = [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "worksteal"]
    command += ["--reuse-db", "-p", "no_skips", *sys.argv[1:]]
    if shutil.which(os.environ.get("CHROMIUM", "/usr/bin/chromium")) is None:
        left_out("The browser tests are left out: there is no Chromium.", "chromium")
        command += ["-m", "not browser"]
        OF_POSTGRESQL[:2] = []
    with tempfile.TemporaryDirectory() as folder:
        return test(command, Path(folder) / "migrated.sqlite3")


if __name__ == "__main__":
    sys.exit(main())
