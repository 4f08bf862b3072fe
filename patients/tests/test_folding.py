"""Names are compared without regard to case, accents, hyphens and apostrophes."""

from datetime import date

import pytest

from canvas_admin.testing import make_patient
from patients.search.folding import SEPARATOR, fold, sort_key


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Muñoz", "munoz"),
        ("O’Brien", "obrien"),
        ("O'Brien", "obrien"),
        ("Núñez-Sørensen", "nunez sorensen"),
        ("Łukasz Weiß", "lukasz weiss"),
        ("St. John", "st john"),
        ("  ", ""),
    ],
)
def test_fold(name, folded):
    assert fold(name) == folded


def test_a_family_name_sorts_before_a_longer_one_that_begins_with_it():
    keys = [sort_key("Smith Jones", "Ann", "1"), sort_key("Smith", "John", "2")]
    assert sorted(keys)[0] == keys[1]
    assert SEPARATOR < " "


def test_a_name_that_folding_lengthens_many_times_is_saved(db):
    patient = make_patient("装" * 99, "装" * 99, date(1990, 1, 1))
    patient.refresh_from_db()
    assert patient.last_name == "装" * 99
