"""A synthetic clinic of any size for make bench: patients, 500 groups, open work, keys.

Raw rows, in bulk: our own methods would take hours for a million. The names are drawn so
that the bench has common, rare and late words, and two common ones that never meet.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django.db import connection, models

from canvas_admin.testing import make_group, make_staff
from patients.models import (
    LabReport,
    Patient,
    PatientGroup,
    PatientGroupMember,
    StreamKey,
    WorkKey,
)
from patients.models.stream_keys import stream_of
from patients.search import folding, stream_keys
from patients.work.work_keys import Waiting
from staffing.models import Staff, Team, TeamMember

BORN = date(1930, 1, 1)
BEGAN = "2020-01-01 00:00:00+00:00"
ENDED = "2024-01-01 00:00:00+00:00"
READS = ("Clinical read", "Profile read")
NEWEST = datetime(2026, 1, 1, tzinfo=UTC)
GROUPS = 500
SMALL = 400

# Common names with how often each is drawn, and where they come from: a family name of
# one list is seldom with a given name of another, and LONE_FAMILY never with LONE_GIVEN.
COMMON = {
    "English": (
        ["Smith", "Johnson", "Williams", "Brown", "Jones", "Davis", "Miller", "Wilson"],
        ["James", "Mary", "John", "Patricia", "Robert", "Jennifer", "Michael", "Linda"],
    ),
    "Spanish": (
        ["García", "Rodríguez", "Martínez", "Hernández", "López", "Muñoz", "Núñez"],
        ["María", "José", "Juan", "Guadalupe", "Luis", "Ana", "Carlos", "Rosa"],
    ),
    "Vietnamese": (
        ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng"],
        ["Thi Lan", "Van Minh", "Thi Hoa", "Anh", "Duc", "Linh"],
    ),
    "Chinese": (
        ["Wang", "Li", "Zhang", "Liu", "Chen", "Zhou", "Zhao"],
        ["Wei", "Min", "Xin"],
    ),
}
LONE_FAMILY, LONE_GIVEN = "Nguyễn", "Guadalupe"
RARE = ("Quill", "Quennerstedt")
SYLLABLES = (
    "ba be bo da de do fa ga ha ka la le lo ma mi mo na ni no ra ri ro sa so".split()
)


@dataclass(frozen=True)
class Population:
    """What was made: the people to measure, their groups, and some patients to act on."""

    people: dict[str, Staff]
    groups: dict[str, PatientGroup]
    size: int

    def patient_at(self, share: float) -> Patient:
        """The patient at this place in the order of making."""
        return Patient.objects.get(
            pk=Patient.objects.order_by("pk").first().pk + int(self.size * share)
        )


def make(size: int, items: int) -> Population:
    """Fill an empty database with `size` patients, `items` results to review for each."""
    chance = random.Random(size)  # noqa: S311
    people, groups, members = _groups(size, chance)
    rows = _patients(size, chance)
    first = 1
    _load(Patient, ({**row.columns, "id": first + n} for n, row in enumerate(rows)))
    _load(PatientGroupMember, _memberships(members, groups, first))
    streams: dict[int, list[int]] = {}
    for name, (pks, ended) in members.items():
        for pk in pks[ended:]:
            streams.setdefault(pk, []).append(groups[name].pk)
    with _without_index(StreamKey, "stream_key_order"):
        _load(StreamKey, _keys(rows, streams, first))
    with _without_index(WorkKey, "work_key_order"):
        _work(people, streams, size, items, first, chance)
    with connection.cursor() as cursor:
        # As autovacuum would have done by the time that somebody searches.
        vacuum = "VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE"
        cursor.execute(vacuum)
    return Population(people, groups, size)


def _groups(size: int, chance: random.Random) -> tuple[dict, dict, dict]:
    """People and groups by name; members by group: positions, and how many have ended."""

    def some(number: float) -> list[int]:
        return chance.sample(range(size), max(1, min(size, int(number))))

    members = {
        "half": (some(size / 2), 0),
        "tenth": (some(size / 10), 0),
        "hundredth": (some(size / 100), 0),
        "thousandth": (some(size / 1000), 0),
        "ten patients": (some(10), 0),
    }
    mixed = (0.2, 0.05, 0.02, 0.01, 0.005, 0.001, 0.0005, 0.0001)
    eight = [f"mixed {number}" for number in range(len(mixed))]
    members |= {n: (some(size * part), 0) for n, part in zip(eight, mixed, strict=True)}
    half = size // 2
    members["ended"] = (some(half), int(half * 0.99))
    small = [f"small {number}" for number in range(SMALL)]
    members |= {name: (some(size / 2500), 0) for name in small}
    rest = [f"other {number}" for number in range(GROUPS - len(members))]
    members |= {name: (some(size / 1000), 0) for name in rest}
    groups = {name: make_group(name.title()) for name in members}
    people = {"everyone": make_staff("everyone", *READS, "All Patients")}
    held = {name: [name] for name in ("half", "tenth", "hundredth", "thousandth")}
    held |= {"ten patients": ["ten patients"], "eight groups": eight}
    held |= {"400 groups": small, "99% ended": ["ended"]}
    for name, names in held.items():
        own = [f"Patients: {group.title()}" for group in names]
        people[name] = make_staff(name.replace(" ", "-").replace("%", ""), *READS, *own)
    return people, groups, members


def _patients(size: int, chance: random.Random) -> list[SimpleNamespace]:
    """Rows for the patients, with what stream_keys reads of each."""
    kinds, found = list(COMMON), []
    weights = [6, 3, 1, 1]
    for number in range(size):
        family, given = _name(chance, kinds, weights)
        if number in (size // 3, size // 2):
            given, family = RARE
        born = BORN + timedelta(days=chance.randrange(34_000))
        key = f"{chance.getrandbits(128):032x}"
        first, _space, middle = given.partition(" ")
        row = SimpleNamespace(
            last_name=family,
            birth_date=born,
            sort_name=folding.sort_key(family, first, key),
            name_words=folding.word_prefixes(first, middle, family),
            listed=chance.random() > 0.05,
        )
        row.columns = {
            "key": key,
            "first_name": first,
            "middle_name": middle,
            "last_name": family,
            "birth_date": born.isoformat(),
            "mrn": str(100_000_000 + number),
            "active": row.listed,
            "sort_name": row.sort_name,
            "name_words": row.name_words,
            "created": BEGAN,
        }
        found.append(row)
    return found


def _name(
    chance: random.Random, kinds: list[str], weights: list[int]
) -> tuple[str, str]:
    kind = chance.choices(kinds, weights)[0]
    families, givens = COMMON[kind]
    if chance.random() < 0.02:
        givens = COMMON[chance.choice(kinds)][1]
    family = chance.choice(families) if chance.random() < 0.5 else _made_up(chance, 3)
    given = chance.choice(givens) if chance.random() < 0.6 else _made_up(chance, 2)
    if chance.random() < 0.04:
        family = f"{family}-{chance.choice(families)}"
    if chance.random() < 0.15:
        given = f"{given} {_made_up(chance, 2)}"
    if LONE_FAMILY in family and LONE_GIVEN in given:
        return family, _made_up(chance, 2)
    return family, given


def _made_up(chance: random.Random, most: int) -> str:
    number = chance.randint(2, most)
    return "".join(chance.choice(SYLLABLES) for _ in range(number)).title()


def _memberships(members: dict, groups: dict, first: int) -> Iterator[dict[str, Any]]:
    number = 0
    for name, (positions, ended) in members.items():
        for place, position in enumerate(positions):
            number += 1
            yield {
                "key": f"{number:032x}",
                "patient_group_id": groups[name].pk,
                "member_id": first + position,
                "start_date": BEGAN,
                "end_date": ENDED if place < ended else None,
            }


def _keys(
    rows: list, streams: dict[int, list[int]], first: int
) -> Iterator[dict[str, Any]]:
    for position, row in enumerate(rows):
        places = stream_keys.places(row)
        for group in (None, *streams.get(position, ())):
            stream = stream_of(group, row.listed)
            for kind, place in places:
                yield {
                    "stream": stream,
                    "kind": int(kind),
                    "place": place,
                    "words": row.name_words if kind else "",
                    "patient_id": first + position,
                }


def _work(
    people: dict[str, Staff],
    streams: dict[int, list[int]],
    size: int,
    items: int,
    first: int,
    chance: random.Random,
) -> None:
    """Open results and their keys.

    Of each five of a patient two are somebody's, one is the team's, two are nobody's.
    Everybody is in the team, and is given as much as everybody else, within reach or not.
    """
    team = Team.objects.create(name="Everybody")
    TeamMember.objects.bulk_create(
        TeamMember(team=team, staff=staff) for staff in people.values()
    )
    staff = [each.pk for each in people.values()]
    waiting = []
    for number in range(size * items):
        patient, part = first + number % size, number // size % 5
        date = NEWEST - timedelta(seconds=chance.randrange(60_000_000))
        person = chance.choice(staff) if part in (1, 2) else None
        in_team = team.pk if part == 3 else None
        item = number + 1
        waiting.append(Waiting(patient, 1, item, f"{item:032x}", date, person, in_team))
    _load(LabReport, map(_report, waiting))
    _load(
        WorkKey,
        (
            {**key._asdict(), "patient_id": row.patient}
            for row in waiting
            for key in row.keys((None, *streams.get(row.patient - first, ())))
        ),
    )


def _report(row: Waiting) -> dict[str, Any]:
    return {
        "id": row.item,
        "key": row.key,
        "patient_id": row.patient,
        "display": "Metabolic panel",
        "status": "final",
        "reported": f"{row.date:%Y-%m-%d %H:%M:%S}+00:00",
        "assignee_id": row.assignee,
        "team_id": row.team,
    }


class _without_index:
    """Drops a large index for the time of a load, which is quicker by far."""

    def __init__(self, model: type[models.Model], name: str) -> None:
        self.model = model
        self.index = next(i for i in model._meta.indexes if i.name == name)

    def __enter__(self) -> None:
        with connection.schema_editor() as editor:
            editor.remove_index(self.model, self.index)

    def __exit__(self, *_error: Any) -> None:
        with connection.schema_editor() as editor:
            editor.add_index(self.model, self.index)


def _load(model: type[models.Model], rows: Iterator[dict[str, Any]]) -> None:
    """Insert rows; a column that a row does not name has the field's default."""
    first = next(iter(rows := iter(rows)))
    fields = [
        f for f in model._meta.concrete_fields if f.column != "id" or "id" in first
    ]
    usual = {f.column: f.get_default() for f in fields if f.column not in first}
    columns = [f.column for f in fields]

    def values() -> Iterator[list[Any]]:
        yield [(usual | first)[column] for column in columns]
        for row in rows:
            row = usual | row
            yield [row[column] for column in columns]

    named = ", ".join(f'"{column}"' for column in columns)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table}" ({named}) FROM STDIN') as copy:
                for row in values():
                    copy.write_row(row)
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('\"{table}\"', 'id'), max(id)) "  # noqa: S608
                f'FROM "{table}"'
            )
        else:
            marks = ", ".join(["?"] * len(columns))
            cursor.execute("BEGIN")
            connection.connection.executemany(
                f'INSERT INTO "{table}" ({named}) VALUES ({marks})',  # noqa: S608
                values(),
            )
            cursor.execute("COMMIT")
