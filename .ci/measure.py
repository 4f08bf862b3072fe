"""What pages cost on one database: python .ci/measure.py SIZE ROUNDS; see bench.py.

Makes a new database, fills it with synthetic patients, and prints as JSON
{act: {person: {"p50": milliseconds, "p95": milliseconds}}}.
"""

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import override_settings, setup_databases, teardown_databases

from canvas_admin.testing import make_group, make_patient, make_staff
from patients.decisions import decide
from patients.models import Condition, Patient
from staffing.models import Staff

GROUPS = ("Clinical read", "Profile read")
# Without the manifest of static files, which only `collectstatic` makes.
PLAIN = {
    **settings.STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}


def measure(size: int, rounds: int) -> dict[str, Any]:
    """Make the patients in a new database and time every act for both people."""
    with tempfile.TemporaryDirectory() as folder:
        if connection.vendor == "sqlite":
            connection.settings_dict["TEST"]["NAME"] = f"{folder}/bench.sqlite3"
        old = setup_databases(verbosity=0, interactive=False)
        try:
            with override_settings(STORAGES=PLAIN):
                return timings(population(size), rounds)
        finally:
            teardown_databases(old, verbosity=0)


def timings(patients: list[Patient], rounds: int) -> dict[str, Any]:
    """The time of each act for a person who reaches everyone, and one for a tenth."""
    tenth = patients[::10]
    make_group("Tenth", tenth)
    people = {
        "everyone": make_staff("everyone", *GROUPS, "All Patients"),
        "tenth": make_staff("tenth", *GROUPS, "Patients: Tenth"),
    }
    clients = {name: signed_in(staff) for name, staff in people.items()}

    def get(name: str, address: str) -> None:
        status = clients[name].get(address).status_code
        if status != 200:
            sys.exit(f"{address} answered {status} to “{name}”")

    acts = {
        "list": lambda name, patient: get(name, "/patients/"),
        "chart": lambda name, patient: get(name, f"/patient/{patient.key}/"),
        "decide": lambda name, patient: decide(people[name].user, "chart", patient),
    }
    return {act: alternate(work, people, tenth, rounds) for act, work in acts.items()}


def signed_in(staff: Staff) -> Client:
    """A client with a session; not Django's test host, which is refused."""
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(staff.user, "staffing.backends.StaffBackend")
    return client


def population(size: int) -> list[Patient]:
    """Synthetic patients with five conditions each."""
    chance = random.Random(size)  # noqa: S311
    born = date(1930, 1, 1)
    patients = [
        make_patient(
            f"First{chance.randrange(300)}",
            f"Last{chance.randrange(1000)}",
            born + timedelta(days=chance.randrange(34_000)),
        )
        for _ in range(size)
    ]
    Condition.objects.bulk_create(
        Condition(patient=p, display=f"Condition {n}", clinical_status="active")
        for p in patients
        for n in range(5)
    )
    return patients


def alternate(
    work: Callable[[str, Any], Any],
    people: dict[str, Staff],
    patients: list[Patient],
    rounds: int,
) -> dict[str, dict[str, float]]:
    """Time an act for everybody in turn, so that a busy machine is busy for all."""
    took: dict[str, list[float]] = {name: [] for name in people}
    for number in range(rounds + 5):
        for name, times in took.items():
            start = time.perf_counter()
            work(name, patients[number % len(patients)])
            times.append((time.perf_counter() - start) * 1000)
    return {name: percentiles(times[5:]) for name, times in took.items()}


def percentiles(times: list[float]) -> dict[str, float]:
    """The middle and the slow end of some times."""
    cuts = statistics.quantiles(times, n=20, method="inclusive")
    return {"p50": round(cuts[9], 2), "p95": round(cuts[18], 2)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))))
