"""make bench: what pages cost on both databases, in one run, as a table with ratios.

    python .ci/bench.py [--size 2000] [--rounds 100]

A person with All Patients is measured beside one whose patient group holds a tenth of
the patients: the ratio says what the narrower reach costs. Pages go through Django's
test client, without a network or a proxy. Written to docs/proof/bench.json.
"""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import postgres
import proof

MEASURE = Path(__file__).with_name("measure.py")
REPORT = proof.RECORDS / "bench.json"


def both(options: argparse.Namespace) -> dict[str, Any]:
    """Measure in a process per database; {database: {act: {person: percentiles}}}."""
    found = {"sqlite": one(options)}
    bin_folder = postgres.programs()
    if bin_folder is None:
        print("PostgreSQL was skipped: Debian's package postgresql brings it.")
        return found
    with postgres.cluster(bin_folder) as address:
        return {**found, "postgresql": one(options, DATABASE_URL=address)}


def one(options: argparse.Namespace, **environment: str) -> dict[str, Any]:
    """Measure on one database, in another process."""
    command = [sys.executable, "-W", "ignore:No directory at", str(MEASURE)]
    command += [str(options.size), str(options.rounds)]
    environment |= {"PYTHONPATH": str(proof.PROJECT)}
    return json.loads(postgres.output(command, **environment))


def table(found: dict[str, Any]) -> str:
    """The figures for people to read."""
    head = f"{'':<20}{'everyone':>16}{'a tenth':>16}{'ratio':>14}"
    lines = [
        head,
        f"{'milliseconds':<20}" + f"{'p50':>8}{'p95':>8}" * 2 + "   p50    p95",
    ]
    for database, acts in found.items():
        for act, people in acts.items():
            wide, narrow = people["everyone"], people["tenth"]
            figures = [wide["p50"], wide["p95"], narrow["p50"], narrow["p95"]]
            ratios = [narrow[p] / wide[p] for p in ("p50", "p95")]
            lines.append(
                f"{database + ' ' + act:<20}"
                + "".join(f"{figure:>8.2f}" for figure in figures)
                + "".join(f"{ratio:>7.2f}" for ratio in ratios)
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what pages cost.")
    parser.add_argument("--size", type=int, default=2000, help="patients")
    parser.add_argument("--rounds", type=int, default=100, help="times each act")
    options = parser.parse_args()
    postgres.end_on_signals()
    for name in ("DATABASE_URL", "CANVAS_ADMIN_DEMO"):
        os.environ.pop(name, None)
    found = both(options)
    print(table(found))
    head = {
        "patients": options.size,
        "rounds": options.rounds,
        "commit": proof.commit(),
    }
    head |= {"date": datetime.now(UTC).date().isoformat(), "machine": proof.machine()}
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps({**head, "milliseconds": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
