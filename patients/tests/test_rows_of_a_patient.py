"""Rows are one patient's, and only within reach, wherever they are looked for.

The gate in front of the pages asks for reach already; here the rows are asked without it.
"""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from canvas_admin.testing import give, make_staff
from canvas_admin.tests.programs import Program
from patients import access, gate
from patients.forms.booking import BookingForm
from patients.models import (
    Appointment,
    CareTeamMembership,
    Claim,
    Condition,
    Note,
    Patient,
    PatientGroup,
)
from patients.revenue import claiming, statements
from patients.tests.appointments import appoint, furnish_schedule
from patients.tests.claims import REVENUE, a_claim, base
from patients.tests.notes import note_of
from patients.tests.test_claims_of_notes import a_signed_note
from patients.tests.test_exclusions import exclude
from patients.views.care_team import care_team
from staffing.models import CareTeamRole


@pytest.fixture
def clinic(cast):
    """ada is within pat's reach, and dora; ben is not. Each has a row of these."""
    furnish_schedule(cast)
    cast.pat = make_staff(
        "pat", "Profile read", "Clinical read", REVENUE, "Patients: North"
    )
    cast.dora = Patient.objects.create(
        first_name="Dora", last_name="Dorn", birth_date="1970-01-02"
    )
    cast.north.add(cast.dora)
    role = CareTeamRole.objects.create(code="x3", display="Coach")
    for patient in (cast.ada, cast.dora, cast.ben):
        Condition.objects.create(
            patient=patient, display=f"Of {patient.last_name}", clinical_status="active"
        )
        note_of(patient, cast.nora)
        CareTeamMembership.objects.create(patient=patient, staff=cast.olga, role=role)
        a_claim(patient, "5.00")
    return cast


def reach_of(staff):
    return access.Reach.of(staff.user)


@pytest.mark.parametrize("model", [Condition, Note])
def test_a_chart_holds_the_patients_rows_within_reach(clinic, model):
    def patients(patient):
        rows = model.objects.in_chart_of(patient, reach_of(clinic.pat))
        return [row.patient for row in rows]

    assert patients(clinic.ada) == [clinic.ada]
    assert patients(clinic.ben) == []


def test_a_care_team_is_the_patients_within_reach(clinic):
    (row,) = care_team(reach_of(clinic.pat), clinic.ada)
    assert row.patient == clinic.ada
    assert care_team(reach_of(clinic.pat), clinic.ben) == []


def test_a_statement_has_claims_within_reach_alone(clinic):
    asked = [clinic.ada, clinic.ben]
    own, other = statements.statements_of(asked, reach_of(clinic.pat))
    assert [claim.patient for claim in own.claims] == [clinic.ada]
    assert other.claims == []


@pytest.fixture
def open_gate(monkeypatch):
    """The gate forgets reach."""
    monkeypatch.setattr(
        gate, "find_patient", lambda request, key: Patient.objects.get(key=key)
    )


@pytest.mark.usefixtures("open_gate")
def test_the_pages_ask_once_more(clinic, signed_in):
    client = signed_in("pat")
    for patient, shown in ((clinic.ada, True), (clinic.ben, False)):
        page = client.get(f"/patient/{patient.key}/").content.decode()
        assert (f"Of {patient.last_name}" in page) == shown
        claim = Claim.objects.get(patient=patient)
        assert client.get(base(patient, claim)).status_code == (200 if shown else 403)


@pytest.mark.usefixtures("open_gate")
def test_no_claim_is_made_from_a_note_out_of_reach(clinic, signed_in):
    for patient, status in ((clinic.ada, 200), (clinic.ben, 403)):
        note = a_signed_note(clinic, patient=patient)
        address = f"{base(patient)}new/{note.key}/"
        assert signed_in("pat").get(address).status_code == status


def test_a_claim_is_of_the_patient_in_its_address(clinic, signed_in):
    """Also where both are within reach."""
    claim = Claim.objects.get(patient=clinic.dora)
    client = signed_in("pat")
    assert client.get(base(clinic.dora, claim)).status_code == 200
    assert client.get(base(clinic.ada, claim)).status_code == 403


def test_a_claim_has_the_diagnoses_of_its_own_note(clinic):
    note = a_signed_note(clinic, ("i10", "Hypertension"), ("E119", "A draft"))
    a_signed_note(clinic, ("J45", "Asthma"), ("J46", "Asthma"), ("J47", "Asthma"))
    assert [code for code, _words in claiming.codes_in(note)][:1] == ["I10"]
    assert not {"J45", "J46", "J47"} & {
        code for code, _words in claiming.codes_in(note)
    }


def test_the_care_team_that_is_offered_first_is_the_patients(clinic):
    role = CareTeamRole.objects.create(code="x4", display="Doctor")
    CareTeamMembership.objects.create(
        patient=clinic.ada, staff=clinic.sam, role=role, lead=True
    )

    def offered(patient):
        form = BookingForm(patient=patient, actor=clinic.nora.user)
        return dict(form.fields["provider"].choices[1:]).get("Care team", [])

    assert [key for key, _name in offered(clinic.ada)] == [clinic.sam.key]
    assert offered(clinic.dora) == []


def test_the_notes_of_an_appointment_are_for_the_chart(clinic, signed_in):
    row = appoint(clinic, clinic.ada, start=datetime(2030, 1, 3, 15, tzinfo=UTC))
    Note.objects.filter(patient=clinic.ada).update(appointment=row)
    give(clinic.olga, "Patients: North")
    address = f"/patient/{clinic.ada.key}/appointments/{row.key}/"
    note = Note.objects.get(patient=clinic.ada)
    assert note.key in signed_in("pat").get(address).content.decode()
    assert note.key not in signed_in("olga").get(address).content.decode()
    assert Appointment.objects.get() == row


def test_members_of_a_group_are_for_who_may_find_patients(clinic):
    group = PatientGroup.objects.create(name="Diabetes")
    group.add(clinic.ada)
    path = f"Group/{group.externally_exposable_id}"
    for groups, shown in (((), False), (("Profile read",), True)):
        staff = make_staff(
            f"bot{shown}", "Staff Permissions", "Patients: North", *groups
        )
        assert ("member" in Program(staff).read(path)) == shown


def test_one_exclusion_is_in_nobody_elses_way(clinic, signed_in):
    client = signed_in("ruth")
    for patient in (clinic.ada, clinic.ben):
        assert exclude(client, clinic, patient).status_code == 302
    assert clinic.north.exclusions.count() == 2


def test_who_holds_nothing_starts_at_the_own_account(clinic, signed_in):
    assert signed_in("nil").get("/")["Location"] == reverse("staffing:account")
    assert signed_in("pat").get("/")["Location"] == reverse("patients:list")
