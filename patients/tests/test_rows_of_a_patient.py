"""Rows are one patient's, and only within reach, wherever they are looked for.

The gate in front of the pages asks for reach already; here the rows are asked without it.
"""

import random
from datetime import date
from types import SimpleNamespace

import pytest
from django.test import RequestFactory

from canvas_admin.testing import make_patient, make_staff
from canvas_admin.tests.addresses import furnish
from canvas_admin.tests.test_noninterference import fill_the_chart, link_everything
from patients import access
from patients.forms.booking import BookingForm
from patients.models import (
    AccessRequest,
    CareTeamMembership,
    Condition,
    LabReport,
    Note,
    Observation,
)
from patients.revenue import claiming, statements
from patients.tests.appointments import furnish_schedule
from patients.tests.claims import REVENUE, a_claim
from patients.tests.notes import note_of
from patients.tests.test_claims_of_notes import a_signed_note
from patients.tests.work import make_lab
from patients.views.care_team import care_team
from patients.views.profile.sections import SECTIONS
from patients.views.request_access import _earlier
from patients.views.results import KINDS
from staffing.models import CareTeamRole


def with_rows(cast):
    """ada is within pat's reach, and dora; ben is not. Each has a row of these."""
    furnish_schedule(cast)
    cast.pat = make_staff(
        "pat", "Profile read", "Clinical read", REVENUE, "Patients: North"
    )
    cast.dora = make_patient("Dora", "Dorn", date(1970, 1, 2))
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


@pytest.fixture
def clinic(cast):
    return with_rows(cast)


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


@pytest.fixture
def linked(cast):
    """A row of everything for each of the three, as non-interference makes them."""
    furnish(cast)
    cast.dora = make_patient("Dora", "Dorn", date(1970, 1, 2))
    cast.north.add(cast.dora)
    cast.pat = make_staff("pat", "Patients: North")
    fill_the_chart(cast.ada, "Own")
    for patient in (cast.dora, cast.ben):
        link_everything(random.Random(1), cast, "pat", patient)
    return cast


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_results_are_the_patients_within_reach(linked, kind):
    reach = reach_of(linked.pat)
    assert {row.patient for row in kind.rows(linked.ada, reach)} == {linked.ada}
    assert not kind.rows(linked.ben, reach)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.code)
def test_a_section_of_the_profile_is_the_patients_within_reach(linked, section):
    reach = reach_of(linked.pat)
    assert {row.patient for row in section.rows(reach, linked.ada)} == {linked.ada}
    assert not section.rows(reach, linked.ben)


def test_a_value_that_is_anothers_is_in_no_report(clinic):
    """Though it says that it belongs to the report: then one of both is wrong."""
    reach, report = reach_of(clinic.pat), make_lab(clinic.ada)
    for patient in (clinic.ada, clinic.dora, clinic.ben):
        Observation.objects.create(patient=patient, report=report, display="Iron")
    (shown,) = KINDS["labs"].rows(clinic.ada, reach)
    assert [value.patient for value in shown.values.all()] == [clinic.ada]


def test_an_earlier_request_is_ones_own_for_this_patient(clinic):
    def asks(staff, patient):
        return AccessRequest.objects.create(
            staff=staff, patient=patient, reason="Covers South."
        )

    others, elsewhere = asks(clinic.nora, clinic.ben), asks(clinic.pat, clinic.cyn)
    request = RequestFactory().get("/")
    request.user = clinic.pat.user
    assert _earlier(request, clinic.ben, others.key) is None
    own = asks(clinic.pat, clinic.ben)
    assert _earlier(request, clinic.ben, "") == own != elsewhere


def test_a_claim_has_the_diagnoses_of_its_own_note(clinic):
    note = a_signed_note(clinic, ("i10", "Hypertension"), ("E119", "Diabetes"))
    a_signed_note(clinic, ("J45", "Asthma"))
    assert [code for code, _words in claiming.codes_in(note)] == ["I10", "E11.9"]


def test_values_are_narrowed_though_the_report_is_not(clinic, monkeypatch):
    """Reports are everybody's here."""
    rows = SimpleNamespace(
        in_chart_of=lambda patient, account: LabReport.objects.filter(patient=patient)
    )
    names = KINDS["labs"].rows.__globals__
    monkeypatch.setitem(names, "LabReport", SimpleNamespace(objects=rows))
    for patient, number in ((clinic.ada, 1), (clinic.ben, 0)):
        report = make_lab(patient)
        Observation.objects.create(patient=patient, report=report, display="Iron")
        (row,) = KINDS["labs"].rows(patient, reach_of(clinic.pat))
        assert len(row.values.all()) == number
