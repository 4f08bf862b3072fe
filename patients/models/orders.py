"""Commands that ask others for something: medicines, tests, pictures, referrals, tasks."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models.clinical import Medication
from patients.models.commands import LONG, Command

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


class Priority(models.TextChoices):
    """How soon it is wanted (facts 3.2)."""

    ROUTINE = "routine", _("Routine")
    URGENT = "urgent", _("Urgent")
    STAT = "stat", _("Stat")


class Prescription(Command):
    """A medicine that is prescribed; committing puts it among the medications."""

    display = models.CharField(_("medicine"), max_length=255)
    code = models.CharField(_("RxNorm code"), max_length=16, blank=True)
    sig = models.CharField(_("directions"), max_length=500)
    quantity = models.DecimalField(
        _("quantity"), max_digits=8, decimal_places=2, null=True, blank=True
    )
    quantity_unit = models.CharField(_("unit"), max_length=32, blank=True)
    refills = models.PositiveSmallIntegerField(_("refills"), default=0)
    pharmacy = models.CharField(_("pharmacy"), max_length=255, blank=True)
    note_to_pharmacist = models.CharField(
        _("note to the pharmacist"), max_length=500, blank=True
    )
    medication = models.ForeignKey(
        Medication,
        on_delete=models.PROTECT,
        null=True,
        related_name="prescriptions",
        editable=False,
    )

    class Meta:
        verbose_name = _("prescription")

    def make(self, by: Any) -> None:
        self.medication = Medication(
            patient_id=self.patient_id,
            system=RXNORM if self.code else "",
            code=self.code,
            display=self.display,
            status=Medication.Status.ACTIVE,
            directions=self.sig,
            refills=self.refills,
            started=self.note.started,
        )
        self.medication.save(by=by)

    def unmake(self, reason: str, by: Any) -> None:
        self.medication.mark_in_error(reason, by)


class LabOrder(Command):
    """Tests that a laboratory is asked for; one test a line."""

    tests = models.CharField(_("tests"), max_length=2_000)
    lab = models.CharField(_("laboratory"), max_length=255, blank=True)
    fasting = models.BooleanField(_("the patient must fast"), default=False)
    comment = models.CharField(_("comment"), max_length=1_000, blank=True)

    class Meta:
        verbose_name = _("lab order")

    @property
    def test_names(self) -> list[str]:
        return [line.strip() for line in self.tests.splitlines() if line.strip()]


class ImagingOrder(Command):
    """A picture that is asked for; a delegated order raises a task (facts 6.4)."""

    study = models.CharField(_("study"), max_length=255)
    centre = models.CharField(_("imaging centre"), max_length=255, blank=True)
    priority = models.CharField(
        _("priority"), max_length=7, choices=Priority, default=Priority.ROUTINE
    )
    comment = models.CharField(_("note to the centre"), max_length=LONG, blank=True)
    internal_comment = models.CharField(
        _("internal comment"), max_length=1_000, blank=True
    )
    delegated = models.BooleanField(_("delegate"), default=False)

    class Meta:
        verbose_name = _("imaging order")


class Referral(Command):
    """A referral to a specialty or practice; a delegated one raises a task.

    S1: "you may want all delegated referrals to go to a care coordination team".
    """

    refer_to = models.CharField(_("specialty or practice"), max_length=128)
    contact = models.CharField(_("contact"), max_length=128, blank=True)
    clinical_question = models.CharField(
        _("clinical question"), max_length=LONG, blank=True
    )
    priority = models.CharField(
        _("priority"), max_length=7, choices=Priority, default=Priority.ROUTINE
    )
    internal_comment = models.CharField(
        _("internal comment"), max_length=1_000, blank=True
    )
    delegated = models.BooleanField(_("delegate"), default=False)

    SILENT = Command.SILENT | {"refer_to", "contact"}

    class Meta:
        verbose_name = _("referral")

    @property
    def headline(self) -> str:
        """To whom, as the task's title has it (facts 6.4): Psychiatry (TBD)."""
        return f"{self.refer_to} ({self.contact or 'TBD'})"

    @property
    def details(self) -> list[tuple[Any, str]]:
        return [*self._said()]


class NoteTask(Command):
    """A task that is handed out in a note; committing makes it."""

    title = models.CharField(_("task"), max_length=255)
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
    due = models.DateField(_("due"), null=True, blank=True)
    comment = models.CharField(_("comment"), max_length=1_000, blank=True)

    RELATED = ("assignee", "team")

    class Meta:
        verbose_name = _("task in a note")
        verbose_name_plural = _("tasks in notes")
