"""Staff in the administration: making, editing, switching off and on."""

from types import SimpleNamespace
from typing import Any

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.records.addresses import address
from canvas_admin.testing import make_staff
from staffing.models import Role, Staff, StaffLicense, User
from staffing.tests.pages import errors_of, fields_of, submit

FORM = "staff_form"
LIST = "/admin/staffing/staff/"
ADD = f"{LIST}add/"


def new(client: Any, **more: Any) -> Any:
    office = Role.objects.get(internal_code="OM").key
    given = {"first_name": "Vera", "last_name": "Novak", "roles": [office]}
    return submit(client, ADD, FORM, **(given | more))


def test_a_new_account_is_shown_its_first_link_once(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    shown = new(ruth, user_name="Vera.Novak", email="vera@clinic.example")
    assert "/account/password/link/" in shown.content.decode()
    assert shown["Cache-Control"] == "no-store"
    user = User.objects.get(username="vera.novak")
    assert user.email == "vera@clinic.example"
    assert not user.has_usable_password()
    assert not user.is_superuser
    done = AuditRow.objects.filter(actor=cast.ruth.user.key, subject=f"user/{user.key}")
    assert set(done.values_list("action", flat=True)) == {
        "account.made",
        "account.link",
    }
    again = ruth.get(address(user.staff)).content.decode()
    assert "/account/password/link/" not in again


def test_without_a_user_name_somebody_is_only_named(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    answer = new(signed_in("ruth"))
    assert answer.status_code == 302
    assert Staff.objects.get(first_name="Vera").user is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"user_name": "NORA"}, "exists already"),
        ({"user_name": "two words"}, "valid username"),
        ({"user_name": "\ufdfa" * 9}, "at most 150"),
        ({"user_name": "\ufdfa"}, "valid username"),
        ({"user_name": "a\x00b"}, "Null characters"),
        ({"user_name": "x" * 10_000}, "at most 150"),
        ({"email": "vera@clinic.example"}, "no new account"),
        ({"user_name": "vera", "email": "no address"}, "valid email"),
        ({"npi": "123"}, "exactly 10 digits"),
        ({"account": "no-such-key"}, "Select a valid choice"),
        ({"first_name": ""}, "required"),
        ({"primary_location": "\x00"}, "Null characters"),
    ],
)
def test_bad_input_is_said_and_nothing_is_saved(
    cast: SimpleNamespace, signed_in: Any, wrong: dict[str, str], said: str
) -> None:
    before = Staff.objects.count(), User.objects.count()
    answer = new(signed_in("ruth"), **wrong)
    assert said in errors_of(answer)
    assert (Staff.objects.count(), User.objects.count()) == before


