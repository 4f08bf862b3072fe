"""The demo clinic's claims: Ada Alvarez's by hand, and the imported ones moved on."""

from datetime import timedelta
from decimal import Decimal

from django.db import transaction

from canvas_admin.records import clock
from patients.models import (
    Claim,
    ClaimDiagnosis,
    ClaimLine,
    ClaimPosting,
    ClaimState,
    Coverage,
    Patient,
)
from patients.models.claims import CPT
from patients.revenue import claiming
from staffing.models import Staff

BY = "max"
S, KIND = ClaimState, ClaimPosting.Kind
# (days ago, code, service, charge, by which states it came here)
ADAS = (
    (64, "99214", "Office visit, moderate", "185.00", (S.QUEUED, S.FILED)),
    (30, "99213", "Office visit, low", "125.00", (S.QUEUED, S.FILED, S.REJECTED)),
    (6, "99213", "Office visit, low", "125.00", (S.QUEUED,)),
    (1, "99396", "Preventive visit", "210.00", ()),
    (-3, "99213", "Office visit, low", "125.00", ()),
)
SHARES = (
    (KIND.PAYER, "0.60", "transfer"),
    (KIND.CONTRACTUAL, "0.25", ""),
    (KIND.PATIENT, "0.15", "card"),
)
REJECTED = "The payer does not know this member id."
CENT = Decimal("0.01")


def make_claims(ada: Patient) -> None:
    """Claims in several states, unless somebody has begun to work on them."""
    by = Staff.objects.get(user__username=BY)
    if not ada.claims.exists():
        make_adas(ada, by)
    imported = Claim.objects.exclude(source_id="").order_by("pk")
    for turn, claim in enumerate(imported):
        if claim.state == S.FILED and claim.version == claim.source_version:
            move_on(claim, turn, by)


@transaction.atomic
def make_adas(ada: Patient, by: Staff) -> None:
    """An insurance for Ada, and what her visits were billed with."""
    coverage = claiming.coverage_on(ada, clock.today()) or Coverage.objects.create(
        patient=ada, payer_name="Aetna", plan="Open Access", member_id="W2208 41937"
    )
    coverage.follow_up(by.user)
    provider = Staff.objects.get(user__username="nora")
    for days, code, service, charge, states in ADAS:
        claim = Claim(
            patient=ada,
            coverage=coverage,
            provider=provider,
            location=provider.primary_location,
            service_date=clock.today() - timedelta(days=days),
        )
        claiming.begin(claim, by)
        if claim.state == S.APPOINTMENT:
            continue
        ClaimDiagnosis.objects.create(
            claim=claim, letter="A", code="I10", display="Essential hypertension"
        )
        ClaimLine.objects.create(
            claim=claim,
            system=CPT,
            code=code,
            description=service,
            charge=Decimal(charge),
            pointers="A",
        )
        for state in states:
            claiming.move(claim, state, by, REJECTED if state == S.REJECTED else "")
    first = ada.claims.order_by("service_date").first()
    adjudicate(first, SHARES[:2], by)
    claiming.move(first, S.PATIENT_BALANCE, by)


@transaction.atomic
def move_on(claim: Claim, turn: int, by: Staff) -> None:
    """What became of an imported claim: in turn it waits, was rejected, or was paid."""
    how = turn % 6
    if how == 1:
        claiming.move(claim, S.REJECTED, by, REJECTED)
    elif how == 2:
        adjudicate(claim, SHARES[:1], by)
    elif how == 3:
        adjudicate(claim, SHARES[:2], by)
        claiming.move(claim, S.PATIENT_BALANCE, by)
    elif how > 3:
        adjudicate(claim, SHARES, by)


def adjudicate(claim: Claim, shares: tuple, by: Staff) -> None:
    """Let the payer have decided, and post these shares of what is charged."""
    claiming.move(claim, S.ADJUDICATED, by)
    charged = claiming.balance(claim)
    for kind, share, method in shares:
        claim.postings.create(
            claim=claim,
            kind=kind,
            amount=(charged * Decimal(share)).quantize(CENT),
            method=method,
            date=min(clock.today(), claim.service_date + timedelta(days=21)),
            posted_by=by,
        )
    claiming.settle(claim)
