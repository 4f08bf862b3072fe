"""What things cost on one database; see bench.py.

    python .ci/measure.py SIZE ROUNDS ITEMS PART…

Fills the database that DATABASE_URL names, unless it was filled before, and prints the
figures as JSON.
"""

import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from typing import Any

import population
import programs
import protocol_work
import server
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from items import DAYS, FIRST_DAY

from canvas_admin.fhir.bundles import Bundle
from patients.admin import pages as pages_of_groups
from patients.decisions import decide
from patients.importing.bundle import carry_out, plan
from patients.models import (
    Claim,
    ClaimKey,
    LabReport,
    Patient,
    PatientGroup,
    PatientGroupMember,
    StreamKey,
    WorkKey,
)
from patients.search import stream_keys
from patients.work import stranded
from staffing.models import Staff
from tasks.models import TaskLabel

UNFILTERED = "no filter at all"
SEARCHES = {
    "search: a common name": "smith",
    "search: two letters": "jo",
    "search: a rare name": "quennerstedt",
    "search: an absent name": "xqzvw",
    "search: late in the alphabet": "zh",
    "search: two words, one common": "smith quill",
    "search: two common words": "jo smi",
    "search: two common words that never meet": "nguyen guadalupe",
    "search: a date of birth": "01/02/1980",
}
LISTS = {
    "list: first page": "/patients/",
    "list: by birth": "/patients/?sort=born",
    "panel: mine and my teams'": "/panels/labs/",
    "panel: unassigned": "/panels/labs/?whose=unassigned",
    "panel: all within reach": "/panels/labs/?whose=all",
    "tasks: mine and my teams'": "/tasks/",
    "tasks: all by due date": "/tasks/?whose=all",
    "tasks: all by priority": "/tasks/?whose=all&sort=priority",
    "tasks: all, newest": "/tasks/?whose=all&sort=newest",
    "tasks: all, completed": "/tasks/?whose=all&status=completed",
    "tasks: mine and my teams', completed": "/tasks/?status=completed",
    "claims: all that count": "/revenue/",
    "claims: rejected": "/revenue/?state=rejected",
    "files: inbox": "/data-integration/",
    "files: linked": "/data-integration/?show=linked",
}
LATE = date(2025, 6, 1)
WARM_UP = 3
TIMES = 40


def measure(size: int, rounds: int, items: int, parts: list[str]) -> dict[str, Any]:
    """Fill the database and take the figures of these parts."""
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    if Patient.objects.exists():
        made = population.made_before(size)
    else:
        started = time.monotonic()
        made = population.make(size, items)
        say(f"{size} patients made in {time.monotonic() - started:.0f} s")
    found: dict[str, Any] = {"disk": disk()}
    work = {
        "pages": lambda: pages(made, rounds),
        "programs": lambda: programs.measure(made),
        "acts": lambda: acts(made),
        "check": checked,
        "protocols": protocol_work.measure,
    }
    for part in parts:
        found[part] = work[part]()
        say(f"{part} measured")
    return found


def pages(made: population.Population, rounds: int) -> dict[str, Any]:
    """{person: {act: percentiles in milliseconds, and queries}}, through the server."""
    deep = {name: deep_pages(staff) for name, staff in made.people.items()}
    people = {**made.people, UNFILTERED: made.people["everyone"]}
    deep[UNFILTERED] = deep["everyone"]
    took: dict[str, dict[str, list[float]]] = {name: {} for name in people}
    chance = random.Random(rounds)  # noqa: S311
    with (
        server.running("canvas_admin.wsgi") as port,
        server.running("unfiltered") as free,
    ):
        browsers = {
            name: server.Browser(free if name == UNFILTERED else port, staff)
            for name, staff in people.items()
        }
        asked = {name: requests(b, deep[name]) for name, b in browsers.items()}
        for number in range(rounds + WARM_UP):
            # Everybody asks the same in turn: a slow minute of the machine meets all.
            for act in asked[UNFILTERED]:
                for name in chance.sample(sorted(asked), len(asked)):
                    start = time.perf_counter()
                    asked[name][act]()
                    passed = (time.perf_counter() - start) * 1000
                    if number >= WARM_UP:
                        took[name].setdefault(act, []).append(passed)
    found = {
        name: {act: percentiles(times) for act, times in acts.items()}
        for name, acts in took.items()
    }
    for name, staff in made.people.items():
        for act, number in queries(staff, deep[name]).items():
            found[name][act]["queries"] = number
    return found


