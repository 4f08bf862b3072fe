"""Claims that are put aside until a day (facts 6.4, "Expired claim snoozed")."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients.models.claims import Claim, ClaimPart
from patients.models.raised_tasks import TaskSource


class ClaimSnooze(TaskSource, ClaimPart):
    """That a claim waits until a day, and for what. A claim has one at a time.

    It ends when another takes its place, when the claim is moved on, or when its day has
    come: then a task asks for the claim again. patients.revenue.snoozing alone ends one.
    """

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="snoozes")
    until = models.DateField(_("until"))
    reason = models.CharField(_("what it waits for"), max_length=255)
    snoozed = models.DateTimeField(default=clock.now, editable=False)
    snoozed_by = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
    )
    ended = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["id"]
        verbose_name = _("snooze of a claim")
        constraints = [
            models.UniqueConstraint(
                fields=["claim"],
                condition=Q(ended__isnull=True),
                name="one_snooze_of_a_claim",
            )
        ]
        indexes = [
            models.Index(
                fields=["until"], condition=Q(ended__isnull=True), name="snooze_until"
            )
        ]

    def __str__(self) -> str:
        return f"snooze of a claim {self.key[:8]}"

    def wake(self) -> None:
        """Make the task that asks for the claim again."""
        title = f"Work on claim {self.claim.number}: it was snoozed until now"
        self.raise_task(None, title, self.reason, origin="EXP_CLM_SNO")
