"""make test: every test on SQLite, then on a PostgreSQL of its own, where there is one.

Browser tests need Debian's Chromium. What pages look like, and what their scripts do,
does not follow from the database: those tests run on SQLite alone. What is not installed
is said plainly and left out; in CI (CI=true) nothing may be left out, and a skipped test
is a failure.
"""

import os
import shutil
import sys
from pathlib import Path

import postgres

CI = os.environ.get("CI") == "true"
HERE = Path(__file__).resolve().parent


def left_out(what: str, package: str) -> None:
    """Say plainly what is not tested; in CI end the run."""
    print(f"\n{what} Debian's package {package} brings it.", flush=True)
    if CI:
        sys.exit(1)


def main() -> int:
    postgres.end_on_signals()
    os.chdir(HERE.parent)
    os.environ["PYTHONPATH"] = str(HERE)
    for name in ("DATABASE_URL", "CANVAS_ADMIN_DEMO", "DJANGO_SETTINGS_MODULE"):
        os.environ.pop(name, None)
    command = [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "worksteal"]
    command += ["-p", "no_skips", *sys.argv[1:]]
    of_postgresql = ["-m", "both_databases or not browser"]
    if shutil.which(os.environ.get("CHROMIUM", "/usr/bin/chromium")) is None:
        left_out("The browser tests are left out: there is no Chromium.", "chromium")
        command += ["-m", "not browser"]
        of_postgresql = []
    print("== SQLite ==", flush=True)
    failed = postgres.run(command)
    bin_folder = postgres.programs()
    if bin_folder is None:
        left_out("PostgreSQL was skipped: it is not installed.", "postgresql")
        return failed
    print(f"\n== PostgreSQL ({bin_folder}); browser tests: above ==", flush=True)
    with postgres.cluster(bin_folder) as address:
        return postgres.run(command + of_postgresql, DATABASE_URL=address) or failed


if __name__ == "__main__":
    sys.exit(main())
