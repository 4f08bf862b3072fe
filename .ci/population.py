"""A synthetic clinic of any size for make bench: patients, 500 groups, and their keys.

Raw rows, in bulk: our own methods would take hours for a million. The names are drawn so
that the bench has common, rare and late words, and two common ones that never meet. What
there is about the patients is in items.py.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import items as about_patients
from loading import in_bulk, load

from canvas_admin.testing import make_group, make_staff
from patients.models import (
    Appointment,
    Claim,
    ClaimKey,
    ClaimLine,
    IncomingFile,
    LabReport,
    Patient,
    PatientGroup,
    PatientGroupMember,
    PatientName,
    StreamKey,
    WorkKey,
)
from patients.models.folded import folded_words
from patients.models.stream_keys import stream_of
from patients.search import folding, stream_keys
from staffing.models import Staff
from tasks.models import Task, TaskTaskLabel

BORN = date(1930, 1, 1)
BEGAN = "2020-01-01 00:00:00+00:00"
ENDED = "2024-01-01 00:00:00+00:00"
GROUPS = 500
SMALL = 400
LOADED = (
    Patient,
    PatientName,
    PatientGroupMember,
    StreamKey,
    LabReport,
    Task,
    TaskTaskLabel,
    WorkKey,
    Claim,
    ClaimKey,
    ClaimLine,
    Appointment,
    IncomingFile,
)

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
    """Fill an empty database with `size` patients, `items` rows about each."""
    chance = random.Random(size)  # noqa: S311
    people, groups, members = _groups(size, chance)
    rows = _patients(size, chance)
    first = 1
    streams: dict[int, list[int]] = {}
    for name, (pks, ended) in members.items():
        for pk in pks[ended:]:
            streams.setdefault(pk, []).append(groups[name].pk)
    team, providers = about_patients.people_and_places(people, size)
    clinic = about_patients.Clinic(
        size=size,
        first=first,
        items=items,
        sources=lambda position: (None, *streams.get(position, ())),
        staff=[each.pk for each in people.values()],
        team=team,
        providers=providers,
    )
    with in_bulk(*LOADED):
        load(Patient, PATIENT, (row.columns for row in rows))
        load(PatientName, NAME, _names(rows))
        load(PatientGroupMember, MEMBER, _memberships(members, groups, first))
        load(StreamKey, STREAM_KEY, _keys(rows, clinic))
        if items:
            about_patients.make(clinic)
    made = Population(people, groups, size)
    about_patients.long_chart(made.patient_at(0), providers[0])
    return made


PATIENT = (
    "id key first_name middle_name last_name birth_date mrn active sort_name name_words "
    "created"
)
NAME = "key patient_id family given folded_family folded_given"
MEMBER = "key patient_group_id member_id start_date end_date"
STREAM_KEY = "stream kind place words patient_id"


def made_before(size: int) -> Population:
    """What make() put into this database."""
    people = {account(name): name for name in PEOPLE}
    staff = Staff.objects.filter(user__username__in=people).select_related("user")
    by_name = {people[each.user.username]: each for each in staff}
    groups = {group.name.lower(): group for group in PatientGroup.objects.all()}
    return Population({name: by_name[name] for name in PEOPLE}, groups, size)


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
    rights = about_patients.RIGHTS
    people = {"everyone": make_staff("everyone", *rights, "All Patients")}
    held = {name: [name] for name in PEOPLE[1:]}
    held |= {"eight groups": eight, "400 groups": small, "99% ended": ["ended"]}
    for name, names in held.items():
        own = [f"Patients: {group.title()}" for group in names]
        people[name] = make_staff(account(name), *rights, *own)
        # Everybody reaches the first patient, who is the last member of a group.
        pks, _ended = members[names[0]]
        pks[:] = [pk for pk in pks if pk][: len(pks) - 1] + [0]
    return people, groups, members


PEOPLE = (
    "everyone",
    "half",
    "tenth",
    "hundredth",
    "thousandth",
    "ten patients",
    "eight groups",
    "400 groups",
    "99% ended",
)


def account(name: str) -> str:
    """The user name of one of these people."""
    return name.replace(" ", "-").replace("%", "")


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
        row.columns = (
            number + 1,
            key,
            first,
            middle,
            family,
            born.isoformat(),
            str(100_000_000 + number),
            row.listed,
            row.sort_name,
            row.name_words,
            BEGAN,
        )
        found.append(row)
    return found


def _names(rows: list[SimpleNamespace]) -> Iterator[tuple[Any, ...]]:
    """The official name of each patient, as the API searches it."""
    for row in rows:
        pk, key, first, middle = row.columns[:4]
        given = f"{first} {middle}".strip()
        folded = folded_words(row.last_name), folded_words(given)
        yield f"{key[:31]}0", pk, row.last_name, given, *folded


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


def _memberships(members: dict, groups: dict, first: int) -> Iterator[tuple[Any, ...]]:
    number = 0
    for name, (positions, ended) in members.items():
        for place, position in enumerate(positions):
            number += 1
            yield (
                f"{number:032x}",
                groups[name].pk,
                first + position,
                BEGAN,
                ENDED if place < ended else None,
            )


def _keys(rows: list, clinic: about_patients.Clinic) -> Iterator[tuple[Any, ...]]:
    for position, row in enumerate(rows):
        places = [(int(kind), place) for kind, place in stream_keys.places(row)]
        for group in clinic.sources(position):
            stream = stream_of(group, row.listed)
            for kind, place in places:
                words = row.name_words if kind else ""
                yield stream, kind, place, words, clinic.first + position
