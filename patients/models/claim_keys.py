"""The ordered keys by which the worklist finds claims."""

from django.db import models

from patients.models.work_keys import ItemKey
from patients.revenue.claim_states import ClaimState


class ClaimKey(ItemKey):
    """A key of a claim; `kind` is its state, or COUNTED, see kind_of().

    The claims of a stream are anybody's, or those of one provider.
    """

    patient = models.ForeignKey(
        "patients.Patient",
        on_delete=models.PROTECT,
        related_name="claim_keys",
        editable=False,
        db_index=False,
    )

    class Meta(ItemKey.Meta):
        verbose_name = "claim key"
        indexes = [
            # Wholly in the index: a scan never reads the rows.
            models.Index(
                fields=["stream", "kind", "place", "item"], name="claim_key_order"
            ),
            # Saving one claim of many looks at the keys of that one.
            models.Index(fields=["patient", "item"], name="claim_key_of_patient"),
        ]

    def __str__(self) -> str:
        return f"claim key {self.pk}"


# All that are owed, whatever their state.
COUNTED = 0
# These stand in the database and never change.
NUMBERS = {
    ClaimState.APPOINTMENT: 1,
    ClaimState.CLINICIAN_REVIEW: 2,
    ClaimState.CODING_REVIEW: 3,
    ClaimState.QUEUED: 4,
    ClaimState.FILED: 5,
    ClaimState.REJECTED: 6,
    ClaimState.ADJUDICATED: 7,
    ClaimState.PATIENT_BALANCE: 8,
    ClaimState.ZERO_BALANCE: 9,
    ClaimState.TRASH: 10,
}


def kind_of(state: str) -> int:
    """The kind of the keys of claims in this state; "" stands for all that count."""
    return NUMBERS[ClaimState(state)] if state else COUNTED


def kinds_of(state: str) -> list[int]:
    """The kinds of keys that a claim in this state has."""
    of_state = kind_of(state)
    return [of_state] if state == ClaimState.TRASH else [COUNTED, of_state]
