"""Handles name a patient to one account for 15 minutes, and show nothing."""

import base64
from datetime import timedelta

import pytest
from django.utils import timezone

from canvas_admin.records import clock
from patients import handles


@pytest.fixture
def later(monkeypatch):
    """later(minutes): as if so many minutes had gone by."""

    def set_clock(minutes):
        moment = timezone.now() + timedelta(minutes=minutes)
        monkeypatch.setattr(clock, "now", lambda: moment)

    return set_clock


def test_a_handle_names_its_patient(cast):
    handle = handles.seal(cast.ruth.user, cast.ben, handles.PICK)
    assert handles.unseal(cast.ruth.user, handle, handles.PICK) == cast.ben


def test_a_handle_shows_no_key(cast):
    handle = handles.seal(cast.ruth.user, cast.ben, handles.PICK)
    raw = base64.urlsafe_b64decode(handle)
    for secret in (cast.ben.key, cast.ruth.user.key, cast.ben.mrn):
        assert secret not in handle
        assert secret.encode() not in raw
    assert bytes.fromhex(cast.ben.key) not in raw
    assert handle != handles.seal(cast.ruth.user, cast.ben, handles.PICK)


def test_another_accounts_handle_is_none(cast):
    handle = handles.seal(cast.ruth.user, cast.ben, handles.PICK)
    assert handles.unseal(cast.nora.user, handle, handles.PICK) is None


def test_a_handle_for_another_purpose_is_none(cast):
    """What A10 shows without a name cannot be taken to a page that shows names."""
    handle = handles.seal(cast.ruth.user, cast.ben, handles.UNREACHABLE)
    assert handles.unseal(cast.ruth.user, handle, handles.PICK) is None


def test_a_handle_ends_after_fifteen_minutes(cast, later):
    handle = handles.seal(cast.ruth.user, cast.ben, handles.PICK)
    later(14)
    assert handles.unseal(cast.ruth.user, handle, handles.PICK) == cast.ben
    later(16)
    assert handles.unseal(cast.ruth.user, handle, handles.PICK) is None


def test_an_altered_handle_is_none(cast):
    handle = handles.seal(cast.ruth.user, cast.ben, handles.PICK)
    for position in range(0, len(handle) - 2, 7):
        letter = "A" if handle[position] != "A" else "B"
        altered = handle[:position] + letter + handle[position + 1 :]
        assert handles.unseal(cast.ruth.user, altered, handles.PICK) is None


@pytest.mark.parametrize(
    "text", ["", "x", "\x00", "é", "\ud800", "=" * 140, "A" * 10_000, "../1", "%00"]
)
def test_no_other_text_is_a_handle(cast, text):
    assert handles.unseal(cast.ruth.user, text, handles.PICK) is None


def test_a_patients_key_is_no_handle(cast):
    assert handles.unseal(cast.ruth.user, cast.ben.key, handles.PICK) is None
