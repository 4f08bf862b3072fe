"""What was paid on a claim, and what was taken off it."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from canvas_admin.records.money import MoneyField
from patients.models.claims import Claim, ClaimPart
from patients.models.raised_tasks import TaskSource
from patients.revenue.balances import ADJUSTMENTS


class ClaimPosting(TaskSource, ClaimPart):
    """A payment or an adjustment, always above zero: each lessens what is owed.

    It is never edited: what was wrong is reversed with a reason, and posted anew. One that
    is flagged is a task for the team that reviews exceptions (facts 6.3); `flag` says why.
    """

    class Kind(models.TextChoices):
        PATIENT = "patient", _("Payment by the patient")
        PAYER = "payer", _("Payment by the payer")
        CONTRACTUAL = "contractual", _("Contractual adjustment")
        WRITE_OFF = "write-off", _("Write-off")

    class Method(models.TextChoices):
        CASH = "cash", _("Cash")
        CHECK = "check", _("Check")
        CARD = "card", _("Card")
        TRANSFER = "transfer", _("Electronic transfer")
        OTHER = "other", _("Other")

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="postings")
    kind = models.CharField(_("kind"), max_length=11, choices=Kind)
    method = models.CharField(_("method"), max_length=8, choices=Method, blank=True)
    amount = MoneyField(_("amount"))
    date = models.DateField(_("date"))
    reference = models.CharField(_("reference"), max_length=64, blank=True)
    flag = models.CharField(_("to be reviewed"), max_length=255, blank=True)
    posted = models.DateTimeField(default=clock.now, editable=False)
    posted_by = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
    )
    reversed = models.DateTimeField(null=True, blank=True, editable=False)
    reversed_by = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
    )
    reversed_reason = models.CharField(_("reason"), max_length=255, blank=True)

    class Meta:
        ordering = ["date", "id"]
        verbose_name = _("posting")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="posting_above_zero"
            )
        ]

    def __str__(self) -> str:
        return f"posting {self.key[:8]}"

    @property
    def adjusts(self) -> bool:
        """Whether nobody paid this: it is taken off the charge."""
        return self.kind in ADJUSTMENTS

    def raise_flag(self, by: Any) -> None:
        """Make the task of one that is flagged."""
        title = f"Review posting on claim {self.claim.number}"
        self.raise_task(by, title, self.flag, origin="FLG_PST_REV")
