"""Random worlds: drawn as plain data, put into the database as raw rows.

Raw rows reach states that no method of ours would leave: a grant that stayed when the
switch went off, memberships that overlap, stray rows of guardian. The rule must hold in
them too. Worlds that our methods make are in by_hand.py.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from django.contrib.auth.models import Group as AuthGroup
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from guardian.models import GroupObjectPermission, UserObjectPermission

from canvas_admin.records import clock
from canvas_admin.tests.worlds.oracle import Group, Membership, Person, World
from patients.models import (
    Condition,
    Patient,
    PatientGroup,
    PatientGroupAccess,
    PatientGroupExclusion,
    PatientGroupMember,
)
from patients.search import folding, stream_keys
from staffing.groups import BY_CODE, BY_NAME
from staffing.models import ManagedGroupLink, Staff, User

TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
# From now; the bounds of a membership often fall on this very instant.
DISTANCES = (-4000 * DAY, -DAY, -TICK, 0 * DAY, 0 * DAY, TICK, DAY, 4000 * DAY)
NAMES = ("Ada", "Ádám", "Zoë", "O’Neil", "Smith", "Smith-Jones", "李")


@dataclass(frozen=True)
class Built:
    """A world with its rows: people, patients and groups in the world's order."""

    world: World
    users: list[User]
    patients: list[Patient]
    groups: list[PatientGroup]


@contextmanager
def at(now: datetime) -> Iterator[None]:
    """Freeze the clock at this instant."""
    token = clock._request_now.set(now)
    try:
        yield
    finally:
        clock._request_now.reset(token)


def random_now(rng: Random) -> datetime:
    """An instant: often a whole second, and around a change of clocks in many zones."""
    day = rng.choice(
        (datetime(2026, 3, 29), datetime(2024, 2, 29), datetime(2031, 7, 1))
    )
    micros = rng.choice((0, 1, 500_000, 999_999, rng.randrange(10**6)))
    seconds = rng.randrange(86_400)
    return day.replace(tzinfo=UTC) + timedelta(seconds=seconds, microseconds=micros)


def draw(rng: Random) -> World:
    """A world, drawn at random."""
    now, patients = random_now(rng), rng.randint(2, 5)
    groups = tuple(_draw_group(rng, now, patients) for _ in range(rng.randint(1, 3)))
    people = tuple(_draw_person(rng, groups) for _ in range(rng.randint(2, 3)))
    return World(now, people, patients, groups)


def _draw_group(rng: Random, now: datetime, patients: int) -> Group:
    used = rng.random() < 0.7
    return Group(
        used_for_permissions=used,
        granted=used if rng.random() < 0.75 else not used,
        retired=rng.random() < 0.12,
        memberships=tuple(
            row for patient in range(patients) for row in _draw_rows(rng, now, patient)
        ),
        excluded=frozenset(p for p in range(patients) if rng.random() < 0.12),
    )


def _draw_rows(rng: Random, now: datetime, patient: int) -> Iterator[Membership]:
    """History of one patient in one group: any number of ended rows, one open at most."""
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        start, end = sorted(now + d for d in rng.choices(DISTANCES, k=2))
        yield Membership(patient, start, end)
    if rng.random() < 0.3:
        yield Membership(patient, now + rng.choice(DISTANCES), None)


def _draw_person(rng: Random, groups: tuple[Group, ...]) -> Person:
    managed = {
        name for name in BY_NAME if name != "All Patients" and rng.random() < 0.2
    }
    if rng.random() < 0.1:
        managed.add("All Patients")
    return Person(
        active=rng.random() < 0.9,
        superuser=rng.random() < 0.07,
        staff_active=rng.choice((True, True, True, True, True, True, False, None)),
        managed=frozenset(managed),
        patient_groups=frozenset(n for n in range(len(groups)) if rng.random() < 0.7),
    )


# Into the database ------------------------------------------------------------------


def build(world: World, rng: Random) -> Built:
    """Write a world as raw rows, and now and then rows that must mean nothing."""
    patients = make_patients(rng, world.patients)
    auth_groups = AuthGroup.objects.bulk_create(
        AuthGroup(name=f"Patients: {n}") for n in range(len(world.groups))
    )
    groups = _write_groups(world, auth_groups)
    users = _write_people(world, auth_groups)
    _write_members(world, groups, patients, rng)
    make_keys(patients, world.now)
    if rng.random() < 0.3:
        rng.choice(NOISE)(rng, users, patients, groups, auth_groups)
    return Built(world, users, patients, groups)


