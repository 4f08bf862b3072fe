"""Worlds that our own methods make, in random sequences, beside a plain prediction.

Every act is done twice: by the method that a page would call, and on the plain data that
the oracle reads. What the method refuses must be what the prediction refuses.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

from django.core.exceptions import ValidationError

from canvas_admin.tests.worlds.building import (
    DISTANCES,
    TICK,
    Built,
    at,
    make_keys,
    make_patients,
    random_now,
)
from canvas_admin.tests.worlds.oracle import Group, Membership, Person, World
from canvas_admin.tests.worlds.work import new_work
from patients.models import PatientGroup, PatientGroupExclusion, PatientGroupMember
from staffing.groups import BY_NAME, managed_group
from staffing.models import Staff, User

STEPS = (0 * TICK, TICK, timedelta(hours=1), timedelta(days=30))
MANAGED = [name for name in BY_NAME if name != "Staff Permissions"]


@dataclass
class Making:
    """A world in the making: rows, and what is known of them."""

    rng: Random
    patients: list
    now: object
    rows: list = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    ever_used: list[bool] = field(default_factory=list)
    users: list = field(default_factory=list)
    people: list[Person] = field(default_factory=list)

    def group(self) -> int:
        return self.rng.randrange(len(self.groups))

    def person(self) -> int:
        return self.rng.randrange(len(self.people))

    def fresh(self, number: int) -> PatientGroup:
        """The group's row, read again or as it was when it was made."""
        if self.rng.random() < 0.3:
            return self.rows[number]
        return PatientGroup.objects.get(pk=self.rows[number].pk)


def make(rng: Random) -> Built:
    """A world after a random sequence of acts."""
    making = Making(rng, make_patients(rng, rng.randint(2, 5)), random_now(rng))
    make_keys(making.patients, making.now)
    new_work(making.patients, each=2)
    for act in (new_group, new_person, new_person):
        act(making)
    for _ in range(rng.randint(10, 25)):
        making.now += rng.choice(STEPS)
        with at(making.now):
            rng.choice(ACTS)(making)
    world = World(
        making.now, tuple(making.people), len(making.patients), tuple(making.groups)
    )
    return Built(world, making.users, making.patients, making.rows)


def new_group(making: Making) -> None:
    used = making.rng.random() < 0.7
    row = PatientGroup(name=f"G{len(making.rows)}", use_for_permissions=used)
    row.save()
    making.rows.append(row)
    making.groups.append(Group(used_for_permissions=used, granted=used, retired=False))
    making.ever_used.append(used)


def switch(making: Making) -> None:
    number, used = making.group(), making.rng.random() < 0.7
    row, known = making.fresh(number), making.groups[number]
    row.use_for_permissions = used
    if making.rng.random() < 0.3:
        row.name += "x"
    refused = known.retired and (used or not row.retired)
    if _refuses(row.save) == refused is False:
        making.groups[number] = replace(known, used_for_permissions=used, granted=used)
        making.ever_used[number] |= used


def retire(making: Making) -> None:
    if making.rng.random() < 0.7:
        return
    number = making.group()
    making.fresh(number).retire()
    making.groups[number] = Group(
        used_for_permissions=False,
        granted=False,
        retired=True,
        memberships=making.groups[number].memberships,
        excluded=making.groups[number].excluded,
    )
    making.ever_used[number] = False
    for index, person in enumerate(making.people):
        making.people[index] = replace(
            person, patient_groups=person.patient_groups - {number}
        )


def add(making: Making) -> None:
    number, patient = making.group(), making.rng.randrange(len(making.patients))
    known = making.groups[number]
    rows = list(known.memberships)
    mine = [row for row in rows if row.patient == patient]
    open_row = next((row for row in mine if row.end is None), None)
    refused = _refuses(making.fresh(number).add, making.patients[patient])
    assert refused == (patient in known.excluded)
    now = making.now
    if refused or any(r.start <= now and (not r.end or now < r.end) for r in mine):
        return
    if open_row is not None:
        rows.remove(open_row)
    rows.append(Membership(patient, making.now, None))
    making.groups[number] = replace(known, memberships=tuple(rows))


