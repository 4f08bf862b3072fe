"""The states of a claim, and from which to which it may go."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class ClaimState(models.TextChoices):
    """The queues through which a claim goes, in the original's words and order."""

    APPOINTMENT = "appointment", _("Appointment")
    CLINICIAN_REVIEW = "clinician-review", _("Needs clinician review")
    CODING_REVIEW = "coding-review", _("Needs coding review")
    QUEUED = "queued", _("Queued for submission")
    FILED = "filed", _("Filed, awaiting response")
    REJECTED = "rejected", _("Rejected, needs review")
    ADJUDICATED = "adjudicated", _("Adjudicated, open balance")
    PATIENT_BALANCE = "patient-balance", _("Patient balance")
    ZERO_BALANCE = "zero-balance", _("Zero balance")
    TRASH = "trash", _("Trash")


S = ClaimState

# Where people may move a claim from each state. From and to "Zero balance" claims also
# go by themselves, when what is owed becomes nothing or something; see claiming.settle().
MOVES: dict[str, tuple[str, ...]] = {
    S.APPOINTMENT: (S.CLINICIAN_REVIEW, S.CODING_REVIEW, S.TRASH),
    S.CLINICIAN_REVIEW: (S.CODING_REVIEW, S.TRASH),
    S.CODING_REVIEW: (S.CLINICIAN_REVIEW, S.QUEUED, S.PATIENT_BALANCE, S.TRASH),
    S.QUEUED: (S.CODING_REVIEW, S.FILED, S.TRASH),
    S.FILED: (S.REJECTED, S.ADJUDICATED),
    S.REJECTED: (S.CLINICIAN_REVIEW, S.CODING_REVIEW, S.QUEUED, S.TRASH),
    S.ADJUDICATED: (S.REJECTED, S.PATIENT_BALANCE, S.ZERO_BALANCE),
    S.PATIENT_BALANCE: (S.ADJUDICATED, S.CODING_REVIEW, S.ZERO_BALANCE),
    S.ZERO_BALANCE: (S.ADJUDICATED,),
    S.TRASH: (S.CODING_REVIEW,),
}

# What a claim charges, and to whom, can be changed only while nobody else has it.
EDITABLE = frozenset({S.APPOINTMENT, S.CLINICIAN_REVIEW, S.CODING_REVIEW, S.REJECTED})
# A payer pays what was sent to it.
PAYER_PAYS = frozenset({S.FILED, S.ADJUDICATED, S.PATIENT_BALANCE, S.ZERO_BALANCE})
# In these what is owed decides whether the claim is at zero.
SETTLED_BY_BALANCE = frozenset({S.ADJUDICATED, S.PATIENT_BALANCE, S.ZERO_BALANCE})
WITH_REASON = frozenset({S.REJECTED, S.TRASH})


def needs_reason(before: str, after: str) -> bool:
    """Whether somebody has to say why a claim goes from one state to another."""
    return after in WITH_REASON or before == S.TRASH


def choices(states: tuple[str, ...]) -> list[tuple[str, Any]]:
    """These states with their names."""
    return [(state, ClaimState(state).label) for state in states]
