"""The Staff Permissions form: the difference alone, and only what was seen."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext

from canvas_admin.audit.models import AuditRow
from canvas_admin.records.addresses import address
from canvas_admin.testing import give, make_staff
from staffing.models import GroupChange, StaffPermissions, User
from staffing.tests.pages import errors_of, fields_of, submit

FORM = "staffpermissions_form"
LIST = "/admin/staffing/staffpermissions/"


def page(staff: Any, which: str = "change") -> str:
    return address(StaffPermissions.objects.get(pk=staff.pk), page=which)


def names(staff: Any) -> set[str]:
    return set(staff.user.groups.values_list("name", flat=True))


def written() -> tuple[int, int]:
    """How many grants and revocations there are, and how many memberships."""
    return GroupChange.objects.count(), User.groups.through.objects.count()


def test_moving_a_group_gives_it_by_hand_and_on_the_record(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    chosen = [*names(cast.nora), "Printing access"]
    answer = submit(signed_in("ruth"), page(cast.nora), FORM, groups=chosen)
    assert answer.status_code == 302
    assert names(cast.nora) == set(chosen)
    change = GroupChange.objects.first()
    assert (change.user, change.group_name, change.added) == (
        cast.nora.user,
        "Printing access",
        True,
    )
    assert (change.via, change.by) == ("hand", "ruth")
    row = AuditRow.objects.get(action="staff.grant", actor=cast.ruth.user.key)
    assert row.subject == f"staff/{cast.nora.key}"


def test_moving_a_group_back_takes_it(cast: SimpleNamespace, signed_in: Any) -> None:
    chosen = names(cast.nora) - {"Patients: North"}
    submit(signed_in("ruth"), page(cast.nora), FORM, groups=[*chosen])
    assert names(cast.nora) == chosen
    assert signed_in("nora").get(f"/patient/{cast.ada.key}/").status_code == 403


def test_saving_what_is_there_changes_and_records_nothing(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    before, rows = written(), AuditRow.objects.filter(outcome="done").count()
    submit(signed_in("ruth"), page(cast.nora), FORM)
    assert written() == before
    assert AuditRow.objects.filter(outcome="done").count() == rows


def test_ruth_gives_what_she_does_not_hold_and_sees_no_patient(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    submit(ruth, page(cast.nil), FORM, groups=["Clinical read", "Patients: South"])
    assert names(cast.nil) == {"Clinical read", "Patients: South"}
    assert ruth.get(f"/patient/{cast.ben.key}/").status_code == 403


def test_the_page_names_each_group_its_meaning_and_where_it_came_from(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    cast.south.use_for_permissions = False
    cast.south.save()
    html = signed_in("ruth").get(page(cast.nora)).content.decode()
    assert "Reads the patient profile" in html
    assert "by the role Nurse on" in html
    assert "by hand on" in html
    assert "Patients: South (not in use now)" in html


def test_a_group_that_somebody_else_gave_meanwhile_refuses_the_form(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    data = fields_of(ruth.get(page(cast.nora)), FORM)
    give(cast.nora, "Printing access", "Schedule write")
    data["groups"] = [*data["groups"], "Printing access", "Document read"]
    before = written()
    answer = ruth.post(page(cast.nora), data)
    assert written() == before
    assert "meanwhile it was given" in errors_of(answer)
    assert "Printing access" in errors_of(answer)
    assert "Document read" not in errors_of(answer)


def test_after_the_refusal_the_form_shows_theirs_with_ones_own_changes(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    data = fields_of(ruth.get(page(cast.nora)), FORM)
    give(cast.nora, "Printing access", "Schedule write")
    data["groups"] = [*data["groups"], "Printing access", "Document read"]
    again = fields_of(ruth.post(page(cast.nora), data), FORM)
    ruth.post(page(cast.nora), again)
    assert {"Printing access", "Schedule write", "Document read"} <= names(cast.nora)


def test_a_group_that_somebody_else_took_meanwhile_refuses_the_form(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    data = fields_of(ruth.get(page(cast.nora)), FORM)
    cast.nora.revoke(cast.north.auth_group)
    data["groups"].remove("Patients: North")
    answer = ruth.post(page(cast.nora), data)
    assert "meanwhile it was taken" in errors_of(answer)


def test_groups_outside_the_difference_stay_as_somebody_else_left_them(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    data = fields_of(ruth.get(page(cast.nora)), FORM)
    give(cast.nora, "Schedule write")
    cast.nora.revoke(cast.north.auth_group)
    data["groups"].append("Printing access")
    assert ruth.post(page(cast.nora), data).status_code == 302
    held = names(cast.nora)
    assert {"Schedule write", "Printing access"} <= held
    assert "Patients: North" not in held


def forged_lists(cast: SimpleNamespace, client: Any) -> list[Any]:
    of_nil = fields_of(client.get(page(cast.nil)), FORM)["made_from"][0]
    unsigned = signing.Signer(salt="forged").sign_object(sorted(names(cast.nora)))
    return ["", "[]", "x" * 10_000, "a\x00b", "e30:forged", unsigned, of_nil]


def test_a_list_that_was_not_made_here_refuses_the_form(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    before = written()
    for made_from in forged_lists(cast, ruth):
        answer = submit(
            ruth, page(cast.nora), FORM, made_from=made_from, groups=["Schedule write"]
        )
        assert answer.status_code == 200
        assert written() == before


@pytest.mark.parametrize(
    "name",
    ["No such group", "1", "patients: north", "Clinical read\x00", "x" * 10_000, ""],
)
def test_an_unknown_group_is_a_form_error_and_nothing_is_saved(
    cast: SimpleNamespace, signed_in: Any, name: str
) -> None:
    before = written()
    answer = submit(
        signed_in("ruth"), page(cast.nora), FORM, groups=["Schedule write", name]
    )
    assert answer.status_code == 200
    assert errors_of(answer)
    assert written() == before


def test_an_extra_field_changes_nothing(cast: SimpleNamespace, signed_in: Any) -> None:
    submit(
        signed_in("ruth"),
        page(cast.nora),
        FORM,
        is_superuser="on",
        user_permissions=["1"],
        active="",
        first_name="Mallory",
        user=cast.nil.user.key,
    )
    cast.nora.refresh_from_db()
    assert cast.nora.first_name == "Nora"
    assert cast.nora.active
    assert cast.nora.user.username == "nora"
    assert not User.objects.filter(is_superuser=True).exists()


# A powerful group asks first --------------------------------------------------------


@pytest.mark.parametrize("name", ["All Patients", "Staff Permissions", "Audit read"])
def test_a_powerful_group_asks_and_is_given_after_the_answer(
    cast: SimpleNamespace, signed_in: Any, name: str
) -> None:
    ruth, before = signed_in("ruth"), written()
    asked = submit(ruth, page(cast.nil), FORM, groups=[name])
    assert asked.status_code == 200
    assert f"“{name}”" in asked.content.decode()
    assert written() == before
    data = fields_of(asked)
    assert ruth.post(page(cast.nil), data).status_code == 302
    assert names(cast.nil) == {name}


@pytest.mark.parametrize("answer", ["", "1", "on", "true", "yes", "\x00", "a:b:c"])
def test_a_forged_answer_just_asks_again(
    cast: SimpleNamespace, signed_in: Any, answer: str
) -> None:
    before = written()
    asked = submit(
        signed_in("ruth"),
        page(cast.nil),
        FORM,
        groups=["All Patients"],
        confirmed=answer,
    )
    assert "Please confirm" in asked.content.decode()
    assert written() == before


def test_an_answer_counts_for_its_own_question_alone(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    """Not for another group, another person, or another administrator."""
    ruth = signed_in("ruth")
    data = fields_of(submit(ruth, page(cast.nil), FORM, groups=["All Patients"]))
    before = written()
    other_group = data | {"groups": ["All Patients", "Staff Permissions"]}
    assert ruth.post(page(cast.nil), other_group).status_code == 200
    other_person = submit(
        ruth,
        page(cast.olga),
        FORM,
        groups=[*names(cast.olga), "All Patients"],
        confirmed=data["confirmed"][0],
    )
    assert other_person.status_code == 200
    assert written() == before


def test_no_goes_back_to_the_form_with_the_choice_kept(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth, before = signed_in("ruth"), written()
    asked = submit(ruth, page(cast.nil), FORM, groups=["All Patients"])
    back = ruth.post(page(cast.nil), fields_of(asked) | {"_back": "No"})
    assert fields_of(back, FORM)["groups"] == ["All Patients"]
    assert written() == before


def test_taking_a_powerful_group_needs_no_answer(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    answer = submit(signed_in("ruth"), page(cast.max), FORM, groups=["Clinical write"])
    assert answer.status_code == 302
    assert names(cast.max) == {"Clinical write"}


# People who are special -------------------------------------------------------------


def test_inactive_people_may_be_edited_and_still_reach_nobody(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    assert "not active, so nothing" in ruth.get(page(cast.ines)).content.decode()
    submit(ruth, page(cast.ines), FORM, groups=["Profile read"])
    assert names(cast.ines) == {"Profile read"}


def test_people_without_an_account_have_nothing_to_give(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    person = StaffPermissions.objects.create(first_name="Dora", last_name="Directory")
    ruth = signed_in("ruth")
    assert "has no account" in ruth.get(page(person)).content.decode()
    answer = ruth.post(page(person), {"groups": ["Profile read"], "made_from": ""})
    assert answer.status_code == 403


def test_the_last_administrator_keeps_it_and_the_form_says_why(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    other = make_staff("rosa", "Staff Permissions")
    other.user.set_unusable_password()
    other.user.save()
    cast.rosa = other
    answer = submit(signed_in("rosa"), page(cast.ruth), FORM, groups=["Profile read"])
    assert "last person with “Staff Permissions”" in errors_of(answer)
    row = AuditRow.objects.get(outcome="refused")
    assert row.action == "staffpermissions.save"
    assert row.detail["reason"] == "last_administrator"
    assert names(cast.ruth) == {"Staff Permissions"}


def test_the_account_is_locked_and_the_administrators_before_it(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    """The order of Staff.revoke(), so that two administrators cannot wait in a circle.

    SQLite locks the whole database for a write and has no clause to look for.
    """
    rosa = make_staff("rosa", "Staff Permissions")
    ruth = signed_in("ruth")
    with CaptureQueriesContext(connection) as asked:
        submit(ruth, page(rosa), FORM, groups=["Profile read"])
    assert names(rosa) == {"Profile read"}
    locks = [
        q["sql"].partition(" FROM ")[2] for q in asked if q["sql"].endswith("UPDATE")
    ]
    if connection.features.has_select_for_update:
        assert locks[0].startswith('"auth_group"')
        assert locks[1].startswith('"staffing_user"')


# History, list and filters ----------------------------------------------------------


def test_history_lists_grants_and_revocations(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    cast.nora.revoke(cast.north.auth_group, cast.ruth.user)
    html = signed_in("ruth").get(page(cast.nora, "history")).content.decode()
    assert "taken away" in html
    assert "by the role Nurse" in html
    assert "Clinical write" in html


def test_somebody_who_never_held_a_group_has_an_empty_history(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    html = signed_in("ruth").get(page(cast.nil, "history")).content.decode()
    assert "No group was ever given" in html


@pytest.mark.parametrize(
    ("query", "people"),
    [
        ({"group": "Patients: North"}, {"Nora", "Ines"}),
        ({"group": "All Patients"}, {"Max"}),
        ({"group": "-"}, {"Nil"}),
        ({"active__exact": "0"}, {"Ines"}),
        ({"q": "sam"}, {"Sam"}),
        ({"q": "nobody at all"}, set()),
    ],
)
def test_the_list_finds_people_by_group_name_and_state(
    cast: SimpleNamespace, signed_in: Any, query: dict[str, str], people: set[str]
) -> None:
    url = "/admin/staffing/staffpermissions/"
    found = signed_in("ruth").get(url, query).context["cl"].result_list
    assert {staff.first_name for staff in found} == people


def test_the_page_and_its_list_speak_of_people(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth = signed_in("ruth")
    answer = submit(ruth, page(cast.nora), FORM, groups=["Profile read"])
    listed = ruth.get(answer["Location"]).text
    assert "The permissions of Nora Example are saved." in listed
    assert "7 people" in listed
    assert "1 person" in ruth.get(LIST, {"q": "nora"}).text


def test_the_account_page_knows_a_patient_group_that_is_switched_off(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    nora = signed_in("nora")
    assert "Reaches the patients who are in “North”" in nora.get("/account/").text
    cast.north.use_for_permissions = False
    cast.north.save()
    shown = nora.get("/account/").text
    assert "Opens nothing: the patient group “North”" in shown
    assert "Reaches the patients" not in shown