def add_for_a_time(making: Making) -> None:
    number, patient = making.group(), making.rng.randrange(len(making.patients))
    known = making.groups[number]
    start, end = sorted(making.now + d for d in making.rng.choices(DISTANCES, k=2))
    has_open = any(r.patient == patient and r.end is None for r in known.memberships)
    row = Membership(
        patient, start, end if has_open or making.rng.random() < 0.6 else None
    )
    reaches_on = row.end is None or row.end > max(making.now, row.start)
    refused = _refuses(
        PatientGroupMember.objects.create,
        patient_group=making.rows[number],
        member=making.patients[patient],
        start_date=row.start,
        end_date=row.end,
        locked=making.rng.random() < 0.5,
    )
    assert refused == (reaches_on and patient in known.excluded)
    if not refused:
        making.groups[number] = replace(known, memberships=(*known.memberships, row))


def remove(making: Making) -> None:
    number, patient = making.group(), making.rng.randrange(len(making.patients))
    making.fresh(number).remove(making.patients[patient])
    making.groups[number] = _ended(making, making.groups[number], patient)


def exclude(making: Making) -> None:
    number, patient = making.group(), making.rng.randrange(len(making.patients))
    known = making.groups[number]
    if patient in known.excluded:
        return
    PatientGroupExclusion.objects.create(
        patient_group=making.rows[number], patient=making.patients[patient], reason="r"
    )
    known = replace(known, excluded=known.excluded | {patient})
    making.groups[number] = _ended(making, known, patient)


def lift(making: Making) -> None:
    number = making.group()
    known = making.groups[number]
    for row in PatientGroupExclusion.objects.filter(patient_group=making.rows[number]):
        row.delete()
    making.groups[number] = replace(known, excluded=frozenset())


def _ended(making: Making, group: Group, patient: int) -> Group:
    """The group after this patient's memberships ended, those to come at their start."""
    rows = [
        replace(row, end=max(making.now, row.start))
        if row.patient == patient and (row.end is None or row.end > making.now)
        else row
        for row in group.memberships
    ]
    return replace(group, memberships=tuple(rows))


def new_person(making: Making) -> None:
    superuser = making.rng.random() < 0.1
    name = f"u{len(making.users)}"
    with_staff = not superuser or making.rng.random() < 0.5
    if superuser:
        user = User.objects.create_superuser(name, password="words that are long")
    else:
        user = User.objects.create_user(name)
    if with_staff:
        Staff(user=user, first_name="A", last_name="B").save()
    making.users.append(user)
    making.people.append(
        Person(superuser=superuser, staff_active=True if with_staff else None)
    )


def grant(making: Making) -> None:
    _grant_or_revoke(making, given=True)


def revoke(making: Making) -> None:
    _grant_or_revoke(making, given=False)


def _grant_or_revoke(making: Making, *, given: bool) -> None:
    index, number = making.person(), making.group()
    person = making.people[index]
    if person.staff_active is None:
        return
    managed, numbers = person.managed, person.patient_groups
    if making.ever_used[number] and making.rng.random() < 0.6:
        group = PatientGroup.objects.get(pk=making.rows[number].pk).auth_group
        numbers = numbers | {number} if given else numbers - {number}
    else:
        name = making.rng.choice(MANAGED)
        group = managed_group(BY_NAME[name].code)
        managed = managed | {name} if given else managed - {name}
    staff = Staff.objects.get(user=making.users[index])
    changed = staff.grant(group) if given else staff.revoke(group)
    assert changed == ((managed, numbers) != (person.managed, person.patient_groups))
    making.people[index] = replace(person, managed=managed, patient_groups=numbers)


def turn(making: Making) -> None:
    """Switch a staff member off or on; the account follows."""
    index, active = making.person(), making.rng.random() < 0.6
    person = making.people[index]
    if person.staff_active is None:
        return
    staff = Staff.objects.get(user=making.users[index])
    staff.active = active
    staff.save()
    making.people[index] = replace(person, staff_active=active, active=active)


def _refuses(act, *args, **kwargs) -> bool:
    try:
        act(*args, **kwargs)
    except ValidationError:
        return True
    return False


ACTS = (
    *(new_group, new_person, switch, switch, retire, exclude, lift, turn),
    *(add, add, add, add_for_a_time, add_for_a_time, remove, remove),
    *(grant, grant, grant, grant, revoke),
)
