"""Visit summaries and statements in print."""

from datetime import date
from decimal import Decimal

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_staff
from patients.models import (
    Addendum,
    Claim,
    ClaimLine,
    ClaimPosting,
    Coverage,
    Diagnosis,
    Note,
    NoteTask,
    Plan,
    Prescription,
    Referral,
    VitalSigns,
)
from patients.printing.visit import FIELDS, LEFT_OUT
from patients.tests.appointments import START, furnish_schedule
from patients.tests.printed import text_of
from staffing.models import Team, TeamContactPoint, TeamResponsibility

PRINT = "Printing access"


@pytest.fixture
def clinic(cast):
    give(cast.nora, PRINT, "Revenue access")
    return furnish_schedule(cast)


def note_of(clinic, patient):
    return Note.objects.create(
        patient=patient,
        provider=clinic.sam,
        location=clinic.main,
        visit_type=clinic.check_up,
        started=START,
    )


def written(note, model, by=None, **fields):
    row = model(note=note, **fields)
    row.save()
    if by:
        row.commit(by)
    return row


def linked(client, patient, page, target):
    """Whether a page of the patient leads to this print."""
    page = client.get(f"/patient/{patient.key}/{page}").content.decode()
    return f'href="/patient/{patient.key}/print/{target}"' in page


def visit(client, patient, note):
    return client.get(f"/patient/{patient.key}/print/visits/{note.key}/")


def statement(client, patient):
    return client.get(f"/patient/{patient.key}/print/statement/")


def client_of(client, *groups):
    staff = make_staff("pat", *groups)
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    return client


def test_every_kind_of_command_is_printed_or_left_out():
    assert set(Note.command_models()) == FIELDS.keys() | LEFT_OUT


def test_a_visit_summary_has_what_is_committed_and_meant_for_the_patient(
    clinic, signed_in
):
    note, by = note_of(clinic, clinic.ada), clinic.sam.user
    written(note, VitalSigns, by, pulse=72, systolic=120, diastolic=80)
    written(note, Diagnosis, by, display="Migraine", code="G43.9", assessment="Stable")
    medicine = {"display": "Sumatriptan", "sig": "Take one", "quantity": 9}
    written(note, Prescription, by, **medicine, note_to_pharmacist="secret word")
    written(note, Referral, by, refer_to="Neurology", internal_comment="secret word")
    written(note, NoteTask, by, title="secret word")
    written(note, Plan, narrative="secret word")
    written(note, Plan, by, narrative="Wrong plan").enter_in_error("typo", by)
    client = signed_in("nora")
    target = f"visits/{note.key}/"
    assert linked(client, clinic.ada, f"notes/{note.key}/", target)
    assert "not yet: this is a draft" in text_of(visit(client, clinic.ada, note))
    Plan.objects.filter(state="staged").get().remove(by)
    note.sign(by)
    Addendum.objects.create(note=note, text="She called.", author=clinic.nora)
    response = visit(client, clinic.ada, note)
    assert response["Content-Disposition"] == 'inline; filename="visit-summary.pdf"'
    text = text_of(response)
    for words in (
        "Visit summary",
        "Wed, 2 Jan 2030, 15:00",
        "Provider Sam Example",
        "Signed Sam Example",
        "Heart rate 72 /min",
        "Blood pressure 120/80 mmHg",
        "Migraine ICD-10 code G43.9 Today's assessment Stable",
        "Sumatriptan Directions Take one Quantity 9 Refills 0",
        "Neurology Priority Routine",
        "She called. Nora Example",
    ):
        assert words in text, words
    for words in ("secret word", "Wrong plan", "Task"):
        assert words not in text, words
    act = AuditRow.objects.filter(action="patient.note.printed").latest("pk")
    assert (act.patient, act.access_path) == (clinic.ada.key, "patient-group")


def test_a_foreign_or_mistaken_visit_is_none(clinic, signed_in):
    foreign, wrong = note_of(clinic, clinic.ben), note_of(clinic, clinic.ada)
    wrong.enter_in_error("twice", clinic.sam.user)
    answers = [
        visit(signed_in("nora"), clinic.ada, note)
        for note in (foreign, wrong, Note(key="0" * 32))
    ]
    assert [answer.status_code for answer in answers] == [403] * 3
    assert len({len(answer.content) for answer in answers}) == 1


