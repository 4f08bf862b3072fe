"""S2's role rules, all four, through the staff form of the administration."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.urls import reverse

from canvas_admin.records.addresses import address
from canvas_admin.testing import FRONT_DESK, NURSE, give, make_role
from staffing.group_keeping import changing_holders
from staffing.groups import BY_NAME, managed_group
from staffing.models import GroupChange, Role, Staff, StaffRole, User
from staffing.tests.pages import errors_of, fields_of, submit

FORM = "staff_form"
ADD = "/admin/staffing/staff/add/"


def role(code: str) -> Role:
    return Role.objects.get(internal_code=code)


def names(staff: Staff) -> set[str]:
    return set(staff.user.groups.values_list("name", flat=True))


def codes(staff: Staff) -> set[str]:
    return set(staff.staff_roles.values_list("role__internal_code", flat=True))


def hire(client: Any, user_name: str, *role_codes: str, **more: Any) -> Any:
    """Fill in the form for a new staff member."""
    return submit(
        client,
        ADD,
        FORM,
        first_name="Vera",
        last_name="Novak",
        user_name=user_name,
        roles=[role(code).key for code in role_codes],
        **more,
    )


def edit_roles(client: Any, staff: Staff, *role_codes: str, **more: Any) -> Any:
    """Tick exactly these roles on somebody's form."""
    keys = [role(code).key for code in role_codes]
    return submit(client, address(staff), FORM, roles=keys, **more)


