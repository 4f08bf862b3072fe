"""Rows are one patient's, and only within reach, wherever they are looked for.

The gate in front of the pages asks for reach already; here the rows are asked without it.
"""

import random
from datetime import UTC, date, datetime

import pytest
from django.test import RequestFactory
from django.urls import reverse

from canvas_admin.testing import give, make_patient, make_staff
from canvas_admin.tests.addresses import furnish
from canvas_admin.tests.programs import Program
from canvas_admin.tests.test_noninterference import fill_the_chart, link_everything
from patients import access, gate, linking
from patients.forms.booking import BookingForm
from patients.models import (
    AccessRequest,
    AdministrativeDocument,
    Appointment,
    CareTeamMembership,
    Claim,
    Condition,
    IncomingFile,
    Note,
    Observation,
    Patient,
    PatientGroup,
)
from patients.revenue import claiming, statements
from patients.tests.appointments import appoint, furnish_schedule
from patients.tests.claims import REVENUE, a_claim, base
from patients.tests.inbox import HOLDER, INBOX, LINKER
from patients.tests.notes import note_of
from patients.tests.test_claims_of_notes import a_signed_note
from patients.tests.test_exclusions import exclude
from patients.tests.work import make_lab
from patients.views.care_team import care_team
from patients.views.printing import statement as statement_pages
from patients.views.profile.sections import SECTIONS
from patients.views.request_access import _earlier
from patients.views.results import KINDS
from staffing.models import CareTeamRole
from tasks.models import Task


@pytest.fixture
def clinic(cast):
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


@pytest.fixture
def papers(clinic):
    """A document and a linked file of each; pat files and links."""
    give(clinic.pat, "Document read", "Document write", *LINKER)
    clinic.papers, clinic.linked = {}, {}
    for patient in (clinic.ada, clinic.dora, clinic.ben):
        title = f"Card of {patient.last_name}"
        about = {"patient": patient, "size": 1}
        clinic.papers[patient] = AdministrativeDocument.objects.create(
            title=title, kind="insurance", **about
        )
        clinic.linked[patient] = IncomingFile.objects.create(
            source="fax", state="linked", linked_as="lab", linked_row="0" * 32, **about
        )
    return clinic


@pytest.mark.usefixtures("open_gate")
def test_a_document_is_found_within_reach_of_its_own_patient(papers, signed_in):
    client = signed_in("pat")
    row = papers.papers
    for patient, of, status in (
        (papers.ada, papers.ada, 200),
        (papers.ada, papers.dora, 403),
        (papers.ben, papers.ben, 403),
    ):
        address = f"/patient/{patient.key}/documents/{row[of].key}/remove/"
        assert client.get(address).status_code == status
    page = client.get(f"/patient/{papers.ben.key}/documents/").content.decode()
    assert "Card of Brandt" not in page


@pytest.mark.usefixtures("open_gate")
def test_a_linked_file_is_found_within_reach_of_its_own_patient(papers, signed_in):
    client = signed_in("pat")
    for patient, of, status in (
        (papers.ada, papers.ada, 200),
        (papers.ada, papers.dora, 403),
        (papers.ben, papers.ben, 403),
    ):
        file = papers.linked[of]
        address = reverse("patients:unlink-file", args=[file.key, patient.key])
        assert client.get(address).status_code == status


@pytest.mark.usefixtures("open_gate")
def test_a_note_is_found_within_reach_of_its_own_patient(clinic, signed_in):
    client = signed_in("pat")
    for patient, of, status in (
        (clinic.ada, clinic.ada, 200),
        (clinic.ada, clinic.dora, 403),
        (clinic.ben, clinic.ben, 403),
    ):
        note = Note.objects.get(patient=of)
        address = f"/patient/{patient.key}/notes/{note.key}/"
        assert client.get(address).status_code == status


def test_a_linked_file_is_in_no_inbox(papers, signed_in):
    file = papers.linked[papers.ben]
    answer = signed_in("pat").get(f"{INBOX}{file.key}/change/")
    assert answer.status_code == 403


def test_unlinking_asks_for_its_permissions_first(papers, signed_in, monkeypatch):
    """Whoever may link nothing has no kinds either; here the kinds are everybody's."""
    every = linking.kinds_for(papers.pat.user)
    monkeypatch.setattr(linking, "kinds_for", lambda account: every)
    file = papers.linked[papers.ada]
    address = reverse("patients:unlink-file", args=[file.key, papers.ada.key])
    papers.pat = make_staff("mat", *HOLDER, "Patients: North")
    assert signed_in("pat").get(address).status_code == 403


def test_who_left_while_statements_were_printed_is_not_asked(
    clinic, signed_in, monkeypatch
):
    give(clinic.pat, "Printing access")
    a_claim(clinic.ada, "50.00", state="patient-balance")
    printed = statement_pages._batch

    def then_leaves(request, patients):
        answer = printed(request, patients)
        clinic.north.remove(clinic.ada)
        return answer

    monkeypatch.setattr(statement_pages, "_batch", then_leaves)
    answer = signed_in("pat").post("/revenue/statements/")
    assert answer.status_code == 403
    assert not Task.objects.exists()


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


def test_an_item_is_reviewed_at_its_own_patients_address(clinic, signed_in):
    give(clinic.pat, "Clinical write")
    report, client = make_lab(clinic.dora), signed_in("pat")
    for patient, status in ((clinic.dora, 200), (clinic.ada, 403)):
        address = reverse("patients:review", args=[patient.key, "labs", report.key])
        assert client.get(address).status_code == status


def test_a_list_goes_back_from_nobody_out_of_reach(clinic, signed_in):
    """As from a key that nobody has: the list begins."""
    client = signed_in("pat")

    def shown(key):
        page = client.get(reverse("patients:list"), {"before": key}).content.decode()
        return [
            each.last_name for each in (clinic.ada, clinic.dora) if each.key in page
        ]

    assert shown(clinic.ben.key) == shown("0" * 32) == ["Alvarez", "Dorn"]
    assert shown(clinic.dora.key) == ["Alvarez"]


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
