"""manage.py check_access: are the keys by which patients are found what they must be?"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from patients.models import Patient
from patients.search import stream_keys
from patients.work import work_keys

SHOWN = 20


class Command(BaseCommand):
    """Find the patients whose keys are wrong, lost or too many; put them right.

    A wrong key never opens a patient: it hides one, or work about one, from lists and
    panels, or makes them slow. The site may be in use meanwhile.
    """

    help = (
        "Takes out the keys of memberships that have ended, then compares every patient's "
        "keys with the records. Ends with 1 when something is wrong and stays so."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        act = parser.add_mutually_exclusive_group()
        act.add_argument(
            "--repair", action="store_true", help="put right what is found wrong"
        )
        act.add_argument(
            "--sweep",
            action="store_true",
            help="only take out the keys of ended memberships; quick, for every hour",
        )

    def handle(self, *args: Any, repair: bool, sweep: bool, **options: Any) -> None:
        swept = stream_keys.sweep()
        self.stdout.write(
            f"Memberships that had ended were swept for {swept} patients."
        )
        if sweep:
            return
        wrong: list[int] = []
        with tqdm(
            total=Patient.objects.count(), unit=" patients", disable=not _watched()
        ) as bar:
            for checked, found in stream_keys.check(repair=repair):
                bar.update(checked)
                wrong += found
        self._say(wrong, work_keys.check_loose(repair=repair), repair)

    def _say(self, wrong: list[int], loose: int, repair: bool) -> None:
        if not wrong and not loose:
            self.stdout.write("The keys of all patients are right.")
            return
        rows = Patient.objects.filter(pk__in=wrong[:SHOWN]).order_by("pk")
        keys = ", ".join(rows.values_list("key", flat=True))
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        told = f"{len(wrong)} patients had wrong keys: {keys}{more}."
        if loose:
            told += f" Items of work about no patient with wrong keys: {loose}."
        if not repair:
            raise CommandError(f"{told} Run it with --repair.")
        self.stdout.write(f"{told} They are right now.")


def _watched() -> bool:
    return sys.stderr.isatty()
