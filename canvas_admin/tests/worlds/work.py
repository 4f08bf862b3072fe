"""Open work in random worlds: queues and stranded work, held against plain Python."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from canvas_admin.tests.worlds import oracle
from canvas_admin.tests.worlds.building import Built, at
from canvas_admin.tests.worlds.oracle import Person
from patients import access
from patients.models import LabReport
from patients.search import stream_keys
from patients.work import panels, queues, stranded, work_keys
from patients.work.queues import Person as Looking
from patients.work.queues import Queue, Whose
from staffing.models import Staff, Team, TeamMember, User

LABS = panels.BY_CODE["labs"]
SIZES = (1, 2, 7, 1000)
START = datetime(2026, 1, 1, tzinfo=UTC)


def new_work(patients: list[Any], each: int = 1) -> None:
    """Open work about each patient, saved as a page would."""
    for number, patient in enumerate(patients * each):
        LabReport.objects.create(patient=patient, **_report(Random(number)))


def raw_work(rng: Random, built: Built) -> None:
    """Raw rows of work, given to people, to a team, to both, to nobody; some are done."""
    staff, team = _staff(rng, built)
    rows = [
        LabReport(
            patient=rng.choice(built.patients),
            assignee=rng.choice([None, None, *staff]),
            team=rng.choice([None, team]),
            reviewed=rng.choice([None, None, None, START]),
            entered_in_error=rng.random() < 0.1,
            **_report(rng),
        )
        for _ in range(rng.randint(0, 6))
    ]
    LabReport.objects.bulk_create(rows)
    with at(built.world.now):
        stream_keys.refresh([p.pk for p in built.patients], work_keys.WORK)


def hand_over(rng: Random, built: Built) -> None:
    """Hand work over, or finish it, by what a page does."""
    staff, team = _staff(rng, built)
    with at(built.world.now):
        for row in LabReport.objects.order_by("pk"):
            row.hand_to(rng.choice([None, None, *staff]), rng.choice([None, team]))
            row.entered_in_error = rng.random() < 0.1
            row.save()


def _staff(rng: Random, built: Built) -> tuple[list[Staff], Team]:
    staff = list(Staff.objects.filter(user__in=built.users).order_by("pk"))
    team = Team.objects.create(name="Team")
    TeamMember.objects.bulk_create(
        TeamMember(team=team, staff=each) for each in staff if rng.random() < 0.5
    )
    return staff, team


def _report(rng: Random) -> dict[str, Any]:
    days = rng.choice([None, 0, 0, 1, 2])
    reported = None if days is None else START + timedelta(days=days)
    return {"display": "d", "status": "final", "reported": reported}


def about_queues(built: Built, person: Person, user: User, turn: int) -> Iterator[str]:
    """Whether a queue, page by page, is what plain Python makes of all rows."""
    whose, size = list(Whose)[turn % 3], SIZES[turn % len(SIZES)]
    expected = [row for row in waiting() if _sees(built, person, user, row, whose)]
    queue = Queue(LABS.shelf, Looking.of(access.Reach.of(user)), whose)
    found = _walk(queue, size)
    if found != expected:
        yield f"the queue {whose} in pages of {size} gives {found}, not {expected}"
    counted = min(len(expected), queues.MOST_COUNTED + 1)
    if queue.count() != counted:
        yield f"the queue {whose} counts {queue.count()}, not {counted}"


def shown_wrongly(built: Built, person: Person, user: User) -> Iterator[str]:
    """What a queue shows that the person does not see, or twice, or in disorder."""
    rows = waiting()
    for whose in Whose:
        expected = [row for row in rows if _sees(built, person, user, row, whose)]
        queue = Queue(LABS.shelf, Looking.of(access.Reach.of(user)), whose)
        found = _walk(queue, 2)
        if found != [row for row in expected if row in found]:
            yield f"the queue {whose} shows {found}, not {expected}"


def _walk(queue: Queue, size: int) -> list[LabReport]:
    """All pages; a repeated page would never end, so it is cut."""
    found: list[LabReport] = []
    page = queue.page("", size)
    while True:
        found += page["rows"]
        if not page["next"] or len(found) > 100:
            return found
        page = queue.page(page["next"], size)


def about_stranded(built: Built) -> Iterator[str]:
    """Whether stranded work is what nobody of those who have it may open."""
    people = {
        user.pk: person
        for user, person in zip(built.users, built.world.people, strict=True)
    }
    numbers = {patient.pk: n for n, patient in enumerate(built.patients)}
    expected = {
        row.key
        for row in waiting()
        if row.assigned
        and not any(
            oracle.may_open(
                built.world, people[user], oracle.CHART, numbers[row.patient_id]
            )
            for user in _holders(row)
        )
    }
    found = [item.key for item in stranded.Walk()]
    if set(found) != expected or len(found) != len(expected):
        yield f"stranded are {found}, the oracle says {expected}"


def waiting() -> list[LabReport]:
    """All open work, in the order of panels, undated last."""
    rows = [
        row
        for row in LabReport.objects.all()
        if row.reviewed is None and not row.entered_in_error
    ]
    last = datetime.max.replace(tzinfo=UTC)
    return sorted(rows, key=lambda row: (row.reported or last, row.key))


def _sees(
    built: Built, person: Person, user: User, row: LabReport, whose: Whose
) -> bool:
    number = [patient.pk for patient in built.patients].index(row.patient_id)
    if not oracle.reaches(built.world, person, number):
        return False
    if whose is Whose.ALL:
        return True
    if whose is Whose.UNASSIGNED:
        return not row.assigned
    return row.assigned and user.pk in _holders(row)


def _holders(row: LabReport) -> list[int]:
    """The accounts of those who have it."""
    if row.assignee_id:
        return [row.assignee.user_id]
    members = TeamMember.objects.filter(team=row.team_id)
    return list(members.values_list("staff__user", flat=True))
