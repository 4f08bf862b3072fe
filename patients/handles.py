"""Opaque handles: how a form names a patient to somebody who may not learn the key.

The pages of administration (security A8 and A10) and "Request access" (A5) name
patients out of reach. A signature alone would show the key, so a handle is encrypted;
its cipher key belongs to one account and one purpose, so that no page tells what another
leaves out, and it opens nothing after 15 minutes.
"""

import base64
from datetime import timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.utils.crypto import salted_hmac

from canvas_admin.records import clock
from patients.models import Patient

# What a handle is for: choosing a found patient (A8), a patient nobody can open (A10), a
# grey row of "See all patients" (A5), stranded work (A10) and where a list of it goes on.
PICK = "pick"
WORK = "work"
WORK_FROM = "work-from"
UNREACHABLE = "unreachable"
REQUEST = "request-access"

VALID = timedelta(minutes=15)
LONGEST = 300


def seal(user: Any, patient: Patient, purpose: str) -> str:
    """A handle of this patient for this account and purpose; never twice alike."""
    return seal_text(user, patient.key, purpose)


def seal_text(user: Any, text: str, purpose: str) -> str:
    """A handle of something else that a page must not tell."""
    moment = int(clock.now().timestamp())
    return _cipher(user, purpose).encrypt_at_time(text.encode(), moment).decode()


def unseal(user: Any, handle: str, purpose: str) -> Patient | None:
    """The patient that a handle names; None for an old, altered or foreign one.

    Foreign is another account's, and one that was made for another purpose.
    Having a handle is no right: what may be done with the patient is asked afterwards.
    """
    key = unseal_text(user, handle, purpose)
    return Patient.objects.filter(key=key).first() if key else None


def unseal_text(user: Any, handle: str, purpose: str) -> str:
    """The text in a handle; "" for an old, altered or foreign one."""
    if len(handle) > LONGEST or not handle.isascii():
        return ""
    moment = int(clock.now().timestamp())
    lifetime = int(VALID.total_seconds())
    try:
        text = _cipher(user, purpose).decrypt_at_time(handle.encode(), lifetime, moment)
    except InvalidToken:
        return ""
    return text.decode()


def _cipher(user: Any, purpose: str) -> Fernet:
    salt = f"patients.handles.{purpose}"
    secret = salted_hmac(salt, user.key, algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(secret))
