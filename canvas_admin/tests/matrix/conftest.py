"""The clinic of the matrix, put back for each test."""

import pytest

from canvas_admin.tests.matrix.clinic import Clinic, kept_clinic


@pytest.fixture
def clinic(db, settings, tmp_path, still_clock):
    settings.MEDIA_ROOT = str(tmp_path)
    return Clinic(kept_clinic.put_back())
