"""Notes that somebody is asked to look at (facts 6.4, "Assigned note for review")."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from canvas_admin.records.models import Versioned
from patients.models.notes import Note
from patients.models.patients import Patient, PatientData
from patients.models.raised_tasks import TaskSource


class NoteReview(TaskSource, Versioned, PatientData):
    """That somebody asked a person or a team to review a note. Written once.

    The task carries it on; no team answers for reviews, so one is always named.
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    note = models.ForeignKey(Note, on_delete=models.PROTECT, related_name="reviews")
    assignee = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("person"),
    )
    team = models.ForeignKey(
        "staffing.Team",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("team"),
    )
    comment = models.CharField(_("comment"), max_length=1_000, blank=True)
    asked = models.DateTimeField(default=clock.now, editable=False)
    asked_by = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
    )

    class Meta:
        ordering = ["id"]
        verbose_name = _("review of a note")
        verbose_name_plural = _("reviews of notes")

    def __str__(self) -> str:
        return f"review of note {self.key[:8]}"

    @property
    def holder(self) -> Any:
        """Who was asked."""
        return self.assignee or self.team

    def ask(self, by: Any) -> None:
        """Make the task; call it once the row is saved."""
        start = self.note.start
        title = f"Review note: {self.note.name}, {start.day} {start:%b %Y}"
        whose = {"assignee": self.assignee, "team": self.team}
        self.raise_task(by, title, self.comment, origin="ASN_NOT_PHN_REV", **whose)
