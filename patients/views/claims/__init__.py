"""Revenue: the worklist of claims, and the claims of a patient."""

from patients.views.claims.claim import claim, claim_state
from patients.views.claims.of_patient import add_claim, change_claim, claims
from patients.views.claims.parts import PARTS, Part, add_part, change_part, end_part
from patients.views.claims.snooze import snooze_claim
from patients.views.claims.worklist import revenue, revenue_file

__all__ = [
    "PARTS",
    "Part",
    "add_claim",
    "add_part",
    "change_claim",
    "change_part",
    "claim",
    "claim_state",
    "claims",
    "end_part",
    "revenue",
    "revenue_file",
    "snooze_claim",
]
