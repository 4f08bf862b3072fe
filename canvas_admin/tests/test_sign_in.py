"""Signing in with name and password, and guessing them."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from axes.models import AccessAttempt
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from canvas_admin.audit.models import AuditRow
from canvas_admin.tests.signing_in import (
    OTHER,
    PASSWORD,
    is_signed_in,
    masked,
    sign_in,
    with_password,
)
from staffing.models import User


@pytest.fixture(autouse=True)
def _no_rate_limit_from_another_test() -> None:
    cache.clear()


@pytest.fixture
def nora(cast: SimpleNamespace) -> User:
    """nora's account, with a password and an e-mail address."""
    return with_password(cast.nora.user)


# Name and password ----------------------------------------------------------------
def test_a_person_signs_in_with_name_and_password(nora: User) -> None:
    answer = sign_in("nora")
    assert answer.status_code == 302
    assert is_signed_in(answer.client)
    assert AuditRow.objects.filter(action="account.sign-in", actor=nora.key).exists()


@pytest.mark.parametrize("typed", ["Nora", "NORA", "  nora "])
def test_the_name_may_be_typed_in_any_case(nora: User, typed: str) -> None:
    assert is_signed_in(sign_in(typed).client)


def test_after_signing_in_the_person_is_where_she_wanted_to_be(nora: User) -> None:
    client = Client()
    page = client.get("/account/sessions/")
    answer = client.post(page["Location"], {"login": "nora", "password": PASSWORD})
    assert answer["Location"] == "/account/sessions/"


def test_the_way_back_leads_nowhere_else(nora: User) -> None:
    client = Client()
    answer = client.post(
        "/account/login/?next=https://elsewhere.example/",
        {"login": "nora", "password": PASSWORD},
    )
    assert answer["Location"] == "/"


def test_a_failed_sign_in_does_not_say_why(cast: SimpleNamespace, nora: User) -> None:
    with_password(cast.ines.user)
    answers = [
        sign_in("nora", OTHER),
        sign_in("nobody", PASSWORD),
        sign_in("ines", PASSWORD),
        sign_in("nil", PASSWORD),
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({masked(answer) for answer in answers}) == 1
    assert "not correct" in answers[0].text
    assert not any(is_signed_in(answer.client) for answer in answers)


def test_a_failed_sign_in_leaves_nothing_typed_in_the_trail(nora: User) -> None:
    sign_in("my password in the wrong field", "x")
    sign_in("nora", OTHER)
    unknown, known = AuditRow.objects.filter(action="account.sign-in").order_by("pk")
    assert unknown.detail == {"user": ""}
    assert known.detail == {"user": nora.key}


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("", ""),
        ("nora\x00", "x"),
        ("n" * 10_000, "x"),
        ("nora", "x\x00"),
        ("é", "x"),
        ("\ufdfa" * 150, "x"),
    ],
)
def test_nonsense_is_refused_and_nothing_breaks(
    nora: User, name: str, password: str
) -> None:
    answer = sign_in(name, password)
    assert answer.status_code == 200
    assert not is_signed_in(answer.client)


def test_a_very_long_password_is_refused(nora: User) -> None:
    assert sign_in("nora", "x" * 10_000).status_code == 200


def test_an_account_without_a_password_cannot_sign_in(cast: SimpleNamespace) -> None:
    cast.nora.user.set_unusable_password()
    cast.nora.user.save()
    assert not is_signed_in(sign_in("nora", "").client)
    assert not is_signed_in(sign_in("nora", cast.nora.user.password).client)


def test_nobody_signs_up(db: None) -> None:
    page = Client().get("/account/signup/")
    assert "Nobody signs up here" in page.text
    Client().post("/account/signup/", {"username": "eve", "password1": PASSWORD})
    assert not User.objects.filter(username="eve").exists()


def test_signing_out_is_confirmed_by_a_form(nora: User) -> None:
    client = sign_in("nora").client
    assert client.get("/account/logout/").status_code == 200
    assert is_signed_in(client)
    answer = client.post("/account/logout/")
    assert answer["Location"] == "/account/login/"
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert not is_signed_in(client)


# Guessing -------------------------------------------------------------------------
def test_five_failures_lock_the_name_at_this_address_for_15_minutes(
    nora: User,
) -> None:
    for _try in range(4):
        assert sign_in("nora", OTHER).status_code == 200
    locked = sign_in("nora", OTHER)
    assert locked.status_code == 429
    assert "15 minutes" in locked.text
    assert sign_in("nora").status_code == 429

    failures_are(timedelta(minutes=14, seconds=50))
    assert sign_in("nora").status_code == 429
    failures_are(timedelta(minutes=15, seconds=10))
    assert is_signed_in(sign_in("nora").client)


def failures_are(old: timedelta) -> None:
    AccessAttempt.objects.update(attempt_time=timezone.now() - old)


def test_trying_while_locked_does_not_prolong_the_wait(nora: User) -> None:
    for _try in range(5):
        sign_in("nora", OTHER)
    failures_are(timedelta(minutes=14))
    assert sign_in("nora", OTHER).status_code == 429
    (kept,) = AccessAttempt.objects.all()
    assert timezone.now() - kept.attempt_time >= timedelta(minutes=14)


def test_what_is_kept_of_a_failure_holds_no_password(nora: User) -> None:
    sign_in("nora", OTHER)
    (kept,) = AccessAttempt.objects.all()
    assert OTHER not in str(vars(kept))


def test_a_locked_attacker_does_not_lock_the_person_out_elsewhere(nora: User) -> None:
    for _try in range(6):
        sign_in("nora", OTHER, REMOTE_ADDR="192.0.2.1")
    assert sign_in("nora", REMOTE_ADDR="192.0.2.1").status_code == 429
    assert is_signed_in(sign_in("nora", REMOTE_ADDR="192.0.2.2").client)


def test_a_clinic_behind_one_address_is_not_locked_with_one_name(
    cast: SimpleNamespace, nora: User
) -> None:
    with_password(cast.sam.user)
    for _try in range(6):
        sign_in("nora", OTHER)
    assert is_signed_in(sign_in("sam").client)


def test_other_spellings_of_a_name_are_no_other_tries(nora: User) -> None:
    for name in ("nora", "Nora", "NORA", " nora", "nOra"):
        answer = sign_in(name, OTHER)
    assert answer.status_code == 429


def test_a_name_that_nobody_has_is_locked_alike(db: None) -> None:
    answers = [sign_in("nobody", OTHER).status_code for _try in range(6)]
    assert answers == [200, 200, 200, 200, 429, 429]


def test_a_success_forgets_the_failures_before_it(nora: User) -> None:
    for _round in range(3):
        for _try in range(4):
            sign_in("nora", OTHER)
        assert is_signed_in(sign_in("nora").client)