def test_staff_made_with_a_role_inherit_its_default_groups(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    hire(signed_in("ruth"), "vera.novak", "RN", "FD")
    vera = Staff.objects.get(user__username="vera.novak")
    assert codes(vera) == {"RN", "FD"}
    assert names(vera) == {*NURSE, *FRONT_DESK}
    how = GroupChange.objects.filter(user=vera.user).values_list("via", "by")
    assert set(how) == {("role", "ruth")}


def test_changing_a_roles_defaults_changes_nobody(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    before = names(cast.nora)
    answer = submit(
        signed_in("ruth"),
        address(role("RN")),
        "role_form",
        default_auth_groups=["Printing access", "Patients: South"],
    )
    assert answer.status_code == 302
    held = role("RN").default_auth_groups.values_list("name", flat=True)
    assert set(held) == {"Printing access", "Patients: South"}
    assert names(cast.nora) == before


def test_a_role_added_later_gives_only_the_groups_that_are_lacking(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    give(cast.nora, "Schedule write")
    changes = GroupChange.objects.filter(user=cast.nora.user).count()
    edit_roles(signed_in("ruth"), cast.nora, "RN", "FD")
    assert codes(cast.nora) == {"RN", "FD"}
    assert names(cast.nora) == {*NURSE, *FRONT_DESK, "Patients: North"}
    # "Profile read" and "Schedule write" were there already.
    added = GroupChange.objects.filter(user=cast.nora.user).count() - changes
    assert added == len(FRONT_DESK) - 2


def test_a_role_removed_takes_no_group_away(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    before = names(cast.nora)
    edit_roles(signed_in("ruth"), cast.nora, "OM")
    assert codes(cast.nora) == {"OM"}
    assert names(cast.nora) == before


def test_a_role_that_stays_does_not_give_again_what_was_taken(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    cast.nora.revoke(managed_group(BY_NAME["Clinical write"].code))
    edit_roles(signed_in("ruth"), cast.nora, "RN", "OM")
    assert "Clinical write" not in names(cast.nora)


def test_an_account_linked_later_brings_the_defaults_of_all_roles(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    hire(ruth, "", "RN")
    vera = Staff.objects.get(first_name="Vera")
    assert vera.user is None
    answer = edit_roles(ruth, vera, "RN", "FD", user_name="Vera.Novak")
    vera.refresh_from_db()
    assert vera.user.username == "vera.novak"
    assert names(vera) == {*NURSE, *FRONT_DESK}
    assert "/account/password/link/" in answer.content.decode()


def test_an_existing_account_linked_later_brings_them_too(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    walk_in = User.objects.create_user("walk.in")
    ruth = signed_in("ruth")
    hire(ruth, "", "RN")
    vera = Staff.objects.get(first_name="Vera")
    edit_roles(ruth, vera, "RN", account=walk_in.key)
    vera.refresh_from_db()
    assert vera.user == walk_in
    assert names(vera) == set(NURSE)


@pytest.mark.parametrize("roles", [[], ["no-such-key"], ["1"], ["\x00"]])
def test_everybody_has_at_least_one_role_that_exists(
    cast: SimpleNamespace, signed_in: Any, roles: list[str]
) -> None:
    ruth, staff = signed_in("ruth"), Staff.objects.count()
    answer = submit(ruth, ADD, FORM, first_name="Vera", last_name="Novak", roles=roles)
    assert errors_of(answer)
    edited = submit(ruth, address(cast.nora), FORM, roles=roles)
    assert errors_of(edited)
    assert Staff.objects.count() == staff
    assert codes(cast.nora) == {"RN"}


# A role that opens much asks first --------------------------------------------------


@pytest.mark.parametrize("group", ["All Patients", "Staff Permissions", "Settings"])
def test_a_role_with_a_powerful_default_asks_and_then_gives(
    cast: SimpleNamespace, signed_in: Any, group: str
) -> None:
    make_role("BOSS", "Head", "ADM", group, "Profile read")
    ruth, changes = signed_in("ruth"), GroupChange.objects.count()
    asked = edit_roles(ruth, cast.nil, "OM", "BOSS")
    assert f"gives “{group}”" in asked.content.decode()
    assert GroupChange.objects.count() == changes
    assert codes(cast.nil) == {"OM"}
    ruth.post(address(cast.nil), fields_of(asked))
    assert codes(cast.nil) == {"OM", "BOSS"}
    assert names(cast.nil) == {group, "Profile read"}


def test_making_staff_with_such_a_role_asks_too(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    make_role("BOSS", "Head", "ADM", "All Patients")
    ruth = signed_in("ruth")
    asked = hire(ruth, "vera.novak", "BOSS", confirmed="on")
    assert not User.objects.filter(username="vera.novak").exists()
    shown = ruth.post(ADD, fields_of(asked))
    assert "/account/password/link/" in shown.content.decode()
    assert names(Staff.objects.get(first_name="Vera")) == {"All Patients"}


def test_an_answer_for_one_person_makes_no_other(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    make_role("BOSS", "Head", "ADM", "All Patients")
    ruth = signed_in("ruth")
    data = fields_of(hire(ruth, "vera.novak", "BOSS"))
    again = ruth.post(ADD, data | {"user_name": "mallory"})
    assert "Please confirm" in again.content.decode()
    assert not User.objects.filter(username="mallory").exists()


def test_an_answer_covers_no_default_that_was_added_after_the_question(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    boss = make_role("BOSS", "Head", "ADM", "Settings")
    ruth = signed_in("ruth")
    data = fields_of(hire(ruth, "vera.novak", "BOSS"))
    boss.default_auth_groups.add(managed_group("all-patients"))
    again = ruth.post(ADD, data).content.decode()
    assert "gives “All Patients”" in again
    assert not User.objects.filter(username="vera.novak").exists()


def test_linking_an_account_that_holds_such_a_group_asks_too(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    left_over = User.objects.create_user("left.over")
    with changing_holders():
        left_over.groups.add(managed_group("all-patients"))
    ruth = signed_in("ruth")
    asked = hire(ruth, "", "OM", account=left_over.key)
    assert "holds “All Patients”" in asked.content.decode()
    assert not Staff.objects.filter(user=left_over).exists()
    assert ruth.post(ADD, fields_of(asked)).status_code == 302
    assert Staff.objects.filter(user=left_over).exists()


def test_linking_an_account_to_such_a_role_asks_too(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    make_role("BOSS", "Head", "ADM", "All Patients")
    vera = Staff.objects.create(first_name="Vera", last_name="Novak")
    StaffRole(staff=vera, role=role("BOSS")).save()
    asked = edit_roles(signed_in("ruth"), vera, "BOSS", user_name="vera.novak")
    assert "Please confirm" in asked.content.decode()
    vera.refresh_from_db()
    assert vera.user is None


def test_the_list_of_roles_says_how_many_people_have_each(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    url = reverse("admin:staffing_role_changelist")
    rows = signed_in("ruth").get(url).context["cl"].result_list
    assert {r.internal_code: r.holders for r in rows} == {
        "RN": 2,
        "MD": 1,
        "FD": 1,
        "OM": 3,
    }
