"""What happens to a claim: it begins, goes from state to state, and follows its balance.

Each of these runs in the transaction of a form (profile_changes.save), which holds the
patient's row: of two acts on one claim the second sees what the first did.
"""

import re
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from canvas_admin.records import clock
from patients.models import (
    Claim,
    ClaimStateChange,
    Coverage,
    Diagnosis,
    Note,
    Patient,
)
from patients.models.claims import CPT, HCPCS, LETTERS
from patients.models.findings import ICD_10
from patients.revenue import claim_states, snoozing
from patients.revenue.claim_states import MOVES, ClaimState
from staffing.models import Staff

_ICD_10 = re.compile(r"([A-Z][0-9][0-9A-Z])\.?([0-9A-Z]{0,4})")


def begin(claim: Claim, by: Staff | None) -> None:
    """Save a new claim, with the first entry of its history and its note's diagnoses.

    What is billed for a day to come waits under "Appointment".
    """
    if claim.service_date > clock.today():
        claim.state = ClaimState.APPOINTMENT
    claim.save()
    _keep(claim, "", by)
    for letter, (code, display) in zip(LETTERS, codes_in(claim.note), strict=False):
        claim.diagnoses.create(letter=letter, code=code, display=display)


def for_note(note: Note) -> Claim:
    """A claim, not saved yet, with what a signed note says of the visit."""
    day = timezone.localdate(note.start, note.start.tzinfo)
    return Claim(
        patient=note.patient,
        note=note,
        service_date=day,
        provider=note.provider,
        location=note.location,
        coverage=coverage_on(note.patient, day),
    )


def codes_in(note: Note | None) -> list[tuple[str, str]]:
    """(ICD-10 code, name) of each diagnosis committed in a note, in its order, once."""
    found: dict[str, str] = {}
    rows = Diagnosis.objects.filter(note=note, state=Diagnosis.State.COMMITTED)
    for row in rows.select_related("condition").order_by("position") if note else ():
        known = row.condition and row.condition.system == ICD_10
        code = row.code or (row.condition.code if known else "")
        if code := as_icd_10(code):
            found.setdefault(code, row.display)
    return list(found.items())


def as_icd_10(text: str) -> str:
    """An ICD-10-CM code in capitals with its dot; "" for what is none."""
    found = _ICD_10.fullmatch(text.strip().upper())
    return ".".join(part for part in found.groups() if part) if found else ""


def unclaimed(notes: QuerySet[Note]) -> QuerySet[Note]:
    """Those of these notes that are on no claim, but for claims in the trash.

    Visits that an import brought were billed where they were.
    """
    claims = Claim.objects.counted().filter(note=OuterRef("pk"))
    return notes.filter(~Exists(claims), source_id="")


def move(claim: Claim, state: str, by: Staff | None, reason: str = "") -> None:
    """Let a claim go to another state, and keep who did so and why.

    Raises ValidationError for a move that is not allowed, or a claim not ready for it.
    """
    if state not in MOVES[claim.state]:
        raise ValidationError(_("From this state a claim does not go there."))
    if not reason and claim_states.needs_reason(claim.state, state):
        raise ValidationError(_("Say in a few words why."))
    if problems := not_ready(claim, state):
        raise ValidationError(problems)
    _go(claim, state, by, reason)


def settle(claim: Claim) -> None:
    """After money was posted or reversed: at zero when nothing is owed, else not."""
    if claim.state not in claim_states.SETTLED_BY_BALANCE:
        return
    owes_nothing = balance(claim) == 0
    if owes_nothing and claim.state != ClaimState.ZERO_BALANCE:
        _go(claim, ClaimState.ZERO_BALANCE, None, "")
    elif not owes_nothing and claim.state == ClaimState.ZERO_BALANCE:
        _go(claim, ClaimState.ADJUDICATED, None, "")


def balance(claim: Claim) -> Decimal:
    """What is owed on this claim as it is saved."""
    return (
        Claim.objects.with_totals().values_list("balance", flat=True).get(pk=claim.pk)
    )


def not_ready(claim: Claim, state: str) -> list[str]:
    """Why a claim may not be in this state yet, in sentences; empty when it may."""
    if claim.state == ClaimState.TRASH and claim.note_id:
        others = Claim.objects.counted().filter(note=claim.note_id)
        return [_("Its note is on another claim now.")] if others.exists() else []
    if state == ClaimState.QUEUED:
        return _unfit_for_a_payer(claim)
    if state == ClaimState.TRASH and claim.postings.filter(reversed=None).exists():
        return [_("Money is posted on this claim. Reverse it first.")]
    if state == ClaimState.PATIENT_BALANCE and balance(claim) <= 0:
        return [_("There is no balance that the patient could owe.")]
    if state == ClaimState.ZERO_BALANCE and balance(claim) != 0:
        return [_("The balance is not zero.")]
    return []


def coverage_on(patient: Patient, day: Any) -> Coverage | None:
    """The first coverage in the order of ranks that held on this day."""
    rows = patient.coverages.filter(entered_in_error=False).order_by("rank", "-pk")
    return next((row for row in rows if holds_on(row, day)), None)


def holds_on(coverage: Coverage, day: Any) -> bool:
    """Whether a coverage held on a day."""
    begun = coverage.start is None or coverage.start <= day
    return begun and (coverage.end is None or coverage.end >= day)


def _unfit_for_a_payer(claim: Claim) -> list[str]:
    lines = list(claim.lines.filter(removed=None))
    return [
        sentence
        for missing, sentence in (
            (not claim.coverage_id, _("The claim has no coverage to ask.")),
            (not claim.provider_id, _("The claim has no provider.")),
            (not lines, _("The claim has no line.")),
            (
                any(line.system not in (CPT, HCPCS) for line in lines),
                _("A line has no CPT or HCPCS code."),
            ),
            (
                not all(line.pointers for line in lines),
                _("A line names no diagnosis."),
            ),
        )
        if missing
    ]


def _go(claim: Claim, state: str, by: Staff | None, reason: str) -> None:
    before, claim.state = claim.state, state
    claim.save()
    snoozing.end(claim)
    _keep(claim, before, by, reason)


def _keep(claim: Claim, before: str, by: Staff | None, reason: str = "") -> None:
    ClaimStateChange.objects.create(
        patient_id=claim.patient_id,
        claim=claim,
        before=before,
        after=claim.state,
        reason=reason,
        by=by,
    )
