"""Claims for tests, made without the pages."""

from datetime import date
from decimal import Decimal
from typing import Any

from patients.models import Claim, ClaimDiagnosis, ClaimLine, ClaimPosting, Patient
from patients.models.claims import CPT

DAY = date(2026, 3, 4)
REVENUE = "Revenue access"


def a_claim(patient: Patient, *charges: str, **fields: Any) -> Claim:
    """A claim with a diagnosis, A, and a line for each charge that names it."""
    claim = Claim.objects.create(patient=patient, **{"service_date": DAY} | fields)
    ClaimDiagnosis.objects.create(
        claim=claim, letter="A", code="I10", display="Hypertension"
    )
    for charge in charges:
        a_line(claim, charge)
    return claim


def a_line(claim: Claim, charge: str, **fields: Any) -> ClaimLine:
    """A line of a claim."""
    values = {"system": CPT, "code": "99213", "pointers": "A"} | fields
    return ClaimLine.objects.create(claim=claim, charge=Decimal(charge), **values)


def a_posting(
    claim: Claim, amount: str, kind: str = "patient", **fields: Any
) -> ClaimPosting:
    """A payment or an adjustment on a claim."""
    return ClaimPosting.objects.create(
        claim=claim, amount=Decimal(amount), kind=kind, **{"date": DAY} | fields
    )


def base(patient: Patient, claim: Claim | None = None, *parts: str) -> str:
    """base(ada), base(ada, claim, "lines", "new"): an address of a patient's claims."""
    key = [claim.key] if claim else []
    return "/".join(["/patient", patient.key, "claims", *key, *parts, ""])