def make_patients(rng: Random, number: int) -> list[Patient]:
    """Patients with names and births that clash, a few inactive or dead; one condition
    each.
    """
    patients = []
    for index in range(number):
        patient = Patient(
            first_name=rng.choice(NAMES),
            last_name=rng.choice(NAMES),
            birth_date=date(1950, 1, rng.randint(1, 3)),
            mrn=str(index),
            active=rng.random() < 0.8,
            deceased=rng.random() < 0.15,
        )
        names = (patient.last_name, patient.first_name)
        patient.sort_name = folding.sort_key(*names, patient.key)
        patient.name_words = folding.word_prefixes(*names)
        patients.append(patient)
    Patient.objects.bulk_create(patients)
    Condition.objects.bulk_create(
        Condition(
            patient=p, system="s", code="c", display="d", clinical_status="active"
        )
        for p in patients
    )
    return patients


def make_keys(patients: list[Patient], now: datetime) -> None:
    """The stream keys of raw rows, as they must be at this instant."""
    with at(now):
        stream_keys.refresh([patient.pk for patient in patients])


def _write_groups(world: World, auth_groups: list[AuthGroup]) -> list[PatientGroup]:
    groups = PatientGroup.objects.bulk_create(
        PatientGroup(
            name=str(number),
            use_for_permissions=group.used_for_permissions,
            auth_group=auth_group,
            retired=world.now if group.retired else None,
        )
        for number, (group, auth_group) in enumerate(
            zip(world.groups, auth_groups, strict=True)
        )
    )
    PatientGroupAccess.objects.bulk_create(
        PatientGroupAccess(
            group=auth_group, content_object=row, permission_id=access_patients().pk
        )
        for group, row, auth_group in zip(
            world.groups, groups, auth_groups, strict=True
        )
        if group.granted
    )
    return groups


def _write_people(world: World, auth_groups: list[AuthGroup]) -> list[User]:
    users = User.objects.bulk_create(
        User(username=f"u{n}", is_active=person.active, is_superuser=person.superuser)
        for n, person in enumerate(world.people)
    )
    both = list(zip(world.people, users, strict=True))
    Staff.objects.bulk_create(
        Staff(user=user, first_name="A", last_name="B", active=person.staff_active)
        for person, user in both
        if person.staff_active is not None
    )
    managed = managed_pks()
    User.groups.through.objects.bulk_create(
        User.groups.through(user_id=user.pk, group_id=pk)
        for person, user in both
        for pk in (
            *(managed[name] for name in person.managed),
            *(auth_groups[number].pk for number in person.patient_groups),
        )
    )
    return users


def _write_members(
    world: World, groups: list[PatientGroup], patients: list[Patient], rng: Random
) -> None:
    PatientGroupMember.objects.bulk_create(
        PatientGroupMember(
            patient_group=row,
            member=patients[membership.patient],
            start_date=membership.start,
            end_date=membership.end,
            locked=rng.random() < 0.3,
        )
        for group, row in zip(world.groups, groups, strict=True)
        for membership in group.memberships
    )
    PatientGroupExclusion.objects.bulk_create(
        PatientGroupExclusion(patient_group=row, patient=patients[number], reason="r")
        for group, row in zip(world.groups, groups, strict=True)
        for number in group.excluded
    )


def managed_pks() -> dict[str, int]:
    """The primary keys of the managed groups, by name."""
    links = ManagedGroupLink.objects.values_list("code", "group")
    return {BY_CODE[code].name: pk for code, pk in links}


def access_patients() -> Permission:
    """The object permission that patient groups' auth groups are granted."""
    return Permission.objects.get(codename="access_patients")


# Rows that must mean nothing ----------------------------------------------------------


def _grant_to_other(rng: Random, *rows: Any) -> None:
    """guardian's row for an auth group that is not the patient group's own."""
    *_, groups, auth_groups = rows
    group = rng.choice(groups)
    others = [*managed_pks().values(), *(auth.pk for auth in auth_groups)]
    PatientGroupAccess.objects.get_or_create(
        group_id=rng.choice([pk for pk in others if pk != group.auth_group_id]),
        content_object=group,
        permission=access_patients(),
    )


def _stray_object_permission(rng: Random, *rows: Any, to_user: bool) -> None:
    """A generic row of guardian about a patient, or about a patient group."""
    users, patients, groups, auth_groups = rows
    target = rng.choice([*patients, *groups])
    content_type = ContentType.objects.get_for_model(target)
    permissions = Permission.objects.filter(content_type=content_type)
    model = UserObjectPermission if to_user else GroupObjectPermission
    holder = (
        {"user": rng.choice(users)} if to_user else {"group": rng.choice(auth_groups)}
    )
    model.objects.create(
        permission=rng.choice(list(permissions)),
        content_type=content_type,
        object_pk=str(target.pk),
        **holder,
    )


def _as_model_permission(rng: Random, *rows: Any) -> None:
    """`access_patients` among an auth group's model permissions."""
    through = AuthGroup.permissions.through
    through.objects.bulk_create(
        [through(group=rng.choice(rows[-1]), permission=access_patients())]
    )


NOISE: tuple[Callable[..., None], ...] = (
    _grant_to_other,
    partial(_stray_object_permission, to_user=True),
    partial(_stray_object_permission, to_user=False),
    _as_model_permission,
)
