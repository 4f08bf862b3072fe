"""Every spelling of "may this person?" held against the oracle, in one built world."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import AnonymousUser

from canvas_admin.tests.worlds import claims, oracle, work
from canvas_admin.tests.worlds.building import Built, at
from canvas_admin.tests.worlds.oracle import Person
from patients import access, areas
from patients.decisions import decide
from patients.models import Condition, Patient
from patients.search import reveal, scans, streams
from patients.search.searching import Query
from patients.work import queues
from staffing.models import User
from staffing.standing import Standing

PAGE_SIZES = (1, 2, 7, 1000)
ORDERS = {
    streams.BY_NAME: lambda patient: patient.sort_name.encode(),
    streams.BY_BIRTH: lambda p: (p.birth_date, p.sort_name.encode()),
}
SCREENS = (("chart", oracle.CHART), ("profile", oracle.PROFILE))
NOBODY = Person(active=False)
# Of the names that worlds draw from: rare and common, one word and two, a date, nothing.
TYPED = (
    "ada",
    "sm",
    "o'ne",
    "smith j",
    "z ad",
    "1950-01-02",
    "ad 1/1/1950",
    "li",
    "xy",
)


@contextmanager
def as_if_many(seed: int) -> Iterator[None]:
    """In two worlds of three, lists are read as though a few streams were many.

    In one of them, as though these had too many keys to be read as a whole, and as though
    nobody counted further than two.
    """
    if seed % 3 == 0:
        yield
        return
    plenty = seed % 3 == 2
    many = {"WHOLE": 2, "PROBABLY": 2, "LONG": 1} if plenty else {}
    with (
        patch.multiple(scans, FEW_STREAMS=1, SAMPLE=1, **many),
        patch.object(queues, "MOST_COUNTED", 1 if plenty else queues.MOST_COUNTED),
        patch.object(access, "FEW_GROUPS", 0),
    ):
        yield


def disagreements(built: Built) -> list[str]:
    """What the application answers otherwise than the oracle; empty when all agree."""
    found = []
    with at(built.world.now):
        fresh = User.objects.select_related("staff").in_bulk(
            [u.pk for u in built.users]
        )
        users = [fresh[user.pk] for user in built.users]
        found += _about_who(built, fresh)
        found += work.about_stranded(built)
        people = [
            *zip(built.world.people, users, strict=True),
            (NOBODY, AnonymousUser()),
        ]
        for number, (person, user) in enumerate(people):
            turn = number + built.world.patients
            wrong = [
                *_about_sets(built, person, user),
                *_about_each(built, person, user, turn),
                *_about_pages(built, person, user, turn),
                *_about_searches(built, person, user, turn),
                *work.about_queues(built, person, user, turn),
                *claims.about_worklist(built, person, user, turn),
            ]
            found += [f"person {number}: {what}" for what in wrong]
    return found


def reached(built: Built, person: Person) -> list[Patient]:
    """The patients that the oracle lets this person reach."""
    world = built.world
    return [
        patient
        for number, patient in enumerate(built.patients)
        if oracle.reaches(world, person, number)
    ]


def path_of(built: Built, person: Person, number: int) -> str:
    """The code of the path that the audit trail must name."""
    if not oracle.reaches(built.world, person, number):
        return ""
    if person.superuser:
        return "superuser"
    return "all-patients" if "All Patients" in person.managed else "patient-group"


def _about_sets(built: Built, person: Person, user: User) -> Iterator[str]:
    expected = {patient.pk for patient in reached(built, person)}
    accessible = set(Patient.objects.accessible_to(user).values_list("pk", flat=True))
    if accessible != expected:
        yield f"accessible_to says {accessible}, the oracle {expected}"
    rows = Condition.objects.visible_to(user).values_list("patient", flat=True)
    if sorted(rows) != sorted(expected):
        yield f"visible_to says {sorted(rows)}, the oracle {expected}"
    paths = access.paths_to(user, built.patients)
    wanted = [(p.key, path_of(built, person, n)) for n, p in enumerate(built.patients)]
    if paths != wanted:
        yield f"paths_to says {paths}, the oracle {wanted}"
    for screen, permissions in (
        (oracle.CHART, areas.OPEN_CHART),
        (oracle.PROFILE, areas.OPEN_PROFILE),
    ):
        if user.has_perms(permissions) != oracle.may_use(person, screen):
            yield f"has_perms{permissions} is not what the oracle says"


def _about_who(built: Built, accounts: dict[int, User]) -> Iterator[str]:
    """The rule turned round: for each patient, who reaches it."""
    standings = Standing.of_each(accounts)
    people = list(zip(built.world.people, built.users, strict=True))
    each = access.who_reaches_each(standings, {p.pk for p in built.patients})
    for number, patient in enumerate(built.patients):
        expected = {u.pk for p, u in people if oracle.reaches(built.world, p, number)}
        if (who := each[patient.pk]) != expected:
            yield f"who_reaches_each says of {number} {who}, the oracle {expected}"
        if (who := access.who_reaches(standings, patient)) != expected:
            yield f"who_reaches patient {number} says {who}, the oracle {expected}"


def _about_each(built: Built, person: Person, user: User, turn: int) -> Iterator[str]:
    """Reach for everybody; the two screens take turns, as _about_sets asks for both."""
    for number, patient in enumerate(built.patients):
        reach = oracle.reaches(built.world, person, number)
        screen, groups = SCREENS[(turn + number) % len(SCREENS)]
        may = {
            "access": reach,
            screen: oracle.may_open(built.world, person, groups, number),
        }
        for action, expected in may.items():
            if decide(user, action, patient).allowed != expected:
                yield f"decide {action} on patient {number}: the oracle says {expected}"
        if user.has_perm("patients.access_patient", patient) != reach:
            yield f"has_perm on patient {number}: the oracle says {reach}"


def _about_pages(built: Built, person: Person, user: User, turn: int) -> Iterator[str]:
    """Forward in one order and back in the other; sizes and orders take turns."""
    size = PAGE_SIZES[turn % len(PAGE_SIZES)]
    orders = list(ORDERS) if turn // len(PAGE_SIZES) % 2 else list(ORDERS)[::-1]
    expected = sorted(reached(built, person), key=ORDERS[orders[0]])
    forward = _walk(user, orders[0], size)
    if forward != expected:
        yield f"pages of {size} by {orders[0].fields} give {forward}, not {expected}"
    *expected, last = sorted(reached(built, person), key=ORDERS[orders[1]]) or [None]
    back = _walk_back(user, orders[1], size, last) if last else []
    if back != expected:
        yield f"pages of {size} back by {orders[1].fields} give {back}, not {expected}"


def _about_searches(
    built: Built, person: Person, user: User, turn: int
) -> Iterator[str]:
    """First results, the filtered list and "See all patients" for one typed text."""
    text = TYPED[turn % len(TYPED)]
    size, order = PAGE_SIZES[turn % len(PAGE_SIZES)], list(ORDERS)[turn % len(ORDERS)]
    query, within = Query.read(text), reached(built, person)
    meant = {patient for patient in built.patients if means(text, patient)}
    listed = {p for p in meant & set(within) if p.active and not p.deceased}
    found = streams.search(user, query, 1000).patients
    if set(found) != listed or len(found) != len(listed):
        yield f"searching “{text}” gives {found}, not {listed}"
    first = streams.search(user, query, size).patients
    if len(first) != min(size, len(listed)) or not listed.issuperset(first):
        yield f"the first {size} of “{text}” are {first}, not of {listed}"
    expected = sorted(meant & set(within), key=ORDERS[order])
    filtered = _walk(user, order, size, query=query)
    if filtered != expected:
        yield f"pages of {size} of “{text}” give {filtered}, not {expected}"
    shown = {p: bool(row.key) for p, _path, row in reveal.everyone(user, query, 1000)}
    if shown != {patient: patient in within for patient in meant}:
        yield f"“See all” of “{text}” shows {shown}, not {meant}"


def means(text: str, patient: Patient) -> bool:
    """Whether a text of TYPED means the patient, in plain Python."""
    names = f"{patient.first_name} {patient.last_name}".replace("-", " ")
    names = names.replace("’", "").replace("ë", "e").replace("Á", "A")
    words = names.replace("á", "a").replace("李", "li").lower().split()
    for part in text.replace("'", "").replace("1/1/1950", "1950-01-01").split():
        born = part == str(patient.birth_date)
        if not born and not any(word.startswith(part) for word in words):
            return False
    return True


def _walk(user: User, order: streams.Order, size: int, **wanted: Any) -> list[Patient]:
    """All pages from the first on; a repeated page would never end, so it is cut."""
    found: list[Patient] = []
    page = streams.page(user, order, limit=size, **wanted)
    while True:
        found += page.patients
        if not page.has_next or not page.patients or len(found) > 1000:
            return found
        after = page.patients[-1]
        page = streams.page(user, order, after=after, limit=size, **wanted)


def _walk_back(
    user: User, order: streams.Order, size: int, last: Patient
) -> list[Patient]:
    """All pages before this patient, the nearest first."""
    found: list[Patient] = []
    while True:
        page = streams.page(user, order, before=last, limit=size)
        found = page.patients + found
        if not page.has_previous or not page.patients or len(found) > 1000:
            return found
        last = page.patients[0]
