"""One-time links to start with, and forgotten passwords."""

import re
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from canvas_admin.audit.models import AuditRow
from canvas_admin.tests.signing_in import (
    OTHER,
    PASSWORD,
    is_signed_in,
    letters,
    masked,
    sign_in,
    use_link,
    with_password,
)
from staffing.accounts import LinkTokens, one_time_path
from staffing.models import User


@pytest.fixture(autouse=True)
def _no_rate_limit_from_another_test() -> None:
    cache.clear()


@pytest.fixture
def nora(cast: SimpleNamespace) -> User:
    """nora's account, with a password and an e-mail address."""
    return with_password(cast.nora.user)


# One-time links -------------------------------------------------------------------
def test_a_new_account_starts_with_a_link(cast: SimpleNamespace) -> None:
    cast.nora.user.set_unusable_password()
    cast.nora.user.save()
    answer = use_link(one_time_path(cast.nora.user))
    assert "Your password is saved" in answer.text
    assert is_signed_in(sign_in("nora").client)
    assert AuditRow.objects.filter(action="account.password").exists()


def test_choosing_a_password_signs_nobody_in(nora: User) -> None:
    assert not is_signed_in(use_link(one_time_path(nora), OTHER).client)


def test_a_link_works_once(nora: User) -> None:
    path = one_time_path(nora)
    use_link(path, OTHER)
    answer = use_link(path, PASSWORD)
    assert "no longer valid" in answer.text
    assert not is_signed_in(sign_in("nora", PASSWORD).client)


@pytest.mark.parametrize(
    ("age", "works"),
    [(timedelta(hours=23, minutes=59), True), (timedelta(hours=24, minutes=1), False)],
)
def test_a_link_works_for_24_hours(
    nora: User, monkeypatch: pytest.MonkeyPatch, age: timedelta, works: bool
) -> None:
    path = one_time_path(nora)
    monkeypatch.setattr(LinkTokens, "_now", lambda self: datetime.now() + age)
    assert ("Your password is saved" in use_link(path, OTHER).text) is works


def test_a_link_dies_with_the_account(cast: SimpleNamespace, nora: User) -> None:
    path = one_time_path(nora)
    cast.nora.active = False
    cast.nora.save()
    assert "no longer valid" in use_link(path, OTHER).text
    nora.refresh_from_db()
    assert nora.check_password(PASSWORD)


def test_a_link_stays_dead_when_the_account_is_switched_on_again(
    cast: SimpleNamespace, nora: User
) -> None:
    path = one_time_path(nora)
    for active in (False, True):
        cast.nora.active = active
        cast.nora.save()
    assert "no longer valid" in use_link(path, OTHER).text


def test_a_link_dies_between_opening_and_saving_too(
    cast: SimpleNamespace, nora: User
) -> None:
    client = Client()
    form = client.get(one_time_path(nora)).headers["Location"]
    cast.nora.active = False
    cast.nora.save()
    client.post(form, {"password1": OTHER, "password2": OTHER})
    nora.refresh_from_db()
    assert nora.check_password(PASSWORD)


def test_a_link_to_an_inactive_account_is_dead(cast: SimpleNamespace) -> None:
    assert "no longer valid" in use_link(one_time_path(cast.ines.user)).text


@pytest.mark.parametrize(
    "path", ["0-x", "zz-set-password", f"{'0' * 32}-x-y", f"{'a' * 5000}-b"]
)
def test_a_forged_link_says_what_to_do(db: None, path: str) -> None:
    answer = Client().get(f"/account/password/link/{path}/")
    assert answer.status_code == 200
    assert "no longer valid" in answer.text
    assert reverse("account_reset_password") in answer.text


def test_a_link_holds_no_integer_id_and_leaves_the_address(nora: User) -> None:
    path = one_time_path(nora)
    assert nora.key in path
    answer = Client().get(path)
    assert answer["Location"].endswith("-set-password/")


@pytest.mark.parametrize("short", ["short", "fourteen chars", "yfdbufnjh10305070"])
def test_a_password_has_15_characters_and_is_not_a_common_one(
    nora: User, short: str
) -> None:
    assert "Your password is saved" not in use_link(one_time_path(nora), short).text
    nora.refresh_from_db()
    assert nora.check_password(PASSWORD)


# Forgotten passwords --------------------------------------------------------------
def forgotten(address: str) -> Any:
    return Client().post("/account/password/reset/", {"email": address}, follow=True)


def test_a_forgotten_password_is_replaced_by_mail(nora: User) -> None:
    forgotten("Nora@Clinic.example")
    (letter,) = letters(1)
    assert letter.to == ["nora@clinic.example"]
    path = re.search(r"http://testserver(/\S+)", letter.body).group(1)
    use_link(path, OTHER)
    assert is_signed_in(sign_in("nora", OTHER).client)


def test_nobody_learns_whether_an_address_has_an_account(
    cast: SimpleNamespace, nora: User
) -> None:
    with_password(cast.ines.user)
    answers = [
        forgotten("nora@clinic.example"),
        forgotten("nobody@clinic.example"),
        forgotten("ines@clinic.example"),
    ]
    assert len({masked(answer) for answer in answers}) == 1
    assert len({tuple(answer.redirect_chain) for answer in answers}) == 1
    assert [letter.to for letter in letters(1)] == [["nora@clinic.example"]]


@pytest.mark.parametrize(
    "backend",
    [
        "django.core.mail.backends.dummy.EmailBackend",
        "django.core.mail.backends.smtp.EmailBackend",
    ],
)
def test_without_working_mail_the_answer_is_the_same(
    nora: User, settings: Any, backend: str
) -> None:
    settings.EMAIL_BACKEND = backend
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    known, unknown = forgotten("nora@clinic.example"), forgotten("who@clinic.example")
    assert known.status_code == unknown.status_code == 200
    assert masked(known) == masked(unknown)


@pytest.mark.parametrize(
    "address", ["", "no address", "a\x00b@c.example", "a" * 10_000]
)
def test_an_address_that_is_none_is_refused(db: None, address: str) -> None:
    answer = forgotten(address)
    assert answer.status_code == 200
    assert not answer.redirect_chain