def requests(browser: Any, deep: dict[str, str]) -> dict[str, Callable[[], Any]]:
    """What each person asks for in turn."""
    own = {
        "list: deep page": deep["list"],
        "panel: all within reach, deep page": deep["panel"],
        "claims: deep page": deep["claims"],
    }
    addresses = {**LISTS, **own, **chart(), **by_key()}
    return {
        **{act: partial(browser.get, address) for act, address in addresses.items()},
        **{act: partial(browser.search, text) for act, text in SEARCHES.items()},
    }


def by_key() -> dict[str, str]:
    """The lists whose addresses name a row: of a provider, a label, a group."""
    provider = Staff.objects.get(last_name="Number0").key
    day = FIRST_DAY + timedelta(days=DAYS // 2)
    label = TaskLabel.objects.get(name="Seldom").key
    group = PatientGroup.objects.get(name="Half")
    return {
        "claims: of one provider": f"/revenue/?provider={provider}",
        "tasks: all, one label": f"/tasks/?whose=all&label={label}",
        "schedule: a day": f"/schedule/?date={day}",
        "schedule: a day of one provider": f"/schedule/?date={day}&provider={provider}",
        "schedule: a week of one provider": (
            f"/schedule/?view=week&date={day}&provider={provider}"
        ),
        "members of a group, in the administration": (
            pages_of_groups.address("members", group)
        ),
    }


def chart() -> dict[str, str]:
    """The lists of the one patient whom everybody reaches."""
    patient = Patient.objects.order_by("pk").first()
    base = f"/patient/{patient.key}/"
    named = ("results/labs/", "notes/", "documents/", "appointments/", "claims/")
    lists = {f"chart: {name.strip('/')}": f"{base}{name}" for name in named}
    return {"chart": base, **lists}


def deep_pages(staff: Staff) -> dict[str, str]:
    """The addresses of pages late in the lists of what this person reaches."""
    reached = Patient.objects.accessible_to(staff.user)
    late = not_last(reached.listed().filter(sort_name__gt="n").order_by("sort_name"))
    some = list(reached.order_by("-pk").values_list("pk", flat=True)[:100])
    items = LabReport.objects.filter(patient__in=some, reported__date__gte=LATE)
    item = not_last(items.order_by("reported"))
    billed = Claim.objects.filter(patient__in=some, service_date__lte=LATE)
    claim = not_last(billed.counted().newest_first())
    panel = LISTS["panel: all within reach"]
    return {
        "list": f"/patients/?after={late.key}" if late else "/patients/",
        "panel": f"{panel}&after={item.key}" if item else panel,
        "claims": f"/revenue/?after={claim.key}" if claim else "/revenue/",
    }


def not_last(rows: Any) -> Any:
    """The first of these rows if one follows; the page after the last row is empty."""
    two = rows[:2]
    return two[0] if len(two) == 2 else None


def queries(staff: Staff, deep: dict[str, str]) -> dict[str, int]:
    """How many queries each of these requests takes, session and audit row included."""
    client = Client(headers={"HX-Request": "true"}, HTTP_HOST="127.0.0.1")
    client.force_login(staff.user, "staffing.backends.StaffBackend")

    class InProcess:
        def get(self, address: str) -> None:
            client.get(address)

        def search(self, text: str) -> None:
            client.post("/patients/search/", {"q": text})

    found = {}
    for act, work in requests(InProcess(), deep).items():
        work()
        with CaptureQueriesContext(connection) as captured:
            work()
        found[act] = len(captured)
    return found


def acts(made: population.Population) -> dict[str, Any]:
    """Figures of single acts: time and queries; of writes, the rows written too."""
    found = {}
    patient = made.patient_at(0.4)
    for name, staff in made.people.items():
        found[f"decide: {name}"] = timed(
            lambda user=staff.user: decide(user, "chart", patient), TIMES
        )
    half, ten = made.groups["half"], made.groups["ten patients"]
    news = iter(
        Patient.objects.exclude(group_memberships__patient_group=ten)[: 2 * TIMES + 10]
    )
    added: list[Patient] = []

    def add() -> None:
        added.append(next(news))
        ten.add(added[-1])

    found["add a patient to a group"] = timed(add, TIMES)
    found["take a patient out of a group"] = timed(
        lambda: ten.remove(added.pop()), TIMES
    )
    five = renaming(made)
    found["rename a patient of five groups"] = timed(lambda: next(five), TIMES)
    # timed() does it once more: the group is on again at the end.
    found["switch a group of half the patients"] = timed(lambda: switch(half), 19)
    labs = iter(list(LabReport.objects.filter(assignee=None, team=None)[: TIMES + 1]))
    staff = made.people["everyone"]
    found["hand over a result"] = timed(lambda: hand_over(next(labs), staff), TIMES)
    walk = sum(1 for _item in stranded.Walk())
    found[f"stranded work, {walk} found"] = timed(lambda: list(stranded.Walk()), 10)
    imports = importing(made.groups["tenth"])
    found["import a patient into a group"] = timed(lambda: next(imports), TIMES)
    return found


def hand_over(lab: LabReport, staff: Staff) -> None:
    """Give a result that nobody has to this person."""
    lab.hand_to(assignee=staff)
    lab.save()


def switch(group: PatientGroup) -> None:
    """Turn the group's use for permissions off, or on again."""
    group.use_for_permissions = not group.use_for_permissions
    group.save()


def renaming(made: population.Population) -> Iterator[None]:
    """Each time another family name for one patient who is in five groups."""
    patient = made.patient_at(0.6)
    inside = patient.group_memberships.in_force().values("patient_group")
    for group in PatientGroup.objects.exclude(pk__in=inside)[: 5 - len(inside)]:
        group.add(patient)
    number = 0
    while True:
        number += 1
        patient.last_name = f"{'Renamed' if number % 2 else 'Named'}-Other"
        patient.save()
        yield


def importing(group: PatientGroup) -> Iterator[None]:
    """Each time one more patient's bundle."""
    number = Patient.objects.order_by("-pk").first().pk
    while True:
        number += 1
        person = {
            "resourceType": "Patient",
            "id": "one",
            "identifier": [{"system": "urn:bench", "value": str(number)}],
            "name": [
                {"use": "official", "family": "Arriving", "given": ["Ann", "Marie"]}
            ],
            "gender": "female",
            "birthDate": "1980-02-03",
        }
        entry = {"fullUrl": "urn:uuid:one", "resource": person}
        bundle = {"resourceType": "Bundle", "type": "collection", "entry": [entry]}
        carry_out(plan(Bundle.parse(json.dumps(bundle).encode())), [group])
        yield


def timed(work: Callable[[], Any], times: int) -> dict[str, float]:
    """Percentiles in milliseconds; queries, and how many rows the last time wrote."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        took.append((time.perf_counter() - start) * 1000)
    before = rows()
    with CaptureQueriesContext(connection) as captured:
        work()
    written = sum(abs(new - old) for new, old in zip(rows(), before, strict=True))
    return {**percentiles(took), "queries": len(captured), "rows": written}


def rows() -> list[int]:
    """How many rows the tables have that these acts write: the highest ids will do."""
    models = (StreamKey, WorkKey, ClaimKey, PatientGroupMember, LabReport)
    found = [m.objects.order_by("-pk").values_list("pk", flat=True) for m in models]
    return [pks.first() or 0 for pks in found]


def checked() -> dict[str, Any]:
    """check_access over a part: patients a second, and that nothing was wrong."""
    started, number = time.perf_counter(), 0
    for part, wrong in stream_keys.check():
        number += part
        if wrong:
            sys.exit(f"the keys of {len(wrong)} patients are wrong")
        if number >= 20_000:
            break
    return {"patients a second": round(number / (time.perf_counter() - started))}


def disk() -> dict[str, int]:
    """Bytes on disk: the whole database, and the stream keys with their indexes."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT pg_database_size(current_database()), "
                "pg_total_relation_size('patients_streamkey'), "
                "pg_total_relation_size('patients_workkey'), "
                "pg_total_relation_size('patients_claimkey')"
            )
            named = ("all", "stream keys", "work keys", "claim keys")
            return dict(zip(named, cursor.fetchone(), strict=True))
        cursor.execute(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        )
        (whole,) = cursor.fetchone()
        found = {"all": whole}
        for keys in ("stream", "work", "claim"):
            cursor.execute(
                "SELECT sum(pgsize) FROM dbstat WHERE name LIKE %s OR name LIKE %s",
                [f"patients_{keys}key%", f"{keys}_key%"],
            )
            (found[f"{keys} keys"],) = cursor.fetchone()
        return found


def percentiles(times: list[float]) -> dict[str, float]:
    """The middle and the slow end of some times."""
    cuts = statistics.quantiles(times, n=20, method="inclusive")
    return {"p50": round(cuts[9], 2), "p95": round(cuts[18], 2)}


def say(text: str) -> None:
    """Tell the person who waits; the figures alone go to standard output."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    numbers = map(int, sys.argv[1:4])
    sys.stdout.write(json.dumps(measure(*numbers, sys.argv[4:])))
