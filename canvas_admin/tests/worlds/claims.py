"""Claims in random worlds: the worklist, held against plain Python."""

from collections.abc import Iterator
from datetime import date
from random import Random

from canvas_admin.tests.worlds import oracle
from canvas_admin.tests.worlds.building import Built, at
from canvas_admin.tests.worlds.oracle import Person
from patients import access
from patients.models import Claim
from patients.revenue import claim_keys
from patients.revenue.worklist import Worklist
from patients.search import stream_keys
from staffing.models import Staff, User

STATES = ("filed", "queued", "trash")
SIZES = (1, 2, 7, 1000)


def raw_claims(rng: Random, built: Built) -> None:
    """Raw rows of claims, by a provider or by none, some of one day, some in the trash."""
    staff = list(Staff.objects.filter(user__in=built.users).order_by("pk"))
    Claim.objects.bulk_create(
        Claim(
            patient=rng.choice(built.patients),
            number=str(number),
            provider=rng.choice([None, *staff]),
            state=rng.choice(STATES),
            service_date=date(2026, 1, rng.randint(1, 3)),
        )
        for number in range(rng.randint(0, 6))
    )
    with at(built.world.now):
        stream_keys.refresh([p.pk for p in built.patients], claim_keys.CLAIMS)


def move(rng: Random, built: Built) -> None:
    """Give claims another state, day and provider, by what a page does."""
    raw_claims(rng, built)
    staff = list(Staff.objects.filter(user__in=built.users).order_by("pk"))
    with at(built.world.now):
        for row in Claim.objects.order_by("pk"):
            row.state, row.provider = rng.choice(STATES), rng.choice([None, *staff])
            row.service_date = date(2026, 1, rng.randint(1, 3))
            row.save()


def about_worklist(
    built: Built, person: Person, user: User, turn: int
) -> Iterator[str]:
    """Whether the worklist, page by page, is what plain Python makes of all rows."""
    size, list_of = SIZES[turn % len(SIZES)], _worklist(user, turn)
    expected, found = _expected(built, person, list_of), _walk(list_of, size)
    if found != expected:
        yield f"{list_of} in pages of {size} gives {found}, not {expected}"


def shown_wrongly(built: Built, person: Person, user: User) -> Iterator[str]:
    """What a worklist shows that is not the person's to see, or twice, or in disorder."""
    for turn in range(8):
        list_of = _worklist(user, turn)
        expected, found = _expected(built, person, list_of), _walk(list_of, 2)
        if found != [row for row in expected if row in found]:
            yield f"{list_of} shows {found}, not {expected}"


def _worklist(user: User, turn: int) -> Worklist:
    """Each of four states, with a provider and without."""
    state = ("", *STATES)[turn % 4]
    provider = Staff.objects.order_by("pk").first() if turn % 8 > 3 else None
    return Worklist(access.Reach.of(user), state, provider)


def _expected(built: Built, person: Person, list_of: Worklist) -> list[Claim]:
    numbers = {patient.pk: n for n, patient in enumerate(built.patients)}
    return [
        row
        for row in sorted(
            Claim.objects.all(),
            key=lambda row: (row.service_date, row.pk),
            reverse=True,
        )
        if oracle.reaches(built.world, person, numbers[row.patient_id])
        and (row.state == list_of.state if list_of.state else row.state != "trash")
        and (not list_of.provider or row.provider_id == list_of.provider.pk)
    ]


def _walk(list_of: Worklist, size: int) -> list[Claim]:
    """All pages; a repeated page would never end, so it is cut."""
    found: list[Claim] = []
    page = list_of.page("", size)
    while True:
        found += page["rows"]
        if not page["next"] or len(found) > 100:
            return found
        page = list_of.page(page["next"], size)
