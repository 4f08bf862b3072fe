"""What is shown besides, and to whom: on the profile, of a visit, of a group, at first."""

from datetime import date

import pytest
from django.urls import reverse

from canvas_admin.testing import give, make_staff
from canvas_admin.tests.programs import Program
from patients.models import Coverage, PatientGroup
from patients.tests.appointments import appoint, furnish_schedule
from patients.tests.claims import REVENUE, a_claim
from patients.tests.notes import note_of

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


def test_the_notes_of_an_appointment_are_for_the_chart(clinic, signed_in):
    furnish_schedule(clinic)
    row = appoint(clinic, clinic.ada)
    note = note_of(clinic.ada, clinic.nora, appointment=row)
    give(clinic.pat, "Clinical read")
    give(clinic.olga, "Patients: North")
    address = f"/patient/{clinic.ada.key}/appointments/{row.key}/"
    assert note.key in signed_in("pat").get(address).content.decode()
    assert note.key not in signed_in("olga").get(address).content.decode()


@pytest.mark.parametrize(("groups", "shown"), [((), False), (READER[:1], True)])
def test_members_of_a_group_are_for_who_may_find_patients(clinic, groups, shown):
    group = PatientGroup.objects.get(name="Diabetes")
    program = Program(
        make_staff("bot", "Staff Permissions", "Patients: North", *groups)
    )
    found = program.read(f"Group/{group.externally_exposable_id}")
    assert ("member" in found) == shown


def test_who_holds_nothing_starts_at_the_own_account(clinic, signed_in):
    assert signed_in("nil").get("/")["Location"] == reverse("staffing:account")
    assert signed_in("pat").get("/")["Location"] == reverse("patients:list")
