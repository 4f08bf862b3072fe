"""Who reaches whom: the table of the cast, asked of every spelling of the question."""

import pytest
from django.contrib.auth.models import AnonymousUser

from patients.decisions import decide
from patients.models import Patient

REACH = {
    "nora": {"ada"},
    "sam": {"ben"},
    "olga": set(),
    "max": {"ada", "ben", "cyn"},
    "ines": set(),
    "nil": set(),
    "ruth": set(),
}


@pytest.mark.parametrize("name", REACH)
def test_each_of_the_cast_reaches_exactly_these(cast, name):
    user = getattr(cast, name).user
    reached = Patient.objects.accessible_to(user)
    expected = {getattr(cast, patient).pk for patient in REACH[name]}
    assert set(reached.values_list("pk", flat=True)) == expected
    for patient in Patient.objects.all():
        inside = patient.pk in expected
        assert decide(user, "access", patient).allowed == inside
        assert user.has_perm("patients.access_patient", patient) == inside


def test_nobody_reaches_nothing(cast):
    assert not Patient.objects.accessible_to(AnonymousUser()).exists()
    assert not decide(AnonymousUser(), "access", cast.ada).allowed


def test_a_decision_takes_two_queries(cast, django_assert_num_queries):
    for name in ("nora", "max", "nil"):
        user = getattr(cast, name).user
        with django_assert_num_queries(2):
            decide(user, "chart", cast.ada)


def test_reasons_name_the_rows_they_rest_on(cast):
    text = " ".join(decide(cast.nora.user, "chart", cast.ada).reasons)
    assert "patient group “North”" in text
    assert "“Patients: North”" in text
    assert "by the role Nurse" in text
    denied = decide(cast.nora.user, "chart", cast.ben)
    assert denied.missing == ("access",)
    assert "in none of them now: “North”" in " ".join(denied.reasons)
