"""Every spelling of "may this person?" held against the oracle, in one built world."""

from collections.abc import Iterator

from django.contrib.auth.models import AnonymousUser

from canvas_admin.tests.worlds import oracle
from canvas_admin.tests.worlds.building import Built, at
from canvas_admin.tests.worlds.oracle import Person
from patients import access, areas, streams
from patients.decisions import decide
from patients.models import Condition, Patient
from staffing.models import User

PAGE_SIZES = (1, 2, 7, 1000)
ORDERS = {
    streams.BY_NAME: lambda patient: patient.sort_name.encode(),
    streams.BY_BIRTH: lambda p: (p.birth_date, p.sort_name.encode()),
}
SCREENS = (("chart", oracle.CHART), ("profile", oracle.PROFILE))
NOBODY = Person(active=False)


def disagreements(built: Built) -> list[str]:
    """What the application answers otherwise than the oracle; empty when all agree."""
    found = []
    with at(built.world.now):
        fresh = User.objects.select_related("staff").in_bulk(
            [u.pk for u in built.users]
        )
        users = [fresh[user.pk] for user in built.users]
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


def _walk(user: User, order: streams.Order, size: int) -> list[Patient]:
    """All pages from the first on; a repeated page would never end, so it is cut."""
    found: list[Patient] = []
    page = streams.page(user, order, limit=size)
    while True:
        found += page.patients
        if not page.has_next or not page.patients or len(found) > 1000:
            return found
        page = streams.page(user, order, after=page.patients[-1], limit=size)


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
