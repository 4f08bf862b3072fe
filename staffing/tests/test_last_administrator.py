"""The last holder of "Staff Permissions" who can sign in stays, also against the clock.

DESIGN section 5: "the check locks the group's row, and a test runs two removals at
once." Two threads, each with a connection of its own, really run at once.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from django.db import connection, connections
from django.db.models import ProtectedError

from canvas_admin.tests import proof
from staffing.group_keeping import changing_holders
from staffing.groups import STAFF_PERMISSIONS, managed_group
from staffing.models import Staff, User
from staffing.models import staff as staff_module
from staffing.models.staff import LastAdministrator

ROUNDS = proof.count(8, 200)


# One at a time ---------------------------------------------------------------------


@pytest.fixture
def ruth(cast) -> Staff:
    """ruth, the one person of the cast who holds "Staff Permissions"."""
    return cast.ruth


def fresh(staff: Staff) -> Staff:
    return Staff.objects.get(pk=staff.pk)


def test_one_of_two_administrators_can_go(cast, ruth):
    group = managed_group(STAFF_PERMISSIONS)
    cast.max.grant(group)
    assert fresh(ruth).revoke(group)
    with pytest.raises(LastAdministrator):
        fresh(cast.max).revoke(group)


def test_the_last_administrator_keeps_the_group(ruth):
    with pytest.raises(LastAdministrator):
        fresh(ruth).revoke(managed_group(STAFF_PERMISSIONS))
    assert ruth.user.groups.filter(managed__code=STAFF_PERMISSIONS).exists()


def test_the_last_administrator_stays_active(ruth):
    staff = fresh(ruth)
    staff.active = False
    with pytest.raises(LastAdministrator):
        staff.save()
    assert User.objects.able_to_sign_in().filter(pk=ruth.user_id).exists()


def test_the_last_administrator_is_not_deleted(ruth):
    ruth.staff_roles.all().delete()
    with pytest.raises(ProtectedError):
        fresh(ruth).delete()
    with pytest.raises(ProtectedError):
        User.objects.filter(pk=ruth.user_id).delete()


@pytest.mark.parametrize("lacks", ["password", "staff", "activity"])
def test_somebody_who_cannot_sign_in_is_no_other_administrator(cast, ruth, lacks):
    group = managed_group(STAFF_PERMISSIONS)
    other = User.objects.create_user("other")
    with changing_holders():
        other.groups.add(group)
    if lacks != "password":
        User.objects.filter(pk=other.pk).update(password="md5$a$b")
    if lacks != "staff":
        Staff(user=other, first_name="O", last_name="R").save()
    if lacks == "activity":
        Staff.objects.filter(user=other).update(active=False)
    with pytest.raises(LastAdministrator):
        fresh(ruth).revoke(group)


# Two at once -----------------------------------------------------------------------


def revoke(staff: Staff) -> None:
    fresh(staff).revoke(managed_group(STAFF_PERMISSIONS))


def deactivate(staff: Staff) -> None:
    row = fresh(staff)
    row.active = False
    row.save()


def regrant(staff: Staff) -> None:
    fresh(staff).grant(managed_group(STAFF_PERMISSIONS))


REMOVALS = (
    (revoke, revoke),
    (revoke, deactivate),
    (deactivate, revoke),
    (deactivate, deactivate),
)


def administrators(number: int) -> list[Staff]:
    """So many people who hold the group and can sign in, and nobody else."""
    group = managed_group(STAFF_PERMISSIONS)
    User.groups.through.objects.filter(group=group).delete()
    made = []
    for name in range(number):
        user, _new = User.objects.get_or_create(
            username=f"admin{name}", defaults={"password": "md5$a$b"}
        )
        User.objects.filter(pk=user.pk).update(is_active=True)
        staff = Staff.objects.filter(user=user).first() or Staff(user=user)
        staff.first_name, staff.last_name, staff.active = "A", str(name), True
        staff.save()
        staff.grant(group)
        made.append(staff)
    return made


def at_once(
    *acts: tuple[Callable[[Staff], None], Staff],
) -> list[BaseException | None]:
    """Run the acts in a thread each, started together; what each raised."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[Staff], None], staff: Staff) -> None:
        try:
            connection.ensure_connection()
            gate.wait(10)
            act(staff)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        futures = [pool.submit(run, *act) for act in acts]
        return [future.exception(timeout=60) for future in futures]


def somebody_is_left() -> bool:
    able = User.objects.able_to_sign_in().filter(staff__active=True)
    return able.filter(groups__managed__code=STAFF_PERMISSIONS).exists()


def lost(pair: tuple, raised: list[BaseException | None]) -> str:
    """What went wrong in a round of two removals; empty when exactly one was refused."""
    names = " + ".join(act.__name__ for act in pair)
    if not somebody_is_left():
        return f"{names}: nobody is left"
    if [type(error) for error in raised if error] != [LastAdministrator]:
        return f"{names}: {raised}"
    return ""


def race(rounds: int) -> list[str]:
    """Rounds of two removals of the only two administrators at once; what went wrong."""
    wrong = []
    for number in range(rounds):
        pair = REMOVALS[number % len(REMOVALS)]
        raised = at_once(*zip(pair, administrators(2), strict=True))
        wrong += filter(None, [lost(pair, raised)])
    return wrong


@pytest.mark.proof
def test_of_two_removals_at_once_one_always_stays(transactional_db):
    start = time.monotonic()
    wrong = race(ROUNDS)
    proof.record(
        "last_administrator",
        connection.vendor,
        proof.seed(),
        ROUNDS,
        len(wrong),
        time.monotonic() - start,
        part="removals",
    )
    assert wrong == []


@pytest.mark.proof
def test_acts_on_the_same_people_at_once_never_wait_in_a_circle(transactional_db):
    start, rng = time.monotonic(), Random(proof.seed())
    wrong = []
    for _ in range(ROUNDS):
        people = administrators(3)
        acts = [(rng.choice((revoke, deactivate, regrant)), rng.choice(people[:2]))]
        acts += [(rng.choice((revoke, deactivate)), rng.choice(people)) for _ in "ab"]
        raised = at_once(*acts)
        wrong += [
            error
            for error in raised
            if error and not isinstance(error, LastAdministrator)
        ]
        if not somebody_is_left():
            wrong.append(RuntimeError("nobody is left"))
    proof.record(
        "last_administrator",
        connection.vendor,
        proof.SEED,
        ROUNDS,
        len(wrong),
        time.monotonic() - start,
        part="same people",
    )
    assert wrong == []


def test_the_race_is_lost_without_the_lock(transactional_db, monkeypatch):
    """The test of the test: without the lock both go, or SQLite refuses one as locked.

    On PostgreSQL the lock is the group's row; on SQLite it is the transaction that
    begins as a writer. A pause after the check lets both get there.
    """
    check = Staff._leave_an_administrator
    both = threading.Barrier(2)

    def check_and_wait(self: Staff) -> None:
        check(self)
        try:
            both.wait(2)
        except threading.BrokenBarrierError:
            both.reset()

    monkeypatch.setattr(Staff, "_leave_an_administrator", check_and_wait)
    monkeypatch.setattr(staff_module, "lock_administration", lambda: None)
    if connection.vendor == "sqlite":
        options = connections.settings["default"]["OPTIONS"]
        monkeypatch.setitem(options, "transaction_mode", "DEFERRED")
        monkeypatch.setitem(options, "timeout", 1)
    assert race(2) != []
