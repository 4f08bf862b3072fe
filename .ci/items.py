"""What there is about the patients of the bench's clinic: work, claims, visits, files.

Of each five items of a patient two are results to review, one is an open task, one a
claim, one an appointment. One patient, whom everybody of the bench reaches, has a long
chart besides.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from loading import instant, load

import canvas_admin.testing  # noqa: F401  (sets Django up)
from patients.linking import LINKED
from patients.models import (
    AdministrativeDocument,
    Appointment,
    Claim,
    ClaimKey,
    ClaimLine,
    ClaimState,
    IncomingFile,
    LabReport,
    Note,
    Patient,
    WorkKey,
)
from patients.revenue.claim_keys import Billed
from patients.work import BY_LABEL, kind_of
from patients.work.work_keys import Waiting
from staffing.models import (
    Location,
    Role,
    Staff,
    StaffRole,
    Team,
    TeamMember,
    VisitType,
)
from tasks.models import Task, TaskLabel, TaskTaskLabel
from tasks.shelves import SHELVES

NEWEST = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = 60_000_000
# Appointments lie on so many days, and a provider has so many on one.
DAYS, A_DAY = 400, 20
FIRST_DAY = date(2026, 1, 5)
# Of so many tasks one has the label; of so many patients one has a file, of two files one
# is linked; of so many tasks one is done.
LABELLED, FILED, DONE = 50, 20, 10
LONG_CHART = 60
STATES = [ClaimState.FILED] * 4 + [ClaimState.ZERO_BALANCE] * 4 + [*ClaimState]
KEY = "stream kind place item patient_id"


@dataclass(frozen=True)
class Clinic:
    """Whom items are about, and who has them; `sources` are a patient's by position."""

    size: int
    first: int
    items: int
    sources: Callable[[int], tuple[int | None, ...]]
    staff: list[int]
    team: int
    providers: list[int]

    def parts(self, *wanted: int) -> Iterator[tuple[int, int, random.Random]]:
        """(patient, number of the item, chance), of these of each five; always alike."""
        for part in range(self.items):
            if part % 5 in wanted:
                chance = random.Random(part)  # noqa: S311
                for position in range(self.size):
                    item = 1 + part * self.size + position
                    yield self.first + position, item, chance

    def keys(self, rows: Iterator[Any]) -> Iterator[tuple[Any, ...]]:
        """The keys of these rows, as KEY names their columns."""
        for row in rows:
            for key in row.keys(self.sources(row.patient - self.first)):
                yield (*key, row.patient)


