"""What the profile shows besides what can be read there, and to whom."""

from datetime import date

import pytest
from django.urls import reverse

from canvas_admin.testing import give, make_staff
from patients.models import Coverage, PatientGroup
from patients.tests.claims import REVENUE, a_claim

READER = ("Profile read", "Patients: North")


@pytest.fixture
def clinic(cast):
    """ada has a coverage, owes something and is in a group that opens nothing."""
    Coverage.objects.create(
        patient=cast.ada, payer_name="Aetna", member_id="A1", start=date(2020, 1, 1)
    )
    a_claim(cast.ada, "50.00", state="patient-balance")
    PatientGroup.objects.create(name="Diabetes").add(cast.ada)
    PatientGroup.objects.create(name="Asthma").add(cast.ben)
    cast.pat = make_staff("pat", *READER)
    return cast


def page_of(clinic, signed_in):
    return signed_in("pat").get(f"/patient/{clinic.ada.key}/profile/")


def test_a_reader_sees_nothing_to_write_with(clinic, signed_in):
    response = page_of(clinic, signed_in)
    page = response.content.decode()
    assert "Aetna" in page
    assert response.context["edit"] == {}
    for words in ("Run eligibility check", "$50.00", "Diabetes", "Asthma"):
        assert words not in page


def test_a_writer_sees_where_each_part_is_changed(clinic, signed_in):
    give(clinic.pat, "Profile write")
    response = page_of(clinic, signed_in)
    demographics = reverse("patients:demographics", args=[clinic.ada.key])
    assert response.context["edit"]["demographics"] == demographics
    assert "coverages" in response.context["edit"]
    assert "Run eligibility check" in response.content.decode()


def test_what_is_owed_is_for_revenue(clinic, signed_in):
    give(clinic.pat, REVENUE)
    assert "$50.00" in page_of(clinic, signed_in).content.decode()


def test_the_patients_own_groups_are_for_who_administers_them(clinic, signed_in):
    give(clinic.pat, "Staff Permissions")
    page = page_of(clinic, signed_in).content.decode()
    assert "Diabetes" in page
    assert "Asthma" not in page
