"""The API under load: what programs of a wide and of a narrow reach get, beside bare views.

Four requests at a time on a server of its own kind for each, one after the other in turns.
"""

import http.client
import random
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta

import population
import server
from django.utils import timezone
from oauth2_provider.models import AccessToken, set_token_value

from canvas_admin.testing import give, make_application
from patients.models import PatientGroup, PatientGroupMember
from staffing.models import Application

FULL, NARROW, BARE = "full", "narrow", "bare"
GROUPS = ("Profile read", "Tasking access")
AT_ONCE = 4
SECONDS = 4.0
TURNS = 5
READ = 200


@dataclass
class Figures:
    """How long requests took, and how long they were asked for, in seconds."""

    took: list[float] = field(default_factory=list)
    lasted: float = 0.0

    @property
    def told(self) -> dict[str, float]:
        """Requests per second, and the slow end in milliseconds."""
        slow = sorted(self.took)[int(len(self.took) * 0.95)]
        return {
            "per second": round(len(self.took) / self.lasted, 1),
            "p95": round(slow * 1000, 2),
        }


def measure(made: population.Population) -> dict[str, dict[str, dict[str, float]]]:
    """{act: {who: requests per second and p95}}."""
    tokens = {
        FULL: token("full", "All Patients"),
        NARROW: token("narrow", _thousandth()),
    }
    asked = _addresses(made)
    found = {act: {who: Figures() for who in (BARE, FULL, NARROW)} for act in asked}
    chance = random.Random(1)  # noqa: S311
    with ExitStack() as servers:
        ports = {
            BARE: servers.enter_context(server.running("bare")),
            FULL: servers.enter_context(server.running("canvas_admin.wsgi")),
        }
        ports[NARROW] = ports[FULL]
        for turn in range(TURNS + 1):
            for act, figures in found.items():
                for who in chance.sample(sorted(figures), len(figures)):
                    headers = {"Accept": "application/json"}
                    if who in tokens:
                        headers["Authorization"] = f"Bearer {tokens[who]}"
                    passed = _ask(ports[who], asked[act][who == BARE], headers, chance)
                    # The first turn warms up.
                    if turn:
                        figures[who].took += passed
                        figures[who].lasted += SECONDS
    return {
        act: {who: each.told for who, each in figures.items()}
        for act, figures in found.items()
    }


def token(name: str, *reach: str) -> str:
    """A token of an application of this name, for as long as the bench may take."""
    application = Application.objects.filter(name=name).first()
    if application is None:
        application = make_application(name)
        give(application.staff, *GROUPS, *reach)
    ends = timezone.now() + timedelta(hours=2)
    row = AccessToken(application=application, expires=ends)
    text = f"{name}{'0' * 40}"[:40]
    AccessToken.objects.filter(application=application).delete()
    set_token_value(row, text)
    row.save()
    return text


def _thousandth() -> str:
    return f"Patients: {PatientGroup.objects.get(name='Thousandth').name}"


def _patients(made: population.Population) -> list[str]:
    """Patients whom both reach."""
    group = made.groups["thousandth"]
    members = PatientGroupMember.objects.in_force(patient_group=group)
    return list(members.values_list("member__key", flat=True)[:READ])


def _addresses(made: population.Population) -> dict[str, tuple[list[str], list[str]]]:
    """What is asked of the API, and of the bare views, for the same rows."""
    owner, read = made.people["everyone"].key, _patients(made)
    of_owner = f"/fhir/Task?owner=Practitioner/{owner}&status=requested"
    return {
        "Patient, read": (
            [f"/fhir/Patient/{key}" for key in read],
            [f"/read/{key}" for key in read],
        ),
        "Patient, by family": (["/fhir/Patient?family=smith"], ["/family/smith"]),
        "Patient, by birth": (
            [f"/fhir/Patient?birthdate={day}" for day in DAYS],
            [f"/born/{day}" for day in DAYS],
        ),
        "Task, by owner": ([of_owner], [f"/tasks/{owner}"]),
    }


DAYS = [f"1980-01-{day:02}" for day in range(1, 29)]


def _ask(
    port: int, addresses: list[str], headers: dict[str, str], chance: random.Random
) -> list[float]:
    """What the requests of one turn took."""
    took: list[float] = []
    failed: list[str] = []
    end = time.perf_counter() + SECONDS

    def work(seed: int) -> None:
        own = random.Random(seed)  # noqa: S311
        asking = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while (start := time.perf_counter()) < end and not failed:
            address = own.choice(addresses)
            asking.request("GET", address, headers=headers)
            answer = asking.getresponse()
            answer.read()
            took.append(time.perf_counter() - start)
            if answer.status != 200:
                failed.append(f"{address} answered {answer.status}")

    threads = [
        threading.Thread(target=work, args=[chance.random()]) for _ in range(AT_ONCE)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if failed:
        sys.exit(failed[0])
    return took