def test_who_prints_visits_and_statements(clinic, client):
    note = note_of(clinic, clinic.ada)
    north = "Patients: North"
    for groups, wanted in (
        ((PRINT, "Clinical read", north), (200, 403)),
        ((PRINT, "Revenue access", north), (403, 200)),
        (("Clinical read", "Revenue access", north), (403, 403)),
        ((PRINT, "Clinical read", "Revenue access"), (403, 403)),
    ):
        staff = make_staff(f"pat{wanted[0]}{len(groups)}{groups[-1][0]}{groups[0]}")
        give(staff, *groups)
        client.force_login(staff.user, backend="staffing.backends.StaffBackend")
        got = visit(client, clinic.ada, note), statement(client, clinic.ada)
        assert tuple(answer.status_code for answer in got) == wanted, groups


def claim_of(patient, **fields):
    claim = Claim.objects.create(
        patient=patient, service_date=date(2026, 3, 4), **fields
    )
    ClaimLine.objects.create(
        claim=claim, code="99213", description="Office visit", charge=Decimal("150.00")
    )
    wrong = {"description": "Mistake", "removed": START}
    ClaimLine.objects.create(claim=claim, code="1", charge=Decimal("9.00"), **wrong)
    posting = {"claim": claim, "date": date(2026, 3, 20)}
    ClaimPosting.objects.create(kind="payer", amount=Decimal("80.00"), **posting)
    ClaimPosting.objects.create(kind="contractual", amount=Decimal("30.50"), **posting)
    ClaimPosting.objects.create(
        kind="patient", amount=Decimal("7.77"), reversed=START, **posting
    )
    return claim


def test_a_statement_has_claims_payments_and_the_balance(clinic, signed_in):
    team = Team.objects.create(name="Billing")
    TeamResponsibility.objects.create(team=team, code="COLLECT_PATIENT_PAYMENTS")
    old = {"team": team, "system": "phone", "value": "555-0999", "use": "old"}
    TeamContactPoint.objects.create(**old)
    TeamContactPoint.objects.create(team=team, system="phone", value="555-0123", rank=2)
    coverage = Coverage.objects.create(
        patient=clinic.ada, payer_name="Aetna", member_id="A1"
    )
    claim = claim_of(clinic.ada, coverage=coverage, state="patient-balance")
    trash = claim_of(clinic.ada, state="trash")
    foreign = claim_of(clinic.ben)
    empty = Claim.objects.create(patient=clinic.ada, service_date=date(2026, 3, 4))
    assert linked(signed_in("nora"), clinic.ada, "claims/", "statement/")
    text = text_of(statement(signed_in("nora"), clinic.ada))
    for words in (
        "Charges $150.00 Adjustments $30.50 Payments $80.00 Balance $39.50",
        "Of this, you owe now $39.50",
        "Call 555-0123.",
        f"4 Mar 2026, claim {claim.number}",
        "Payer Aetna State Patient balance",
        "4 Mar 2026 99213 Office visit $150.00",
        "20 Mar 2026 Payment by the payer −$80.00",
        "Balance of this claim $39.50",
    ):
        assert words in text, words
    for words in (
        trash.number,
        empty.number,
        foreign.number,
        "Mistake",
        "7.77",
        "555-0999",
    ):
        assert words not in text, words
    act = AuditRow.objects.filter(action="patient.statement.printed").latest("pk")
    assert act.patient == clinic.ada.key


def test_an_empty_statement_says_so(clinic, signed_in):
    text = text_of(statement(signed_in("nora"), clinic.ada))
    assert "There is no claim." in text
    assert "Balance $0.00" in text
    assert "Questions" not in text


def test_they_cost_the_same_whatever_they_show(
    clinic, signed_in, django_assert_num_queries, django_assert_max_num_queries
):
    client, note = signed_in("nora"), note_of(clinic, clinic.ada)

    def both():
        visit(client, clinic.ada, note)
        statement(client, clinic.ada)

    def more():
        written(note, Plan, clinic.sam.user, narrative="Rest")
        claim_of(clinic.ada)

    more()
    both()
    with django_assert_max_num_queries(50) as few:
        both()
    number = len(few)
    for _number in range(4):
        more()
    with django_assert_num_queries(number):
        both()
