"""Accounts in the administration: the address, and the one-time link."""

from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from canvas_admin.audit.models import AuditRow
from canvas_admin.records.addresses import address
from canvas_admin.testing import make_staff
from staffing.accounts import LinkTokens
from staffing.forms.accounts import AccountForm
from staffing.models import Staff, User
from staffing.tests.pages import errors_of, fields_of, history_of, submit

LIST = "/admin/staffing/user/"
PASSWORD = "a long enough pass phrase"
OFF = "Switch off the second step"


def link_page(user: User) -> str:
    return f"{LIST}{user.key}/link/"


def test_the_address_is_changed_and_recorded(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    url = address(cast.nora.user)
    submit(signed_in("ruth"), url, "user_form", email="nora@clinic.example")
    cast.nora.user.refresh_from_db()
    assert cast.nora.user.email == "nora@clinic.example"
    row = AuditRow.objects.get(action="account.address")
    assert row.actor == cast.ruth.user.key
    assert row.subject == f"user/{cast.nora.user.key}"
    assert row.detail == {"was": "", "now": "nora@clinic.example"}


def test_two_tabs_are_shown_both_addresses(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth, url = signed_in("ruth"), address(cast.nora.user)
    data = fields_of(ruth.get(url), "user_form")
    submit(ruth, url, "user_form", email="first@clinic.example")
    refused = ruth.post(url, data | {"email": "second@clinic.example"})
    assert "first@clinic.example" in errors_of(refused)
    assert "second@clinic.example" in errors_of(refused)
    cast.nora.user.refresh_from_db()
    assert cast.nora.user.email == "first@clinic.example"
    ruth.post(url, fields_of(refused, "user_form"))
    cast.nora.user.refresh_from_db()
    assert cast.nora.user.email == "second@clinic.example"


def test_saving_writes_back_nothing_but_the_address(
    cast: SimpleNamespace, signed_in: Any, monkeypatch: Any
) -> None:
    """A password chosen, or an account switched off, at the same moment stays."""
    checked = AccountForm.clean

    def meanwhile(form: AccountForm) -> Any:
        rows = User.objects.filter(pk=form.instance.pk)
        rows.update(password="!", is_active=False)
        return checked(form)

    monkeypatch.setattr(AccountForm, "clean", meanwhile)
    url = address(cast.nora.user)
    submit(signed_in("ruth"), url, "user_form", email="nora@clinic.example")
    cast.nora.user.refresh_from_db()
    assert cast.nora.user.email == "nora@clinic.example"
    assert cast.nora.user.password == "!"
    assert not cast.nora.user.is_active


@pytest.mark.parametrize("email", ["no address", "a\x00@b.example", "x" * 10_000])
def test_a_bad_address_is_said(
    cast: SimpleNamespace, signed_in: Any, email: str
) -> None:
    answer = submit(
        signed_in("ruth"), address(cast.nora.user), "user_form", email=email
    )
    assert errors_of(answer)
    cast.nora.user.refresh_from_db()
    assert cast.nora.user.email == ""


def test_a_link_is_asked_for_shown_once_and_recorded(
    cast: SimpleNamespace, signed_in: Any, client: Any
) -> None:
    ruth = signed_in("ruth")
    asked = ruth.get(link_page(cast.nora.user)).content.decode()
    assert "/account/password/link/" not in asked
    assert not AuditRow.objects.filter(action="account.link").exists()
    shown = ruth.post(link_page(cast.nora.user))
    link = fields_of_area(shown.content.decode())
    assert shown["Cache-Control"] == "no-store"
    row = AuditRow.objects.get(action="account.link")
    assert row.subject == f"user/{cast.nora.user.key}"
    form = client.get(link, follow=True)
    assert form.status_code == 200
    chosen = {"password1": PASSWORD, "password2": PASSWORD}
    client.post(form.redirect_chain[-1][0], chosen)
    cast.nora.user.refresh_from_db()
    assert cast.nora.user.check_password(PASSWORD)
    assert history_of(ruth, cast.nora.user) == ["A sign-in link was made."]
    about = AuditRow.objects.filter(subject=row.subject, actor=cast.ruth.user.key)
    assert list(about.values_list("action", flat=True)) == ["account.link"]


def fields_of_area(html: str) -> str:
    """The text of the page's text area."""
    return html.partition("<textarea")[2].partition(">")[2].partition("<")[0].strip()


def test_no_link_for_oneself_the_inactive_or_accounts_of_nobody(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    walk_in = User.objects.create_user("walk.in")
    ruth = signed_in("ruth")
    for user in (cast.ruth.user, cast.ines.user, walk_in):
        assert ruth.get(link_page(user)).status_code == 403
        assert ruth.post(link_page(user)).status_code == 403
    missing = f"{LIST}{'0' * 32}/link/"
    assert ruth.post(missing).status_code == 403
    assert not AuditRow.objects.filter(action="account.link").exists()


# The second step ---------------------------------------------------------------------


def off_page(user: User) -> str:
    return f"{LIST}{user.key}/second-step-off/"


def with_second_step(user: User) -> User:
    """The account, with an authenticator app and recovery codes."""
    TOTP.activate(user, generate_totp_secret())
    RecoveryCodes.activate(user)
    return user


def test_a_lost_phone_locks_nobody_out(cast: SimpleNamespace, signed_in: Any) -> None:
    nora_user = with_second_step(cast.nora.user)
    link = LinkTokens().make_token(nora_user)
    ruth, nora = signed_in("ruth"), signed_in("nora")
    assert off_page(nora_user) in ruth.get(address(nora_user)).text
    asked = ruth.get(off_page(nora_user)).text
    assert "The password alone signs in" in asked
    assert Authenticator.objects.filter(user=nora_user).count() == 2
    assert nora.get("/account/").status_code == 200
    done = ruth.post(off_page(nora_user), follow=True).text
    assert "the password alone signs in" in done
    assert not Authenticator.objects.filter(user=nora_user).exists()
    assert nora.get("/account/").status_code == 302
    nora_user.refresh_from_db()
    assert not LinkTokens().check_token(nora_user, link)
    rows = AuditRow.objects.filter(subject=f"user/{nora_user.key}")
    assert list(rows.values_list("action", "actor")) == [
        ("account.second_step_off", cast.ruth.user.key)
    ]
    assert history_of(ruth, nora_user) == ["The second step was switched off."]


def test_what_is_off_is_not_switched_off_again(
    cast: SimpleNamespace, signed_in: Any
) -> None:
    ruth, nora = signed_in("ruth"), signed_in("nora")
    assert OFF not in ruth.get(address(cast.nora.user)).text
    said = ruth.post(off_page(cast.nora.user), follow=True).text
    assert "nora has no second step." in said
    assert nora.get("/account/").status_code == 200
    assert not AuditRow.objects.filter(action="account.second_step_off").exists()
    assert history_of(ruth, cast.nora.user) == []
    history = ruth.get(address(cast.nora.user, page="history")).text
    assert "Nobody has changed this on its page of the administration yet." in history


WHO_SWITCHES_OFF_WHOSE = [
    # who, whose, allowed
    ("ruth", "nora", True),
    ("ruth", "ruth", False),
    ("ruth", "ines", False),
    ("ruth", "boss", False),
    ("boss", "boss", False),
    ("boss", "nora", True),
    ("sue", "nora", False),
    ("nora", "nora", False),
    ("max", "nora", False),
    (None, "nora", False),
]


@pytest.mark.parametrize(("who", "whose", "allowed"), WHO_SWITCHES_OFF_WHOSE)
def test_the_second_step_is_switched_off_for_living_accounts_of_others(
    cast: SimpleNamespace, signed_in: Any, who: str | None, whose: str, allowed: bool
) -> None:
    cast.sue = make_staff("sue", "Settings")
    root = User.objects.create_superuser("boss", "", "x" * 20)
    cast.boss = Staff.objects.create(user=root, first_name="Bo", last_name="Ss")
    user = with_second_step(getattr(cast, whose).user)
    client = signed_in(who)
    offered = f"{OFF}</a>" in client.get(address(user)).text
    asked = client.get(off_page(user)).status_code
    client.post(off_page(user))
    gone = not Authenticator.objects.filter(user=user).exists()
    assert (offered, asked == 200, gone) == (allowed, allowed, allowed)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "nora"}, {"nora"}),
        ({"q": "Ruth Example"}, {"ruth"}),
        ({"is_active__exact": "0"}, {"ines"}),
        ({"staff": "no"}, {"walk.in"}),
    ],
)
def test_accounts_are_found_by_name_state_and_person(
    cast: SimpleNamespace, signed_in: Any, query: dict[str, str], found: set[str]
) -> None:
    User.objects.create_user("walk.in")
    rows = signed_in("ruth").get(LIST, query).context["cl"].result_list
    assert {user.username for user in rows} == found
