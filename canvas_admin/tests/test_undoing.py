"""What the fuzzing stands on notices what it is there for."""

from pathlib import Path

import pytest

from canvas_admin.audit import ration
from canvas_admin.tests import undoing
from canvas_admin.tests.undoing import undone
from patients.models import Patient


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


def test_what_is_written_is_told_and_undone(cast):
    with undone() as changed:
        Patient.objects.filter(pk=cast.ada.pk).update(gender="other")
    assert changed == {"ChangeEvent", "Patient"}
    cast.ada.refresh_from_db()
    assert cast.ada.gender != "other"


def test_what_is_written_as_it_was_is_no_change(cast):
    with undone() as changed:
        Patient.objects.filter(pk=cast.ada.pk).update(gender=cast.ada.gender)
    assert not changed


def test_a_file_is_told(cast, folder: Path):
    with undone() as changed:
        (folder / "left").touch()
    assert changed == {"files"}


def test_that_something_was_asked_may_stay(cast):
    with undone() as changed:
        assert ration.take(cast.nora.user, "act", 1)
    assert not changed


def test_what_is_late_fails(cast, monkeypatch):
    monkeypatch.setattr(undoing, "SLOW", 0)
    with pytest.raises(AssertionError, match="an answer after"), undone():
        pass
