"""What is owed: charges less adjustments less payments, added up by the database.

This is the one place that knows. Amounts are whole cents there (MoneyField), so a balance
is exact. A removed line, a reversed posting and a claim in the trash count for nothing.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db.models import ExpressionWrapper, F, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from canvas_admin.records.money import ZERO, MoneyField
from patients.querysets import DatedQuerySet
from patients.revenue.claim_states import ClaimState

ADJUSTMENTS = ("contractual", "write-off")
PAYMENTS = ("patient", "payer")


class ClaimQuerySet(DatedQuerySet):
    """Questions about claims. Each has a date, so that an index alone gives their order."""

    def newest_first(self) -> "ClaimQuerySet":
        return self.order_by("-service_date", "-pk")

    def behind(self, row: Any) -> "ClaimQuerySet":
        """What comes after this row when the newest is first."""
        day = row.service_date
        later = Q(service_date__lt=day) | Q(service_date=day, pk__lt=row.pk)
        return self.filter(later, service_date__lte=day)

    def counted(self) -> "ClaimQuerySet":
        """The claims that are owed: all but those in the trash."""
        return self.exclude(state=ClaimState.TRASH)

    def with_totals(self) -> "ClaimQuerySet":
        """Each claim with `charges`, `adjusted`, `paid` and `balance`."""
        balance = F("charges") - F("adjusted") - F("paid")
        return self.annotate(
            charges=_sum("ClaimLine", "charge", removed__isnull=True),
            adjusted=_posted(ADJUSTMENTS),
            paid=_posted(PAYMENTS),
        ).annotate(balance=ExpressionWrapper(balance, MoneyField()))


@dataclass(frozen=True)
class Balance:
    """What a patient's claims come to, and the part that is the patient's to pay.

    Below zero it is a credit.
    """

    total: Decimal
    of_patient: Decimal


def balance_of(patient: Any, account: Any) -> Balance:
    """The balance of this patient, for an account that reaches the patient; one query."""
    apart = Q(state=ClaimState.PATIENT_BALANCE)
    rows = apps.get_model("patients", "Claim").objects.about(patient, account)
    found = (
        rows.counted()
        .with_totals()
        .aggregate(total=Sum("balance"), of_patient=Sum("balance", filter=apart))
    )
    return Balance(**{name: amount or ZERO for name, amount in found.items()})


def _posted(kinds: tuple[str, ...]) -> Coalesce:
    return _sum("ClaimPosting", "amount", reversed__isnull=True, kind__in=kinds)


def _sum(model: str, amount: str, **of: Any) -> Coalesce:
    """The sum of a claim's rows, as a part of the query for the claim."""
    rows = apps.get_model("patients", model).objects.filter(claim=OuterRef("pk"), **of)
    total = rows.order_by().values("claim").annotate(total=Sum(amount)).values("total")
    field = MoneyField()
    return Coalesce(Subquery(total, field), Value(ZERO, field), output_field=field)
