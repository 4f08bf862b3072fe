"""Who may do what to whom, in plain Python: the rule written a second time.

Written from the two documents and DESIGN sections 3 to 5, not from the code it judges:
nothing of Django and nothing of ours is imported here. The world test holds every answer
of the application against it.
"""

from dataclasses import dataclass
from datetime import datetime

CHART = frozenset({"Clinical read"})
PROFILE = frozenset({"Profile read", "Clinical read", "Patient create"})


@dataclass(frozen=True)
class Membership:
    """A patient's time in a group: from `start` on, before `end`; None is no end."""

    patient: int
    start: datetime
    end: datetime | None


@dataclass(frozen=True)
class Group:
    """A patient group: its switch, the grant of its auth group, who is and was in it."""

    used_for_permissions: bool
    granted: bool
    retired: bool
    memberships: tuple[Membership, ...] = ()
    excluded: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Person:
    """An account; `staff_active` is None without a staff member. What it holds is named:
    managed groups by their names, patient groups by their numbers.
    """

    active: bool = True
    superuser: bool = False
    staff_active: bool | None = True
    managed: frozenset[str] = frozenset()
    patient_groups: frozenset[int] = frozenset()


@dataclass(frozen=True)
class World:
    """Everything that the rule depends on, at one instant."""

    now: datetime
    people: tuple[Person, ...]
    patients: int
    groups: tuple[Group, ...]


def counts(person: Person) -> bool:
    """Whether the account is anybody at all."""
    if not person.active:
        return False
    return person.superuser if person.staff_active is None else person.staff_active


def reaches(world: World, person: Person, patient: int) -> bool:
    """Whether the person may access the patient now."""
    if not counts(person):
        return False
    if person.superuser or "All Patients" in person.managed:
        return True
    return any(
        opens(world.groups[number]) and is_in(world, number, patient)
        for number in person.patient_groups
    )


def opens(group: Group) -> bool:
    """Whether holding the group's auth group opens its members."""
    return group.used_for_permissions and group.granted and not group.retired


def is_in(world: World, number: int, patient: int) -> bool:
    """Whether the patient is a member of the group at this instant."""
    group = world.groups[number]
    return patient not in group.excluded and any(
        row.patient == patient
        and row.start <= world.now
        and (row.end is None or world.now < row.end)
        for row in group.memberships
    )


def may_use(person: Person, screen: frozenset[str]) -> bool:
    """Whether the person holds a group that the screen opens to."""
    return counts(person) and (person.superuser or bool(person.managed & screen))


def may_open(
    world: World, person: Person, screen: frozenset[str], patient: int
) -> bool:
    """Whether the screen of this patient opens: the right and the reach, both."""
    return may_use(person, screen) and reaches(world, person, patient)