def people_and_places(people: dict[str, Staff], size: int) -> tuple[int, list[int]]:
    """A team of everybody, and providers with the places and visits that they need."""
    team = Team.objects.create(name="Everybody")
    TeamMember.objects.bulk_create(
        TeamMember(team=team, staff=staff) for staff in people.values()
    )
    role, _made = Role.objects.get_or_create(
        internal_code="BENCH", defaults={"name": "Doctor", "domain": "CLI"}
    )
    providers = Staff.objects.bulk_create(
        Staff(first_name="Doctor", last_name=f"Number{n}")
        for n in range(max(1, size // (DAYS * A_DAY)))
    )
    for each in providers:
        StaffRole(staff=each, role=role).save()
    Location.objects.get_or_create(name="Bench")
    VisitType.objects.get_or_create(name="Bench", defaults={"code": "308335008"})
    return team.pk, [each.pk for each in providers]


def make(clinic: Clinic) -> None:
    """All items, with their keys."""
    _work(clinic)
    _claims(clinic)
    _appointments(clinic)
    _files(clinic)


def _some(chance: random.Random) -> datetime:
    return NEWEST - timedelta(seconds=chance.randrange(SECONDS))


def _labs(clinic: Clinic) -> Iterator[Waiting]:
    """Of each two one is nobody's, the other somebody's or the team's."""
    number = kind_of(LabReport).number
    for patient, item, chance in clinic.parts(0, 1):
        given = (item - 1) // clinic.size % 5 == 1
        person = chance.choice(clinic.staff) if given and item % 3 else None
        team = clinic.team if given and not person else None
        key = f"{item:032x}"
        yield Waiting(patient, number, item, key, _some(chance), None, person, team)


def _tasks(clinic: Clinic) -> Iterator[Waiting]:
    """By the date when they are due: a third each is nobody's, somebody's, and the team's."""
    number = kind_of(Task).number
    for patient, item, chance in clinic.parts(2):
        person = chance.choice(clinic.staff) if item % 3 == 1 else None
        team = clinic.team if item % 3 == 2 else None
        key = f"{item:032x}"
        yield Waiting(patient, number, item, key, _some(chance), None, person, team)


def _in_orders(row: Waiting, label: int) -> Iterator[Waiting]:
    """A task as each order of its shelf has it, among all and by its label."""
    shelf = SHELVES["completed" if _done(row) else "open"]
    said = {"due": row.date, "created": _created(row), "ended": _ended(row)}
    for order in shelf.orders.values():
        rank = _rank(row) if order.ranked_by else None
        date, number = said[order.dated_by], order.number
        here = row._replace(kind=number, date=date, rank=rank)
        yield here
        if _labelled(row):
            yield here._replace(kind=BY_LABEL + number, label=label)


def _rank(row: Waiting) -> int:
    return 1 + row.item % 4


def _created(row: Waiting) -> datetime:
    return row.date - timedelta(days=row.item % 30)


def _done(row: Waiting) -> bool:
    return row.item // 7 % DONE == 0


def _ended(row: Waiting) -> datetime | None:
    return row.date + timedelta(days=row.item % 9) if _done(row) else None


def _labelled(row: Waiting) -> bool:
    return row.item % LABELLED == 0


def _work(clinic: Clinic) -> None:
    load(
        LabReport,
        "id key patient_id display status reported assignee_id team_id",
        (
            (
                row.item,
                row.key,
                row.patient,
                "Metabolic panel",
                "final",
                instant(row.date),
                row.assignee,
                row.team,
            )
            for row in _labs(clinic)
        ),
    )
    load(WorkKey, KEY, clinic.keys(_labs(clinic)))
    if clinic.items < 3:
        return
    load(
        Task,
        "id key externally_exposable_id patient_id title status priority rank due "
        "created ended assignee_id team_id",
        (
            (
                row.item,
                row.key,
                row.key,
                row.patient,
                "Call back",
                "COMPLETED" if _done(row) else "OPEN",
                ("stat", "urgent", "routine", "")[row.item % 4],
                _rank(row),
                instant(row.date),
                instant(_created(row)),
                instant(_ended(row)) if _done(row) else None,
                row.assignee,
                row.team,
            )
            for row in _tasks(clinic)
        ),
    )
    label = TaskLabel.objects.create(name="Seldom").pk
    load(
        TaskTaskLabel,
        "key task_id label_id",
        ((row.key, row.item, label) for row in _tasks(clinic) if _labelled(row)),
    )
    in_orders = (each for row in _tasks(clinic) for each in _in_orders(row, label))
    load(WorkKey, KEY, clinic.keys(in_orders))


def _billed(clinic: Clinic) -> Iterator[Billed]:
    for patient, item, chance in clinic.parts(3):
        provider = clinic.providers[item % len(clinic.providers)]
        state = str(STATES[item % len(STATES)].value)
        yield Billed(patient, item, _some(chance).date(), state, provider)


def _claims(clinic: Clinic) -> None:
    if clinic.items < 4:
        return
    load(
        Claim,
        "id key patient_id number service_date state provider_id",
        (
            (
                row.item,
                f"{row.item:032x}",
                row.patient,
                str(10_000_000 + row.item),
                row.date.isoformat(),
                row.state,
                row.provider,
            )
            for row in _billed(clinic)
        ),
    )
    load(ClaimKey, KEY, clinic.keys(_billed(clinic)))
    load(
        ClaimLine,
        "key patient_id claim_id code charge",
        (
            (f"{row.item:032x}", row.patient, row.item, "99213", 12_500)
            for row in _billed(clinic)
        ),
    )


def _appointments(clinic: Clinic) -> None:
    """Day by day, every provider with A_DAY of them."""
    if clinic.items < 5:
        return
    place, visit = (
        Location.objects.get(name="Bench"),
        VisitType.objects.get(name="Bench"),
    )
    number = len(clinic.providers)
    morning = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, 14, tzinfo=UTC)

    def rows() -> Iterator[tuple[Any, ...]]:
        for patient, item, _chance in clinic.parts(4):
            place_in_day, provider = divmod(item, number)
            day, slot = divmod(place_in_day, A_DAY)
            start = morning + timedelta(days=day % DAYS, minutes=20 * slot)
            yield (
                f"{item:032x}",
                patient,
                clinic.providers[provider],
                place.pk,
                visit.pk,
                instant(start),
                20,
                instant(start + timedelta(minutes=20)),
                "booked",
            )

    load(
        Appointment,
        "key patient_id provider_id location_id visit_type_id start minutes end status",
        rows(),
    )


def _filed(clinic: Clinic) -> Iterator[tuple[bool, Waiting]]:
    """Files, and whether they are linked."""
    (order,), chance = LINKED.orders.values(), random.Random(5)  # noqa: S311
    for number, position in enumerate(range(0, clinic.size, FILED), start=1):
        patient, key = clinic.first + position, f"{position:032x}"
        date = _some(chance)
        row = Waiting(patient, order.number, number, key, date, None, None, None)
        yield number % 2 == 0, row


def _files(clinic: Clinic) -> None:
    """Files of the inbox, and linked ones."""
    load(
        IncomingFile,
        "id key patient_id state linked_as uploaded source file media_type size sha256",
        (
            (
                row.item,
                row.key,
                row.patient if linked else None,
                "linked" if linked else "new",
                "document" if linked else "",
                instant(row.date),
                "fax",
                "a",
                "a/b",
                1,
                row.key,
            )
            for linked, row in _filed(clinic)
        ),
    )
    load(WorkKey, KEY, clinic.keys(row for linked, row in _filed(clinic) if linked))


def long_chart(patient: Patient, provider: int) -> None:
    """Many results, notes, documents, visits and claims of one patient."""
    about = {"patient": patient}
    days = [NEWEST - timedelta(days=n) for n in range(LONG_CHART)]
    LabReport.objects.bulk_create(
        LabReport(**about, display="Panel", status="final", reported=d, reviewed=d)
        for d in days
    )
    Note.objects.bulk_create(
        Note(**about, title="Visit", started=d, provider_id=provider) for d in days
    )
    AdministrativeDocument.objects.bulk_create(
        AdministrativeDocument(
            **about, title="Letter", kind="letter", filed=d, size=1, file="a"
        )
        for d in days
    )
    place, visit = Location.objects.first(), VisitType.objects.first()
    Appointment.objects.bulk_create(
        Appointment(
            **about,
            provider_id=provider,
            location=place,
            visit_type=visit,
            start=d,
            minutes=20,
            end=d,
        )
        for d in days
    )
    for number, day in enumerate(days):
        Claim(**about, number=str(20_000_000 + number), service_date=day.date()).save()


RIGHTS = (
    "Clinical read",
    "Clinical write",
    "Profile read",
    "Revenue access",
    "Document read",
    "Data integration access",
    "Tasking access",
    "Staff Permissions",
)
