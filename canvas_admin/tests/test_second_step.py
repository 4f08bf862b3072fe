"""Signing in with a second step: codes of an authenticator app."""

import re
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.urls import reverse

from canvas_admin.tests.signing_in import (
    OTHER,
    PASSWORD,
    is_signed_in,
    sign_in,
    use_link,
    with_password,
)
from staffing.accounts import one_time_path
from staffing.models import User


@pytest.fixture(autouse=True)
def _no_rate_limit_from_another_test() -> None:
    cache.clear()


@pytest.fixture
def nora(cast: SimpleNamespace) -> User:
    """nora's account, with a password and an e-mail address."""
    return with_password(cast.nora.user)


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
