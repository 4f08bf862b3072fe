"""Who holds an auth group changes by Staff.grant() and Staff.revoke() alone.

DESIGN section 5: all go through them, "which write `GroupChange`", and the last holder of
"Staff Permissions" cannot lose it.
"""

import pytest
from django.db import transaction

from canvas_admin.testing import give, make_group, make_staff
from staffing.explanations import origin, shown_date
from staffing.group_keeping import GroupIsManaged, changing_holders
from staffing.groups import STAFF_PERMISSIONS, managed_group
from staffing.models import GroupChange, User

pytestmark = pytest.mark.django_db


def held():
    return sorted(User.groups.through.objects.values_list("user", "group"))


def _add(user, group, other):
    user.groups.add(other)


def _set(user, group, other):
    user.groups.set([other])


def _set_none(user, group, other):
    user.groups.set([])


def _remove(user, group, other):
    user.groups.remove(group)


def _clear(user, group, other):
    user.groups.clear()


def _add_from_the_other_side(user, group, other):
    other.user_set.add(user)


def _set_from_the_other_side(user, group, other):
    group.user_set.set([])


def _remove_from_the_other_side(user, group, other):
    group.user_set.remove(user)


def _clear_from_the_other_side(user, group, other):
    group.user_set.clear()


def _create_from_the_other_side(user, group, other):
    group.user_set.create(username="somebody")


ATTEMPTS = (
    _add,
    _set,
    _set_none,
    _remove,
    _clear,
    _add_from_the_other_side,
    _set_from_the_other_side,
    _remove_from_the_other_side,
    _clear_from_the_other_side,
    _create_from_the_other_side,
)


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda a: a.__name__.strip("_"))
def test_no_other_way_gives_or_takes_an_auth_group(cast, attempt):
    before = held()
    with pytest.raises(GroupIsManaged, match=r"use Staff\.grant\(\) or Staff\.revoke"):
        with transaction.atomic():
            attempt(
                cast.ruth.user,
                managed_group(STAFF_PERMISSIONS),
                managed_group("audit-read"),
            )
    assert held() == before


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda a: a.__name__.strip("_"))
def test_what_must_write_such_rows_says_so(cast, attempt):
    before = held()
    with changing_holders():
        attempt(
            cast.ruth.user,
            managed_group(STAFF_PERMISSIONS),
            managed_group("audit-read"),
        )
    assert held() != before


def test_the_door_is_shut_again_behind_an_error(cast):
    with pytest.raises(ZeroDivisionError), changing_holders():
        raise ZeroDivisionError
    with pytest.raises(GroupIsManaged):
        cast.nora.user.groups.clear()


def test_granting_and_revoking_go_on_and_leave_the_door_shut(cast):
    group = managed_group("audit-read")
    assert cast.nora.grant(group)
    assert cast.nora.revoke(group)
    with pytest.raises(GroupIsManaged):
        cast.nora.user.groups.add(group)


def test_a_retired_patient_group_leaves_its_holders_and_accounts_without_staff(cast):
    group = make_group("East")
    staff = give(make_staff("holder"), "Patients: East")
    ghost = User.objects.create_user("ghost")
    with changing_holders():
        ghost.groups.add(group.auth_group)
    group.retire()
    assert not staff.user.groups.exists()
    assert not ghost.groups.exists()


WORDS = {
    "hand": "by hand on {} (ruth)",
    "command": "at the operator's shell on {} (ruth)",
    "role": "by the role Nurse on {} (ruth)",
    "retired": "because the patient group was deleted on {} (ruth)",
}


@pytest.mark.parametrize("via", GroupChange.Via.values)
def test_every_way_of_a_change_has_its_words(cast, via):
    nurse = cast.nora.staff_roles.get().role
    change = GroupChange(via=via, by="ruth", role=nurse if via == "role" else None)
    assert origin(change) == WORDS[via].format(shown_date(change.when))


def test_a_group_lost_with_its_patient_group_is_not_said_to_be_taken_by_hand(cast):
    cast.north.retire(by=cast.ruth.user)
    change = GroupChange.objects.filter(user__staff=cast.nora).latest("id")
    assert origin(change).startswith("because the patient group was deleted on")
