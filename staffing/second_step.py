"""The second step of signing in: codes of an authenticator app, counted and kept."""

import base64
import hashlib
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from canvas_admin.audit import ration, trail
from staffing.models import User

# Six digits stand against guessing only as long as few guesses are possible.
CODES_PER_HOUR = 20


class SecondStep(DefaultMFAAdapter):
    """Secrets are encrypted with a key from SECRET_KEY; fallbacks still decrypt."""

    def get_totp_label(self, user: User) -> str:
        return user.username

    def encrypt(self, text: str) -> str:
        return _keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _keys().decrypt(encrypted_text.encode()).decode()


class Rationed:
    """A form for a code: only so many are tried in an hour, and each is good once.

    Both are counted in the database, for all processes together.
    """

    def clean_code(self) -> str:
        if not ration.take(self.user, "second-step", CODES_PER_HOUR):
            raise ValidationError(_("Too many codes were tried. Wait an hour."))
        code = super().clean_code()
        if not ration.take(self.user, f"code {code.strip()}"[:32], 1):
            raise ValidationError(_("This code was used before. Wait for the next."))
        return code


class CodeForm(Rationed, AuthenticateForm):
    """The code at sign-in."""


class CodeAgainForm(Rationed, ReauthenticateForm):
    """The code that confirms who is there, before sign-in settings change."""


def has_second_step(user: User) -> bool:
    """Whether signing in to this account asks for a code."""
    return Authenticator.objects.filter(user=user).exists()


@transaction.atomic
def switch_off(user: User, by: Any, request: HttpRequest | None = None) -> bool:
    """Take an account's second step away; False when it has none.

    For somebody whose phone is lost: the password alone signs in until the person sets
    up a second step again. Every session ends, and every one-time link. `by` is an
    account or a trail.Command.
    """
    gone, _rows = Authenticator.objects.filter(user=user).delete()
    if gone:
        user.end_sessions()
        trail.done(
            by, "account.second_step_off", request=request, subject=f"user/{user.key}"
        )
    return bool(gone)


def _keys() -> MultiFernet:
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key_from(secret)) for secret in secrets])


def _key_from(secret: str) -> bytes:
    digest = hashlib.sha256(b"staffing.second_step:" + secret.encode()).digest()
    return base64.urlsafe_b64encode(digest)
