"""Staff in the administration: making, editing, switching off and on."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import Group

from canvas_admin.audit.models import AuditRow
from canvas_admin.records.addresses import address
from canvas_admin.testing import make_group, make_staff
from staffing.models import Role, Staff, StaffLicense, StaffPermissions, User
from staffing.tests.pages import errors_of, fields_of, history_of, submit

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
    assert history_of(ruth, user) == ["A sign-in link was made."]
    again = ruth.get(address(user.staff)).content.decode()
    assert "/account/password/link/" not in again


OPENS_NOTHING = "No patient is open to this person yet"
AFTER_ADDING = [
    # the role, what the page says, whether it says that no patient is open
    ("OM", "The roles gave no group.", True),
    ("FD", "“Schedule write”, “Profile read”", True),
    ("AP", "“All Patients”", False),
    ("NO", "“Patients: North”", False),
    ("CA", "“Patients: Campaign”", True),
]


@pytest.mark.parametrize(("role", "said", "closed"), AFTER_ADDING)
def test_beside_the_first_link_is_said_what_the_roles_gave(
    cast: SimpleNamespace, signed_in: Any, role: str, said: str, closed: bool
) -> None:
    campaign = make_group("Campaign")
    for code, name in (
        ("AP", "All Patients"),
        ("NO", "Patients: North"),
        ("CA", "Patients: Campaign"),
    ):
        made = Role.objects.create(internal_code=code, name=code, domain="ADM")
        made.default_auth_groups.add(Group.objects.get(name=name))
    campaign.use_for_permissions = False
    campaign.save()
    ruth, key = signed_in("ruth"), Role.objects.get(internal_code=role).key
    shown = new(ruth, user_name="vera", roles=[key])
    if "Please confirm" in shown.text:
        shown = ruth.post(ADD, fields_of(shown))
    vera = StaffPermissions.objects.get(user__username="vera")
    assert "The staff member “Vera Novak” is saved." in shown.text
    assert said in shown.text
    assert (OPENS_NOTHING in shown.text) == closed
    assert address(vera) in shown.text


def test_without_a_user_name_somebody_is_only_named(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    answer = new(ruth)
    assert answer.status_code == 302
    vera = Staff.objects.get(first_name="Vera")
    assert vera.user is None
    listed = ruth.get(answer["Location"])
    assert "“Vera Novak” is saved." in listed.text
    assert vera in listed.context["cl"].result_list


def test_the_cursor_starts_in_the_first_name(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    """The administration's script puts it into the first field of the form."""
    form = signed_in("ruth").get(ADD).context["adminform"]
    first = next(iter(next(iter(next(iter(form))))))
    assert first.field.name == "first_name"


# Saved once ---------------------------------------------------------------------------

BEFORE = "This form was saved before, so nothing was saved again."


@pytest.mark.parametrize("more", [{}, {"user_name": "vera"}])
def test_the_same_form_sent_twice_makes_one_person(
    cast: SimpleNamespace, signed_in: Any, more: dict[str, str]
) -> None:
    ruth = signed_in("ruth")
    office = Role.objects.get(internal_code="OM").key
    given = {"first_name": "Vera", "last_name": "Novak", "roles": [office]}
    data = fields_of(ruth.get(ADD), FORM) | given | more
    ruth.post(ADD, data)
    again = ruth.post(ADD, data, follow=True)
    vera = Staff.objects.get(first_name="Vera")
    assert again.redirect_chain == [(address(vera), 302)]
    assert BEFORE in again.text
    assert data["form_token"][0] not in vera.key


def test_two_processes_that_save_one_form_at_once_make_one_person(
    cast: SimpleNamespace, signed_in: Any, monkeypatch: Any
) -> None:
    """The second one passed the check before the first was saved."""
    ruth = signed_in("ruth")
    office = Role.objects.get(internal_code="OM").key
    data = fields_of(ruth.get(ADD), FORM)
    data |= {"first_name": "Vera", "last_name": "Novak", "roles": [office]}
    ruth.post(ADD, data)
    rows, looked = Staff.objects.filter, []

    def too_early(*args: Any, **kwargs: Any) -> Any:
        if kwargs.keys() == {"key"} and not looked:
            return looked.append(kwargs) or Staff.objects.none()
        return rows(*args, **kwargs)

    monkeypatch.setattr(Staff._base_manager, "filter", too_early)
    again = ruth.post(ADD, data, follow=True)
    assert len(looked) == 1
    assert BEFORE in again.text
    assert Staff.objects.filter(first_name="Vera").count() == 1


def test_one_persons_token_is_no_other_persons(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    cast.rosa = make_staff("rosa", "Staff Permissions")
    token = "0" * 32
    for name in ("ruth", "rosa"):
        new(signed_in(name), form_token=token)
    assert Staff.objects.filter(first_name="Vera").count() == 2


@pytest.mark.parametrize("token", ["", "0" * 31, "0" * 33, "é" * 32, "\x00" * 32])
def test_a_damaged_token_is_said(
    cast: SimpleNamespace, signed_in: Any, token: str
) -> None:
    answer = new(signed_in("ruth"), form_token=token)
    assert "This form is damaged. Open a new one." in answer.text
    assert not Staff.objects.filter(first_name="Vera").exists()


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
        ({"date_of_birth": "2999-01-01"}, "has not come yet"),
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


def test_the_date_of_birth_is_edited_and_shown(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth, page = signed_in("ruth"), address(cast.nora)
    submit(ruth, page, FORM, date_of_birth="1984-05-06")
    cast.nora.refresh_from_db()
    assert cast.nora.date_of_birth == date(1984, 5, 6)
    assert fields_of(ruth.get(page), FORM)["date_of_birth"] == ["1984-05-06"]


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
    ruth.post(url)
    assert history_of(ruth, cast.nora) == ["The person was deactivated."]
    assert not AuditRow.objects.filter(action="staff.changed").exists()


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
    assert history_of(ruth, cast.nora)[1:] == ["The person was activated."]


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
    row = AuditRow.objects.get(outcome="refused")
    assert (row.action, row.actor) == ("staff.deactivate", cast.rosa.user.key)
    assert row.detail == {
        "reason": "last_administrator",
        "about": f"staff/{cast.ruth.key}",
    }


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
        ({"q": "Example"}, {"Nora", "Sam", "Olga", "Max", "Nil", "Ruth", "Ines"}),
        ({"account": "no"}, {"Dora"}),
        ({"account": "all", "q": "1000000001"}, {"Dora"}),
        ({"q": "1000000001"}, set()),
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
    Staff.objects.create(first_name="Dora", last_name="Directory", npi="1000000001")
    cast.sam.npi = "1234567890"
    cast.sam.save()
    answer = signed_in("ruth").get(LIST, query)
    if people is None:
        assert answer.status_code in (302, 400)
    else:
        found = answer.context["cl"].result_list
        assert all(staff.npi in answer.text for staff in found)
        assert {staff.first_name for staff in found} == people
