"""decide() for every set of the twelve groups, against the table written by hand.

decide() is asked about standings: what an account holds, which nobody has to have. That
accounts with such groups stand so is asked of real ones, as a sample.
"""

import random
import time
from itertools import product

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from canvas_admin.testing import give, make_staff
from canvas_admin.tests import proof
from canvas_admin.tests.matrix.expected import AREAS, FIVE, TWELVE, the_sets
from patients import areas
from patients.decisions import decide
from staffing.groups import BY_CODE, managed_group
from staffing.standing import Standing

EVERYONE = "all-patients"
PEOPLE = 6


class Asking:
    """Asks decide() about sets of groups, in reach and out of reach."""

    def __init__(self, cast):
        self.cast = cast
        self.of_code = {code: managed_group(code).pk for code in (*TWELVE, *FIVE)}
        self.north = cast.north.auth_group.pk

    def standing(self, groups, reached):
        held = {self.of_code[code] for code in groups}
        held |= {self.north} if reached else set()
        return Standing(
            user=self.cast.nil.user.pk,
            everyone=EVERYONE in groups,
            auth_groups=frozenset(held),
        )

    def differences(self, groups, reached, account=None):
        """The areas about which decide() and the table disagree."""
        account = account or self.standing(groups, reached)
        opened = reached or EVERYONE in groups
        return [
            f"{sorted(groups)}, {'in' if reached else 'out of'} reach: {code}"
            for code, expected in AREAS.items()
            if self._allows(account, code) != expected.opens_to(groups, opened)
        ]

    def _allows(self, account, code):
        about = self.cast.ada if areas.BY_CODE[code].about_patient else None
        return decide(account, code, about).allowed


def every_set():
    return [
        frozenset(code for code, held in zip(TWELVE, mask, strict=True) if held)
        for mask in product((False, True), repeat=len(TWELVE))
    ]


def with_the_five():
    """Each of the five others alone, and with each of the twelve."""
    return [frozenset({five, *more}) for five in FIVE for more in [(), *_each()]]


def _each():
    return [(code,) for code in TWELVE]


def test_every_area_is_in_the_table_and_asks_for_reach_as_it_says():
    assert {area.code: area.about_patient for area in areas.AREAS} == {
        code: expected.needs_reach for code, expected in AREAS.items()
    }


def test_there_are_as_many_sets_as_the_issue_counts():
    assert len(every_set()) == 4096
    assert len(with_the_five()) == 65
    assert len(the_sets()) == 92


@pytest.mark.proof
def test_decide_is_the_table_for_every_set(cast):
    asking, seed, started = Asking(cast), proof.seed(), time.monotonic()
    sets, five = every_set(), with_the_five()
    if not proof.FULL:
        chance = random.Random(seed)
        sets, five = chance.sample(sets, 30), chance.sample(five, 20)
    sets += five
    found = [
        d
        for groups in sets
        for r in (True, False)
        for d in asking.differences(groups, r)
    ]
    proof.record(
        "decisions",
        connection.vendor,
        seed,
        len(sets),
        len(found),
        time.monotonic() - started,
        areas=len(AREAS),
    )
    assert not found, "\n".join(found[:20])


def test_real_accounts_stand_as_the_sets_say(cast):
    asking, chance = Asking(cast), random.Random(proof.seed())
    for number in range(PEOPLE):
        groups = frozenset(c for c in (*TWELVE, *FIVE) if chance.random() < 0.3)
        staff = make_staff(f"person{number}", *(BY_CODE[code].name for code in groups))
        if reached := number % 2:
            give(staff, "Patients: North")
        standing = Standing.of(staff.user)
        assert standing.auth_groups == asking.standing(groups, reached).auth_groups
        assert not asking.differences(groups, reached, staff.user)


def test_the_check_finds_a_group_that_opens_too_much(cast):
    asking, group = Asking(cast), managed_group("tasking-access")
    profile = managed_group("profile-read").permissions.get(codename="view_patient")
    carried = Group.permissions.through
    carried.objects.bulk_create([carried(group=group, permission=profile)])
    assert asking.differences(frozenset({"tasking-access"}), reached=True) == [
        "['tasking-access'], in reach: profile"
    ]
