"""make bench: what the site costs on both databases, as ratios within one run.

    python .ci/bench.py [--size 1000000] [--rounds 200] [--items 5] [--keep FOLDER]
                        [--only sqlite] [--parts programs]
    python .ci/bench.py --tables

A clinic of `size` patients and 500 groups, each patient with `items` results, tasks, claims
and visits, is made on each database; then people of every reach ask for the same pages in
turn, through the server. --keep FOLDER keeps SQLite's file there, and measures it again
without a load while size, items and what makes them are the same. The figures go to
docs/proof/bench.json, by size, each part with its commit; --parts takes some of them anew.
--tables prints them all as in docs/performance.md.
"""

import argparse
import contextlib
import hashlib
import json
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import postgres
import proof

HERE = Path(__file__).resolve().parent
REPORT = proof.RECORDS / "bench.json"
EVERYONE, UNFILTERED = "everyone", "no filter at all"


def measured(
    options: argparse.Namespace,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Measure in a process per database: each database with its figures."""
    if options.only != "postgresql":
        with _folder(options.keep, options.size, options.items) as folder:
            yield "sqlite", one(options, f"sqlite:///{folder}/bench.sqlite3")
    if options.only == "sqlite":
        return
    bin_folder = postgres.programs()
    if bin_folder is None:
        print("PostgreSQL was skipped: Debian's package postgresql brings it.")
        return
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    # As PostgreSQL's manual advises a server of its own; its default is for a small one.
    postgres.SETTINGS["shared_buffers"] = f"{memory // 4 // 2**20}MB"
    with postgres.cluster(bin_folder) as address:
        yield "postgresql", one(options, address)


@contextlib.contextmanager
def _folder(kept: Path | None, size: int, items: int) -> Iterator[Path]:
    """Where SQLite's file lies: a folder for what is made of this, or one that goes."""
    if kept is None:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
        return
    folder = kept / f"{size}-{items}-{_made_by()}"
    folder.mkdir(parents=True, exist_ok=True)
    yield folder


def _made_by() -> str:
    """A digest of what makes a database: the population and all migrations."""
    sources = [HERE / name for name in ("population.py", "items.py", "loading.py")]
    for room in ("staffing", "patients", "tasks", "canvas_admin"):
        sources += sorted((proof.PROJECT / room).rglob("migrations/0*.py"))
    said = hashlib.sha256()
    for source in sources:
        said.update(source.read_bytes())
    return said.hexdigest()[:12]


def one(options: argparse.Namespace, address: str) -> dict[str, Any]:
    """Measure on one database, in another process."""
    print(f"== {address.partition(':')[0]}, {options.size} patients ==", flush=True)
    numbers = map(str, (options.size, options.rounds, options.items))
    command = [sys.executable, str(HERE / "measure.py"), *numbers, *options.parts]
    environment = {
        "DATABASE_URL": address,
        "INSECURE_HTTP": "1",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "AUDIT_KEY": secrets.token_urlsafe(50),
        "PYTHONPATH": f"{proof.PROJECT}:{HERE}",
    }
    return json.loads(postgres.output(command, **environment))


def tables(report: dict[str, Any]) -> Iterator[str]:
    """Every size and database, in Markdown."""
    for size, run in sorted(report.items(), key=lambda item: int(item[0])):
        for database, found in run["figures"].items():
            yield f"\n### {int(size):,} patients, {NAMES[database]}\n"
            yield from pages(found["pages"])
            yield ""
            yield from acts(found)
            yield from api(found.get("programs", {}))
            yield from protocols(found.get("protocols", {}))
    yield from growth(report)


NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
PARTS = ("pages", "programs", "acts", "check", "protocols")


def pages(people: dict[str, Any]) -> Iterator[str]:
    """A line for each request, a column for each person: p95, its ratio, the queries."""
    others = [name for name in people if name not in (EVERYONE, UNFILTERED)]
    columns = [UNFILTERED, EVERYONE, *others]
    yield "| p95 in ms (ratio, queries) | " + " | ".join(columns) + " |"
    yield "|---|" + "---|" * len(columns)
    for act, all_of_it in people[EVERYONE].items():
        cells = [f"{people[UNFILTERED][act]['p95']:.1f}"]
        below = people[UNFILTERED][act]["p95"]
        for name in columns[1:]:
            figures = people[name][act]
            ratio = figures["p95"] / below
            cells.append(f"{figures['p95']:.1f} ({ratio:.2f}, {figures['queries']})")
            below = all_of_it["p95"]
        yield f"| {act} | " + " | ".join(cells) + " |"


def acts(found: dict[str, Any]) -> Iterator[str]:
    """A line for each single act, and for the disk."""
    yield "| act | p50 in ms | p95 in ms | queries | rows |"
    yield "|---|---|---|---|---|"
    for act, figures in found["acts"].items():
        yield (
            f"| {act} | {figures['p50']:.1f} | {figures['p95']:.1f} "
            f"| {figures['queries']} | {figures['rows']} |"
        )
    disk = {name: size / 2**20 for name, size in found["disk"].items()}
    yield (
        f"\nOn disk {disk['all']:,.0f} MiB, of which stream keys "
        f"{disk['stream keys']:,.0f} MiB, work keys {disk.get('work keys', 0):,.0f} "
        f"MiB and claim keys {disk.get('claim keys', 0):,.0f} MiB. `check_access` goes "
        f"through {found['check']['patients a second']:,} patients a second."
    )


def api(found: dict[str, Any]) -> Iterator[str]:
    """A line for each request to the API: requests per second, p95, and the ratios."""
    if not found:
        return
    ratios = "full/bare | narrow/bare | narrow/full"
    yield f"\n| requests per second (p95 in ms) | bare view | full | narrow | {ratios} |"
    yield "|---|---|---|---|---|---|---|"
    for act, by in found.items():
        cells = [f"{by[who]['per second']:.0f} ({by[who]['p95']:.1f})" for who in WHO]
        bare, full, narrow = (by[who]["per second"] for who in WHO)
        slower = by["narrow"]["p95"] / by["full"]["p95"]
        cells += [f"{full / bare:.2f}", f"{narrow / bare:.2f}", f"{slower:.2f}"]
        yield f"| {act} | {' | '.join(cells)} |"


def protocols(found: dict[str, Any]) -> Iterator[str]:
    """A line for each number of workers."""
    if not found:
        return
    names = list(dict.fromkeys(name for by in found.values() for name in by))
    yield f"\n| workers | {' | '.join(names)} |"
    yield "|---|" + "---|" * len(names)
    for workers, figures in found.items():
        cells = [f"{figures[n]:,.1f}" if n in figures else "" for n in names]
        yield f"| {workers} | {' | '.join(cells)} |"


WHO = ("bare", "full", "narrow")


def growth(report: dict[str, Any]) -> Iterator[str]:
    """p95 by size, of the slowest person who is not everyone and holds few groups."""
    sizes = sorted(report, key=int)
    yield "\n### Growth: p95 in ms of everyone / of the slowest other person\n"
    yield (
        "| request | "
        + " | ".join(f"{NAMES[db]} {int(s):,}" for db in NAMES for s in sizes)
        + " |"
    )
    yield "|---|" + "---|" * (len(sizes) * len(NAMES))
    found = [report[s]["figures"]["sqlite"]["pages"][EVERYONE] for s in sizes]
    first = dict.fromkeys(act for acts in found for act in acts)
    for act in first:
        cells = []
        for database in NAMES:
            for size in sizes:
                people = report[size]["figures"].get(database, {}).get("pages", {})
                worst = [
                    figures[act]["p95"]
                    for name, figures in people.items()
                    if name not in (EVERYONE, UNFILTERED) and act in figures
                ]
                cells.append(
                    f"{people[EVERYONE][act]['p95']:.0f} / {max(worst):.0f}"
                    if worst
                    else ""
                )
        yield f"| {act} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what the site costs.")
    parser.add_argument("--size", type=int, default=1_000_000, help="patients")
    parser.add_argument("--rounds", type=int, default=200, help="times each request")
    parser.add_argument("--items", type=int, default=5, help="items a patient")
    parser.add_argument("--keep", type=Path, help="where SQLite's file stays")
    parser.add_argument("--only", choices=NAMES, default="", help="one database")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--tables", action="store_true", help="print what is recorded")
    options = parser.parse_args()
    report = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    if not options.tables:
        postgres.end_on_signals()
        for name in ("DATABASE_URL", "CANVAS_ADMIN_DEMO"):
            os.environ.pop(name, None)
        of_run = {
            "commit": proof.commit(),
            "date": datetime.now(UTC).date().isoformat(),
            "machine": proof.machine(),
            "rounds": options.rounds,
            "items": options.items,
        }
        run = report.setdefault(str(options.size), {"figures": {}})
        before = run["figures"]
        if set(options.parts) < set(PARTS) and not before:
            parser.error("measure all parts first")
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        for database, figures in measured(options):
            kept = before.get(database, {})
            parts = {**kept.get("of", {}), **dict.fromkeys(options.parts, of_run)}
            run["figures"][database] = {**kept, **figures, "of": parts}
            REPORT.write_text(json.dumps(report, indent=1) + "\n")
        report = {str(options.size): run}
    print("\n".join(tables(report)))


if __name__ == "__main__":
    main()
