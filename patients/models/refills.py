"""Pharmacies' requests about a medicine: to let a patient have more of it, or another."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients.models.clinical import Medication
from patients.models.patients import Patient, PatientData
from patients.models.work import WorkItem
from patients.querysets import DatedQuerySet
from staffing.models import Team, TeamResponsibility


class RefillRequest(WorkItem, PatientData):
    """A pharmacy's question whether a medicine may be refilled, or changed.

    It is open until it is answered. A new one goes to the team that holds "Process refill
    requests from a pharmacy", or "Process change requests ..." (facts 6.3), else to the
    unassigned queue. `proposal` is what a pharmacy that asks for a change has in mind.
    """

    class Kind(models.TextChoices):
        REFILL = "refill", _("More of it")
        CHANGE = "change", _("A change")

    class Answer(models.TextChoices):
        APPROVED = "approved", _("Approved")
        DENIED = "denied", _("Denied")

    RESPONSIBLE = {
        Kind.REFILL: TeamResponsibility.Code.REFILLS,
        Kind.CHANGE: TeamResponsibility.Code.CHANGES,
    }
    OPEN = Q(answer="")
    dated_by = "requested"

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="refill_requests"
    )
    medication = models.ForeignKey(
        Medication, on_delete=models.PROTECT, related_name="refill_requests"
    )
    kind = models.CharField(
        _("what is asked for"), max_length=6, choices=Kind, default=Kind.REFILL
    )
    proposal = models.CharField(_("which change"), max_length=500, blank=True)
    pharmacy = models.CharField(_("pharmacy"), max_length=255, blank=True)
    requested = models.DateTimeField(_("requested"), default=clock.now)
    answer = models.CharField(_("answer"), max_length=8, choices=Answer, blank=True)
    answered = models.DateTimeField(null=True, editable=False)
    answered_by = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
    )
    note = models.CharField(_("note"), max_length=1000, blank=True)

    objects = DatedQuerySet.as_manager()

    class Meta:
        ordering = ["requested", "id"]
        verbose_name = _("refill request")
        constraints = [
            models.CheckConstraint(
                condition=Q(answer="", answered__isnull=True)
                | (~Q(answer="") & Q(answered__isnull=False)),
                name="refill_answered_at_once",
            )
        ]

    def __str__(self) -> str:
        return f"refill request {self.key[:8]}"

    def route(self) -> None:
        if not self.assigned:
            code = self.RESPONSIBLE[self.kind]
            self.hand_to(team=Team.objects.filter(responsibilities__code=code).first())

    @property
    def title(self) -> str:
        return self.medication.display

    def decide(self, answer: str, note: str, by: Any) -> None:
        """Approve or deny it, now, as this staff member; saves nothing."""
        self.answer, self.note = answer, note
        self.answered, self.answered_by = clock.now(), by
