"""Signing in, one-time links, forgotten passwords and the second step."""

import re
import time
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from axes.models import AccessAttempt
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from canvas_admin.audit.models import AuditRow
from staffing.accounts import LinkTokens, one_time_path
from staffing.models import User

PASSWORD = "a sentence nobody else says"
OTHER = "another sentence for another day"


@pytest.fixture(autouse=True)
def _no_rate_limit_from_another_test() -> None:
    cache.clear()


@pytest.fixture
def nora(cast: SimpleNamespace) -> User:
    """nora's account, with a password and an e-mail address."""
    return with_password(cast.nora.user)


def with_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.email = f"{user.username}@clinic.example"
    user.save()
    return user


def sign_in(name: str, password: str = PASSWORD, **extra: Any) -> Any:
    """The answer to a sign-in, and its client as `.client`."""
    client = Client(**extra)
    answer = client.post("/account/login/", {"login": name, "password": password})
    answer.client = client
    return answer


def is_signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def masked(answer: Any) -> str:
    """The page, without what differs between any two answers."""
    page = re.sub(r'(csrfmiddlewaretoken" value=")[^"]*', r"\1", answer.text)
    return re.sub(r'(name="login" value=")[^"]*', r"\1", page)


# Name and password ------------------------------------------------------------------


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
    [("", ""), ("nora\x00", "x"), ("n" * 10_000, "x"), ("nora", "x\x00"), ("é", "x")],
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


# Guessing ---------------------------------------------------------------------------


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


# One-time links ---------------------------------------------------------------------


def use_link(path: str, password: str = PASSWORD) -> Any:
    """Open a one-time link and choose a password; the last answer."""
    client = Client()
    page = client.get(path, follow=True)
    form = page.redirect_chain[-1][0] if page.redirect_chain else path
    return client.post(
        form, {"password1": password, "password2": password}, follow=True
    )


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


# Forgotten passwords ----------------------------------------------------------------


def forgotten(address: str) -> Any:
    return Client().post("/account/password/reset/", {"email": address}, follow=True)


def letters(number: int) -> list[Any]:
    """The letters sent, once there are so many; they leave in threads of their own."""
    until = time.monotonic() + 5
    while len(mail.outbox) < number and time.monotonic() < until:
        time.sleep(0.01)
    return list(mail.outbox)


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


# The second step --------------------------------------------------------------------


@pytest.fixture
def secret(nora: User) -> str:
    """The key in nora's authenticator app, switched on."""
    found = totp.generate_totp_secret()
    totp.TOTP.activate(nora, found)
    return found


def code_of(secret: str) -> str:
    _before, counter, _after = totp.yield_hotp_counters_from_time()
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


def test_the_second_step_asks_for_a_code(nora: User, secret: str) -> None:
    answer = sign_in("nora")
    assert answer["Location"] == reverse("mfa_authenticate")
    assert not is_signed_in(answer.client)
    answer.client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert is_signed_in(answer.client)


def test_a_code_is_good_once(nora: User, secret: str) -> None:
    code = code_of(secret)
    first, second = sign_in("nora").client, sign_in("nora").client
    first.post(reverse("mfa_authenticate"), {"code": code})
    cache.clear()
    second.post(reverse("mfa_authenticate"), {"code": code})
    assert is_signed_in(first)
    assert not is_signed_in(second)


def test_codes_cannot_be_guessed_by_trying(nora: User, secret: str) -> None:
    client = sign_in("nora").client
    for _try in range(20):
        client.post(reverse("mfa_authenticate"), {"code": "000000"})
    cache.clear()
    answer = client.post(reverse("mfa_authenticate"), {"code": code_of(secret)})
    assert "Too many codes" in answer.text
    assert not is_signed_in(client)


def test_the_secret_is_not_stored_in_the_clear(nora: User, secret: str) -> None:
    assert secret not in str(Authenticator.objects.get(user=nora).data)


def test_a_new_password_leaves_the_second_step(nora: User, secret: str) -> None:
    use_link(one_time_path(nora), OTHER)
    assert sign_in("nora", OTHER)["Location"] == reverse("mfa_authenticate")


def test_setting_the_second_step_up_asks_for_the_password_again(nora: User) -> None:
    client = sign_in("nora").client
    answer = client.get(reverse("mfa_activate_totp"))
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    client.post(answer["Location"], {"password": PASSWORD})
    page = client.get(reverse("mfa_activate_totp"))
    assert "data:image/svg+xml;base64," in page.text
    key = re.search(r"<code>(\w+)</code>", page.text).group(1)
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_of(key)})
    codes = client.get(answer["Location"])
    assert codes.text.count("<li><code>") == 10
    assert sign_in("nora")["Location"] == reverse("mfa_authenticate")
