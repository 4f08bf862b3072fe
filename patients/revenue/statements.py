"""Statements in a batch: who gets one, and the task to collect what is owed (facts 6.4)."""

from collections.abc import Collection, Iterable
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import Prefetch, QuerySet

from canvas_admin.records import clock
from canvas_admin.records.money import ZERO
from patients.models import Claim, ClaimLine, ClaimPosting, ClaimState, Patient
from patients.revenue.balances import Balance
from patients.revenue.worklist import Worklist

# So many patients get theirs at once, of those of so many claims.
AT_ONCE, LOOKED = 20, 500
ORIGIN = "BAT_PTN_STA"
ASKED_ALREADY = {"tasks__origin": ORIGIN, "tasks__status": "OPEN"}


class Statement(NamedTuple):
    """What is on one patient's statement: claims with their totals, and what is owed."""

    patient: Patient
    claims: list[Claim]
    balance: Balance


def who_is_next(worklist: Worklist) -> dict[Patient, str]:
    """The patients of these claims, each with the path that opens it, the latest first.

    Whoever is being asked already, by a task of an earlier batch, is left out; so the
    next batch goes on behind this one.
    """
    rows = islice(worklist.items(None, LOOKED), LOOKED)
    found = {row.patient: path for row, path in rows}
    asked = _asked(found)
    left = [patient for patient in found if patient.pk not in asked]
    return {patient: found[patient] for patient in left[:AT_ONCE]}


def with_parts(claims: QuerySet[Claim]) -> QuerySet[Claim]:
    """Claims with what a statement prints of them, the latest service first."""
    rows = claims.counted().with_totals().newest_first()
    return rows.prefetch_related(
        Prefetch("lines", ClaimLine.objects.filter(removed__isnull=True)),
        Prefetch("postings", ClaimPosting.objects.filter(reversed__isnull=True)),
    )


def statements_of(patients: Collection[Patient], reach: Any) -> list[Statement]:
    """Their statements, in this order; three queries, however many they are."""
    rows = Claim.objects.visible_to(reach).filter(patient__in=patients)
    claims: dict[int, list[Claim]] = {patient.pk: [] for patient in patients}
    for claim in with_parts(rows.select_related("coverage")):
        claims[claim.patient_id].append(claim)
    return [
        Statement(patient, claims[patient.pk], _balance(claims[patient.pk]))
        for patient in patients
    ]


def ask_for_payment(patients: Collection[Patient], by: Any) -> None:
    """A task for each, by this staff member, to collect what the statement says.

    Call it in a transaction. Of two batches at once, one makes them. The title names no
    amount: tasks are read by people who may not read claims.
    """
    rows = Patient.objects.select_for_update(no_key=True).order_by("pk")
    locked = list(rows.filter(pk__in=[patient.pk for patient in patients]))
    asked, today = _asked(locked), clock.today()
    day = f"{today.day} {today:%b %Y}"
    for patient in locked:
        if patient.pk not in asked:
            title = f"Collect payment from patient: statement of {day}"
            patient.tasks.create(title=title, origin=ORIGIN, creator=by)


def _asked(patients: Iterable[Patient]) -> set[int]:
    rows = Patient.objects.filter(pk__in=[p.pk for p in patients], **ASKED_ALREADY)
    return set(rows.values_list("pk", flat=True))


def _balance(claims: list[Claim]) -> Balance:
    of_patient = [c.balance for c in claims if c.state == ClaimState.PATIENT_BALANCE]
    return Balance(sum((c.balance for c in claims), ZERO), sum(of_patient, ZERO))