def test_an_account_is_typed_or_chosen_but_not_both(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    walk_in = User.objects.create_user("walk.in")
    answer = new(signed_in("ruth"), user_name="vera", account=walk_in.key)
    assert "not both" in errors_of(answer)


def test_accounts_of_others_and_of_superusers_cannot_be_linked(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    boss = User.objects.create_superuser("boss", "", "x")
    for account in (cast.nora.user, cast.ruth.user, boss):
        assert "Select a valid choice" in errors_of(
            new(signed_in("ruth"), account=account.key)
        )
    assert not Staff.objects.filter(first_name="Vera").exists()


def test_a_linked_account_stays_whatever_is_posted(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    walk_in = User.objects.create_user("walk.in")
    submit(
        signed_in("ruth"),
        address(cast.nora),
        FORM,
        account=walk_in.key,
        user=walk_in.key,
        user_name="mallory",
        active="",
    )
    cast.nora.refresh_from_db()
    assert cast.nora.user.username == "nora"
    assert cast.nora.active
    assert not User.objects.filter(username="mallory").exists()


def test_two_tabs_are_shown_both_versions(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    data = fields_of(ruth.get(address(cast.nora)), FORM)
    submit(ruth, address(cast.nora), FORM, last_name="Vega")
    refused = ruth.post(address(cast.nora), data | {"last_name": "Other"})
    assert "yours is “Other”, saved is “Vega”" in errors_of(refused)
    cast.nora.refresh_from_db()
    assert cast.nora.last_name == "Vega"
    ruth.post(address(cast.nora), fields_of(refused, FORM))
    cast.nora.refresh_from_db()
    assert cast.nora.last_name == "Other"


def test_roles_that_changed_in_another_tab_are_not_lost(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    data = fields_of(ruth.get(address(cast.nil)), FORM)
    keys = [role.key for role in Role.objects.filter(internal_code__in=["OM", "FD"])]
    submit(ruth, address(cast.nil), FORM, roles=keys)
    refused = ruth.post(address(cast.nil), data)
    assert "Somebody saved this" in errors_of(refused)
    assert cast.nil.staff_roles.count() == 2


def test_contact_points_and_licences_are_edited_with_the_person(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    submit(
        signed_in("ruth"),
        address(cast.nora),
        FORM,
        **{
            "contact_points-TOTAL_FORMS": "1",
            "contact_points-0-id": "",
            "contact_points-0-system": "phone",
            "contact_points-0-value": "555 0100",
            "contact_points-0-use": "work",
            "contact_points-0-rank": "1",
            "licenses-TOTAL_FORMS": "1",
            "licenses-0-id": "",
            "licenses-0-kind": "DEA",
            "licenses-0-number": "A1",
        },
    )
    assert cast.nora.contact_points.get().value == "555 0100"
    assert cast.nora.licenses.get().number == "A1"


def test_a_forged_row_of_somebody_else_is_not_touched(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    of_sam = StaffLicense.objects.create(staff=cast.sam, kind="DEA", number="S1")
    for identity in (of_sam.key, str(of_sam.pk), "\x00", "x" * 10_000):
        answer = submit(
            signed_in("ruth"),
            address(cast.nora),
            FORM,
            **{
                "licenses-TOTAL_FORMS": "1",
                "licenses-INITIAL_FORMS": "1",
                "licenses-0-id": identity,
                "licenses-0-kind": "DEA",
                "licenses-0-number": "FORGED",
                "licenses-0-DELETE": "on",
            },
        )
        assert answer.status_code in (200, 302)
    of_sam.refresh_from_db()
    assert (of_sam.number, of_sam.staff) == ("S1", cast.sam)
    assert StaffLicense.objects.count() == 1


# Switching off and on ---------------------------------------------------------------


def test_deactivating_says_what_ends_and_ends_sessions_at_once(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth, nora = signed_in("ruth"), signed_in("nora")
    assert nora.get("/account/").status_code == 200
    url = f"{LIST}{cast.nora.key}/deactivate/"
    assert "Every session" in ruth.get(url).content.decode()
    assert nora.get("/account/").status_code == 200
    assert ruth.post(url).status_code == 302
    cast.nora.refresh_from_db()
    assert not cast.nora.active
    assert not cast.nora.user.is_active
    assert nora.get("/account/").status_code == 302
    done = AuditRow.objects.get(action="staff.deactivate", actor=cast.ruth.user.key)
    assert done.subject == f"staff/{cast.nora.key}"


def test_activating_opens_again_but_no_old_session(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth, nora = signed_in("ruth"), signed_in("nora")
    ruth.post(f"{LIST}{cast.nora.key}/deactivate/")
    url = f"{LIST}{cast.nora.key}/activate/"
    assert "Patients: North" in ruth.get(url).content.decode()
    ruth.post(url)
    cast.nora.refresh_from_db()
    assert cast.nora.user.is_active
    assert nora.get("/account/").status_code == 302


def test_the_last_administrator_is_not_deactivated(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    cast.rosa = make_staff("rosa", "Staff Permissions")
    cast.rosa.user.set_unusable_password()
    cast.rosa.user.save()
    answer = signed_in("rosa").post(f"{LIST}{cast.ruth.key}/deactivate/", follow=True)
    assert "last person with “Staff Permissions”" in answer.content.decode()
    cast.ruth.refresh_from_db()
    assert cast.ruth.active


def test_nobody_is_deleted(cast: SimpleNamespace, signed_in: Any) -> None:
    answer = signed_in("ruth").post(f"{LIST}{cast.nil.key}/delete/", {"post": "yes"})
    assert answer.status_code == 403
    assert Staff.objects.filter(pk=cast.nil.pk).exists()


@pytest.mark.parametrize(
    ("query", "people"),
    [
        ({"q": "nora"}, {"Nora"}),
        ({"q": "1234567890"}, {"Sam"}),
        ({"role": "RN"}, {"Nora", "Ines"}),
        ({"role": "RN", "active__exact": "1"}, {"Nora"}),
        ({"account": "no"}, {"Dora"}),
        ({"q": "nora" + " nora" * 1_500}, {"Nora"}),
        ({"q": "x" * 60_000}, set()),
        ({"q": "nora\x00"}, None),
        ({"staff_roles__role__id__exact": "1"}, None),
        ({"user__password__startswith": "a"}, None),
        ({"active__exact": "perhaps"}, None),
    ],
)
def test_the_list_is_searched_and_filtered_by_what_is_declared(
    cast: SimpleNamespace, signed_in: Any, query: dict[str, str], people: Any
) -> None:
    Staff.objects.create(first_name="Dora", last_name="Directory")
    cast.sam.npi = "1234567890"
    cast.sam.save()
    answer = signed_in("ruth").get(LIST, query)
    if people is None:
        assert answer.status_code in (302, 400)
    else:
        found = answer.context["cl"].result_list
        assert {staff.first_name for staff in found} == people
