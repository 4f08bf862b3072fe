"""Administering is not access (DESIGN section 5), on every form and on forged posts."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from canvas_admin.audit.models import AuditRow
from canvas_admin.records.addresses import address
from canvas_admin.testing import make_staff
from staffing.models import GroupChange, Role, Staff, StaffPermissions, StaffRole, User
from staffing.tests.pages import errors_of, fields_of, submit

TRUE = ["true", "True", "on", "1", "yes", "TRUE", "t"]
POWERS = (
    "is_superuser",
    "is_staff",
    "user_permissions",
    "groups",
    "user-groups",
    "password",
    "password1",
    "is_active",
    "session_epoch",
    "staff-0-user",
)


def permissions_page(staff: Staff) -> str:
    return address(StaffPermissions.objects.get(pk=staff.pk))


def everything() -> list[Any]:
    """All that no forged post may change: accounts, holdings, roles."""
    fields = ("pk", "is_superuser", "is_active", "password", "username")
    return [
        sorted(User.objects.values_list(*fields)),
        sorted(User.groups.through.objects.values_list("user", "group")),
        sorted(StaffRole.objects.values_list("staff", "role")),
        sorted(Staff.objects.values_list("pk", "user", "active")),
        sorted(Group.permissions.through.objects.values_list("group", "permission")),
        GroupChange.objects.count(),
    ]


@pytest.fixture
def boss(cast: SimpleNamespace) -> Staff:
    """A superuser who is staff as well."""
    user = User.objects.create_superuser("boss", "boss@clinic.example", "x" * 20)
    cast.boss = Staff.objects.create(user=user, first_name="Bo", last_name="Ss")
    return cast.boss


def test_holding_staff_permissions_opens_no_patient(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    for patient in (cast.ada, cast.ben, cast.cyn):
        assert ruth.get(f"/patient/{patient.key}/").status_code == 403
        assert ruth.get(f"/patient/{patient.key}/profile/").status_code in (403, 404)


# One's own account ------------------------------------------------------------------


def test_ones_own_permissions_are_shown_and_not_changed(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    page = ruth.get(permissions_page(cast.ruth))
    assert "your own account" in page.content.decode()
    assert 'name="_save"' not in page.content.decode()


@pytest.mark.parametrize("groups", [["All Patients"], ["Profile read"], []])
def test_a_forged_post_for_oneself_is_refused_and_recorded(
    cast: SimpleNamespace, signed_in: Any, groups: list[str]
) -> None:
    ruth = signed_in("ruth")
    made_from = fields_of(ruth.get(permissions_page(cast.nil)))["made_from"]
    before = everything()
    answer = ruth.post(
        permissions_page(cast.ruth), {"groups": groups, "made_from": made_from}
    )
    assert answer.status_code == 403
    assert everything() == before
    assert AuditRow.objects.filter(outcome="refused", actor=cast.ruth.user.key).exists()


def test_ones_own_roles_are_not_changed_while_ones_name_is(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    nurse = Role.objects.get(internal_code="RN").key
    before = everything()
    refused = submit(ruth, address(cast.ruth), "staff_form", roles=[nurse])
    assert "one's own account" in errors_of(refused)
    assert everything() == before
    row = AuditRow.objects.get(outcome="refused")
    assert (row.action, row.actor) == ("staff.save", cast.ruth.user.key)
    assert row.detail == {"reason": "own_account", "about": f"staff/{cast.ruth.key}"}
    submit(ruth, address(cast.ruth), "staff_form", last_name="Ohm")
    cast.ruth.refresh_from_db()
    assert cast.ruth.last_name == "Ohm"
    assert everything() == before


def test_a_role_of_ones_own_is_not_removed_either(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    nurse = Role.objects.get(internal_code="RN")
    StaffRole(staff=cast.ruth, role=nurse).save()
    before = everything()
    submit(signed_in("ruth"), address(cast.ruth), "staff_form", roles=[nurse.key])
    assert everything() == before


def test_one_cannot_link_ones_own_account_to_another_person(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    nurse = Role.objects.get(internal_code="RN").key
    before = everything()
    answer = submit(
        signed_in("ruth"),
        "/admin/staffing/staff/add/",
        "staff_form",
        first_name="Ruth",
        last_name="Two",
        roles=[nurse],
        account=cast.ruth.user.key,
        user=cast.ruth.user.key,
    )
    assert errors_of(answer)
    assert everything() == before


@pytest.mark.parametrize("act", ["deactivate", "activate"])
def test_one_does_not_switch_oneself(
    cast: SimpleNamespace, signed_in: Any, act: str
) -> None:
    ruth = signed_in("ruth")
    for answer in (
        ruth.get(f"/admin/staffing/staff/{cast.ruth.key}/{act}/"),
        ruth.post(f"/admin/staffing/staff/{cast.ruth.key}/{act}/"),
    ):
        assert answer.status_code == 403
    cast.ruth.refresh_from_db()
    assert cast.ruth.active


# Superusers -------------------------------------------------------------------------


@pytest.mark.parametrize("name", POWERS)
def test_no_form_writes_power_however_it_is_spelt(
    cast: SimpleNamespace, signed_in: Any, name: str
) -> None:
    ruth = signed_in("ruth")
    all_patients = Group.objects.get(name="All Patients")
    spellings = [*TRUE, str(all_patients.pk), "All Patients"]
    before = everything()
    for value in spellings:
        submit(ruth, address(cast.nora.user), "user_form", **{name: value})
        submit(ruth, address(cast.nora), "staff_form", **{name: value})
    assert everything() == before


def test_a_superusers_account_is_not_touched(
    cast: SimpleNamespace, signed_in: Any, boss: Staff
) -> None:
    ruth, before = signed_in("ruth"), everything()
    key, user_key = boss.key, boss.user.key
    posts = {
        address(boss.user): {"email": "mine@clinic.example", "address_was": ""},
        address(boss): {"first_name": "Mine", "form_version": str(boss.version)},
        permissions_page(boss): {"groups": ["Profile read"]},
        f"/admin/staffing/staff/{key}/deactivate/": {},
        f"/admin/staffing/user/{user_key}/link/": {},
        f"/admin/staffing/user/{user_key}/delete/": {"post": "yes"},
        f"/admin/staffing/staff/{key}/delete/": {"post": "yes"},
    }
    for url, data in posts.items():
        assert ruth.post(url, data).status_code == 403, url
    boss.refresh_from_db()
    assert boss.user.email == "boss@clinic.example"
    assert boss.first_name == "Bo"
    assert everything() == before


def test_a_superuser_is_not_linked_to_staff(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    root = User.objects.create_superuser("root", "", "x" * 20)
    page = signed_in("ruth").get("/admin/staffing/staff/add/").content.decode()
    assert root.key not in page


def test_a_superuser_changes_not_even_the_own_account(
    cast: SimpleNamespace, signed_in: Any, boss: Staff
) -> None:
    client, before = signed_in("boss"), everything()
    answer = client.post(permissions_page(boss), {"groups": ["Profile read"]})
    assert answer.status_code == 403
    assert everything() == before


def test_no_account_is_added_by_hand(cast: SimpleNamespace, signed_in: Any) -> None:
    answer = signed_in("ruth").post(
        "/admin/staffing/user/add/", {"username": "x", "is_superuser": "on"}
    )
    assert answer.status_code == 403


# Auth groups and the record ---------------------------------------------------------


def test_auth_groups_and_the_record_are_for_reading(
    cast: SimpleNamespace, signed_in: Any, boss: Staff
) -> None:
    change = GroupChange.objects.first()
    before = everything()
    for name in ("ruth", "boss"):
        client = signed_in(name)
        for url in (
            "/admin/auth/group/add/",
            "/admin/auth/group/Clinical%20read/change/",
            "/admin/auth/group/Clinical%20read/delete/",
            "/admin/staffing/groupchange/add/",
            address(change),
            address(change, page="delete"),
        ):
            answer = client.post(
                url, {"name": "x", "permissions": ["1"], "post": "yes"}
            )
            assert answer.status_code == 403, (name, url)
    assert everything() == before


# Who may open what ------------------------------------------------------------------

STAFFING_PAGES = (
    "staffing_user",
    "staffing_staff",
    "staffing_staffpermissions",
    "staffing_role",
    "staffing_team",
    "staffing_careteamrole",
    "staffing_groupchange",
    "auth_group",
)
SETTINGS_PAGES = ("staffing_location", "staffing_visittype")
DOORS = [
    # who, the pages of Staff Permissions, those of Settings
    ("ruth", 200, 403),
    ("sue", 403, 200),
    ("boss", 200, 200),
    ("aud", 403, 403),
    ("nora", 403, 403),
    ("sam", 403, 403),
    ("olga", 403, 403),
    ("max", 403, 403),
    ("nil", 403, 403),
    (None, 302, 302),
    ("ines", 302, 302),
]


@pytest.mark.parametrize(("name", "staffing", "lists"), DOORS)
def test_each_list_opens_to_its_own_administrators(
    cast: SimpleNamespace,
    signed_in: Any,
    boss: Staff,
    name: str | None,
    staffing: int,
    lists: int,
) -> None:
    cast.sue = make_staff("sue", "Settings")
    cast.aud = make_staff("aud", "Audit read")
    client = signed_in(name)
    for page in STAFFING_PAGES:
        url = reverse(f"admin:{page}_changelist")
        assert client.get(url).status_code == staffing, page
    for page in SETTINGS_PAGES:
        url = reverse(f"admin:{page}_changelist")
        assert client.get(url).status_code == lists, page


@pytest.mark.parametrize("name", ["sue", "aud", "nora", "max", "nil", None])
def test_people_without_the_permission_see_and_change_nobody(
    cast: SimpleNamespace, signed_in: Any, name: str | None
) -> None:
    cast.sue = make_staff("sue", "Settings")
    cast.aud = make_staff("aud", "Audit read")
    client, before = signed_in(name), everything()
    urls = [
        permissions_page(cast.sam),
        address(cast.sam),
        address(cast.sam.user),
        f"/admin/staffing/staff/{cast.sam.key}/deactivate/",
        f"/admin/staffing/user/{cast.sam.user.key}/link/",
        f"/admin/staffing/staffpermissions/{cast.sam.key}/history/",
    ]
    for url in urls:
        for answer in (
            client.get(url),
            client.post(url, {"groups": ["All Patients"], "is_superuser": "on"}),
        ):
            assert answer.status_code in (302, 403), url
            assert b"Sam Example" not in answer.content
    assert everything() == before


def test_a_grant_taken_away_closes_the_administration_at_the_next_request(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    cast.rosa = make_staff("rosa", "Staff Permissions")
    rosa = signed_in("rosa")
    assert rosa.get("/admin/staffing/staff/").status_code == 200
    submit(
        signed_in("ruth"),
        permissions_page(cast.rosa),
        "staffpermissions_form",
        groups=[],
    )
    assert rosa.get("/admin/staffing/staff/").status_code == 403
