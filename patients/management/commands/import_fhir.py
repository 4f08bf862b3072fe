"""manage.py import_fhir: FHIR R4 bundles into the clinic's records."""

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from tqdm import tqdm

from canvas_admin.fhir.bundles import BrokenBundle, Bundle, content_of, one_line
from patients.importing.bundle import OUTCOMES, Result, carry_out, check, plan
from patients.models import PatientGroup

KINDS = {
    "Patient": "Patients",
    "Practitioner": "Practitioners",
    "CareTeam": "Care team roles",
    "Condition": "Conditions",
    "MedicationRequest": "Medications",
    "AllergyIntolerance": "Allergies",
    "Immunization": "Immunizations",
    "DiagnosticReport": "Reports",
    "ImagingStudy": "Imaging studies",
    "Observation": "Observations",
    "Coverage": "Coverages",
    "Claim": "Claims",
}
INTERRUPTED = 130


class Command(BaseCommand):
    help = (
        "Imports FHIR R4 bundles (JSON, one patient each; files, or folders of them). "
        "Each bundle is taken whole or not at all; the same bundle again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="file or folder")
        parser.add_argument(
            "--group",
            action="append",
            default=[],
            metavar="NAME",
            dest="groups",
            help="put new patients into this patient group; may be repeated",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="validate only, write nothing"
        )

    def handle(
        self, *args: Any, paths: list[str], groups: list[str], **options: Any
    ) -> None:
        self.groups = [patient_group(name) for name in groups]
        self.dry_run = options["dry_run"]
        self.counts: Counter[tuple[str, str]] = Counter()
        self.left_out: Counter[str] = Counter()
        self.set_aside = 0
        try:
            files = [found for path in paths for found in files_of(Path(path))]
            for file in tqdm(
                unique(files), unit="bundle", file=sys.stderr, disable=None
            ):
                self._take(file)
        except KeyboardInterrupt:
            self._summarise()
            raise CommandError(
                "Stopped. What is listed is done; run it again for the rest.",
                returncode=INTERRUPTED,
            ) from None
        self._summarise()
        if failed := self.counts["Bundle", "failed"]:
            read = self.counts["Bundle", "read"]
            raise CommandError(f"{failed} of {read} could not be imported.")

    def _take(self, file: "Path | Unreadable") -> None:
        """Import one file, or say what is wrong with it."""
        self.counts["Bundle", "read"] += 1
        try:
            if isinstance(file, Unreadable):
                raise BrokenBundle(file.reason)
            content = content_of(file)
            planned = plan(Bundle.parse(content))
            check(planned)
            if not self.dry_run:
                source = hashlib.sha256(content).hexdigest()
                self._count(carry_out(planned, self.groups, source))
        except BrokenBundle as error:
            self._fail(file, str(error))
        except DatabaseError as error:
            # Its later lines can hold values of the row.
            reason = (str(error).splitlines() or [""])[0]
            self._fail(file, f"the database refused it: {reason}")
        else:
            self.left_out += planned.left_out
            for kind, number in (
                ("Patient", 1),
                ("Practitioner", len(planned.practitioners)),
                ("CareTeam", sum(len(parts) for *_team, parts in planned.care)),
                *((kind, len(rows)) for kind, rows in planned.clinical.items()),
                ("Coverage", len(planned.revenue.coverages)),
                ("Claim", len(planned.revenue.claims)),
            ):
                self.counts[kind, "read"] += number

    def _count(self, result: Result) -> None:
        self.counts += result.counts
        self.counts["Bundle", result.outcome] += 1
        self.set_aside += result.set_aside

    def _fail(self, file: "Path | Unreadable", reason: str) -> None:
        self.counts["Bundle", "failed"] += 1
        with tqdm.external_write_mode(file=sys.stderr):
            self.stderr.write(f"{shown(file)}: {one_line(reason)}")

    def _summarise(self) -> None:
        columns = ("read", *OUTCOMES, "failed")
        self.stdout.write(f"{'':<17}" + "".join(f"{name:>11}" for name in columns))
        for kind, name in {"Bundle": "Bundles", **KINDS}.items():
            numbers = [self.counts[kind, column] for column in columns]
            if kind != "Bundle":
                numbers.pop()
            self.stdout.write(f"{name:<17}" + "".join(f"{n:>11,}" for n in numbers))
        self.stdout.write(f"Extra care team roles made inactive: {self.set_aside:,}")
        if self.left_out:
            kinds = ", ".join(f"{k} {n:,}" for k, n in sorted(self.left_out.items()))
            self.stdout.write(f"Not imported yet: {kinds}")
        if self.dry_run:
            self.stdout.write("Validated only: nothing was written.")


class Unreadable:
    """A path that leads to nothing that can be read, with the reason."""

    def __init__(self, path: str | Path, reason: str | None) -> None:
        self.path = path
        self.reason = reason or "cannot be read"

    def __str__(self) -> str:
        return str(self.path)


def patient_group(name: str) -> PatientGroup:
    """The patient group of this name, in any case. Raises CommandError for none."""
    groups = PatientGroup.objects.filter(retired__isnull=True)
    plain = " ".join(name.split())
    found = groups.filter(name__iexact=plain).first() if "\x00" not in name else None
    if found is None:
        raise CommandError(f"There is no patient group “{one_line(name)}”.")
    return found


def files_of(path: Path) -> Iterator["Path | Unreadable"]:
    """A file itself, or a folder's .json files at any depth, by name.

    Folders behind symbolic links are not entered, so that no loop is walked.
    """
    if not os.path.lexists(path):
        yield Unreadable(path, "there is no such file or folder")
        return
    if not path.is_dir():
        yield path
        return
    found: list[Path | Unreadable] = []

    def cannot(error: OSError) -> None:
        found.append(Unreadable(error.filename, error.strerror))

    for folder, _folders, names in os.walk(path, onerror=cannot):
        found += [Path(folder, n) for n in names if n.lower().endswith(".json")]
    yield from sorted(found, key=str) or [Unreadable(path, "holds no .json file")]


def unique(files: list["Path | Unreadable"]) -> list["Path | Unreadable"]:
    """The files without those that are named twice."""
    return list({os.path.abspath(str(file)): file for file in files}.values())


def shown(path: "Path | Unreadable") -> str:
    """A path that can be printed, whatever bytes it is made of."""
    return one_line(os.fsencode(str(path)).decode("utf-8", "backslashreplace"))
