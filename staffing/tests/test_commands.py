"""create_staff, grant, revoke and sign_in_link, as an operator uses them."""

from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.management import CommandError, call_command

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import NURSE
from staffing.models import GroupChange, Role, Staff, User


def run(*words: str, **options: Any) -> str:
    """The command's output; its errors raise CommandError."""
    out = StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def names(staff: Staff) -> set[str]:
    return set(staff.user.groups.values_list("name", flat=True))


def test_grant_and_revoke_are_on_the_record_as_the_shells(
    cast: SimpleNamespace,
) -> None:
    assert "has now “Printing access”" in run("grant", "nora", "Printing access")
    assert "had already" in run("grant", "NORA", "Printing access")
    assert "has no longer" in run("revoke", cast.nora.key, "Printing access")
    assert "did not have" in run("revoke", "nora", "Printing access")
    changes = GroupChange.objects.filter(
        group_name="Printing access", user=cast.nora.user
    )
    assert [(c.added, c.via, c.by) for c in changes] == [
        (False, "command", "manage.py revoke"),
        (True, "command", "manage.py grant"),
    ]
    rows = AuditRow.objects.filter(subject=f"staff/{cast.nora.key}", actor="")
    assert {"manage.py grant", "manage.py revoke"} <= set(
        rows.values_list("actor_name", flat=True)
    )


def test_a_patient_groups_auth_group_is_granted_by_its_name(
    cast: SimpleNamespace,
) -> None:
    run("grant", "nil", "Patients: South")
    assert names(cast.nil) == {"Patients: South"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("grant", "norra", "Clinical read"), "Did you mean “nora”"),
        (("grant", "nora", "clinical read"), "Did you mean “Clinical read”"),
        (("revoke", "nora", "Patients: Nort"), "Did you mean “Patients: North”"),
        (("grant", "nora", "Qqq"), "There are: "),
        (("revoke", "ruth", "Staff Permissions"), "last person"),
        (("sign_in_link", "rut"), "Did you mean “ruth”"),
        (("sign_in_link", "ines"), "not active"),
        (("sign_in_link", "nora", "--site", "clinic.example"), "start with https://"),
        (("second_step_off", "norra"), "Did you mean “nora”"),
        (("second_step_off", "nora"), "has no second step"),
        (
            ("create_staff", "vera", "V", "N", "--role", "RN", "--site", "//x"),
            "start with https://",
        ),
        (("create_staff", "vera", "V", "N", "--role", "RNN"), "Did you mean “RN”"),
        (("create_staff", "vera", "V", "N"), "at least one role"),
        (("create_staff", "nora", "V", "N", "--role", "RN"), "exists already"),
        (("create_staff", "a b", "V", "N", "--role", "RN"), "valid username"),
        (("create_staff", "vera", "", "N", "--role", "RN"), "cannot be blank"),
        (("create_staff", "vera", "V", "N", "--first"), "administer it already: ruth"),
    ],
)
def test_what_is_not_right_is_said_and_nothing_is_written(
    cast: SimpleNamespace, words: tuple[str, ...], said: str
) -> None:
    before = GroupChange.objects.count(), User.objects.count(), Staff.objects.count()
    with pytest.raises(CommandError, match=said):
        run(*words)
    assert before == (
        GroupChange.objects.count(),
        User.objects.count(),
        Staff.objects.count(),
    )


def test_create_staff_makes_person_account_roles_and_groups(
    cast: SimpleNamespace, client: Any
) -> None:
    said = run(
        "create_staff",
        "Vera.Novak",
        "Vera",
        "Novak",
        "--role",
        "RN",
        "--groups",
        "Patients: North",
        "Printing access",
        "--email",
        "vera@clinic.example",
        "--site",
        "https://clinic.example/",
    )
    vera = Staff.objects.get(user__username="vera.novak")
    assert names(vera) == {*NURSE, "Patients: North", "Printing access"}
    assert vera.user.email == "vera@clinic.example"
    assert not vera.user.has_usable_password()
    link = said.split("https://clinic.example")[1].strip()
    assert client.get(link, follow=True).status_code == 200
    acts = AuditRow.objects.filter(actor_name="manage.py create_staff")
    assert {"account.made", "account.link", "staff.role_added", "staff.grant"} <= set(
        acts.values_list("action", flat=True)
    )


def test_create_staff_without_an_account(cast: SimpleNamespace) -> None:
    said = run("create_staff", "-", "Dora", "Duval", "--role", "MD", "--no-account")
    assert "link" not in said
    assert Staff.objects.get(first_name="Dora").user is None
    with pytest.raises(CommandError, match="nothing to give"):
        run("create_staff", "-", "D", "D", "--no-account", "--groups", "Settings")


@pytest.mark.django_db
def test_the_first_administrator_of_a_new_clinic() -> None:
    run("create_staff", "ruth", "Ruth", "Ohm", "--first", "--groups", "All Patients")
    ruth = Staff.objects.get()
    assert names(ruth) == {"Staff Permissions", "All Patients"}
    assert Role.objects.get().internal_code == "ADM"
    assert not ruth.user.is_superuser
    # The link was lost before it was used, so nobody can sign in yet.
    assert "/account/password/link/" in run("sign_in_link", "ruth")
    ruth.user.set_password("a long enough pass phrase")
    ruth.user.save()
    with pytest.raises(CommandError, match="administer it already: ruth"):
        run("create_staff", "rosa", "Rosa", "R", "--first")


def test_superusers_get_no_link(cast: SimpleNamespace) -> None:
    User.objects.create_superuser("root", "", "x" * 20)
    with pytest.raises(CommandError, match="changepassword root"):
        run("sign_in_link", "root")


def test_a_refused_site_leaves_no_link_on_the_trail(cast: SimpleNamespace) -> None:
    with pytest.raises(CommandError) as refusal:
        run("sign_in_link", "nora", site="clinic.example")
    assert "\n" not in str(refusal.value)
    assert not AuditRow.objects.filter(action="account.link").exists()


def test_a_lost_phone_is_helped_at_the_shell_a_superusers_too(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    root = User.objects.create_superuser("root", "", "x" * 20)
    nora = signed_in("nora")
    for user in (root, cast.nora.user):
        TOTP.activate(user, generate_totp_secret())
        said = run("second_step_off", user.username)
        assert "The password alone signs in" in said.replace("\n", " ")
        row = AuditRow.objects.get(subject=f"user/{user.key}")
        assert row.action == "account.second_step_off"
        assert row.actor_name == "manage.py second_step_off"
    assert not Authenticator.objects.exists()
    assert nora.get("/account/").status_code == 302
