"""Commands that ask others for something: medicines, pictures, referrals, tasks."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients.models.clinical import Medication
from patients.models.commands import LONG, Command
from patients.models.raised_tasks import TaskSource

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


class Priority(models.TextChoices):
    """How soon it is wanted (facts 3.2)."""

    ROUTINE = "routine", _("Routine")
    URGENT = "urgent", _("Urgent")
    STAT = "stat", _("Stat")


class Prescription(Command):
    """A medicine that is prescribed; committing puts it among the medications."""

    change_type = "prescription"
    HEADLINE = "display"

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


class RaisesTask(TaskSource, Command):
    """A command that others carry on with a task, made when it is committed."""

    PREFETCHED = ("tasks",)

    class Meta:
        abstract = True

    @property
    def completed(self) -> bool:
        """Whether it was carried out: all of its tasks are (facts 6.4)."""
        states = {task.status for task in self.tasks.all()}
        return self.committed and states == {"COMPLETED"}

    def unmake(self, reason: str, by: Any) -> None:
        """Close what is still to be done; what was done, was."""
        said = gettext("Closed: what asked for it was entered in error.")
        self.end_tasks(by, "CLOSED", said)


class DelegatedOrder(RaisesTask):
    """An order that the clinician may leave to a team to see through ("delegate").

    The origin routes the task to the team that is responsible; it is unassigned if none is.
    """

    TASK_ORIGIN = ""

    priority = models.CharField(
        _("priority"), max_length=7, choices=Priority, default=Priority.ROUTINE
    )
    internal_comment = models.CharField(
        _("internal comment"), max_length=1_000, blank=True
    )
    delegated = models.BooleanField(_("delegate"), default=False)

    class Meta:
        abstract = True

    @property
    def task_title(self) -> str:
        raise NotImplementedError

    def make(self, by: Any) -> None:
        if self.delegated:
            self.raise_task(
                by,
                self.task_title,
                self.internal_comment,
                origin=self.TASK_ORIGIN,
                priority=self.priority,
            )


class ImagingOrder(DelegatedOrder):
    """A picture that is asked for (facts 6.4)."""

    HEADLINE = "study"
    TASK_ORIGIN = "CMP_IMG_ORD"

    study = models.CharField(_("study"), max_length=255)
    centre = models.CharField(_("imaging centre"), max_length=255, blank=True)
    comment = models.CharField(_("note to the centre"), max_length=LONG, blank=True)

    class Meta:
        verbose_name = _("imaging order")

    @property
    def task_title(self) -> str:
        return f"Order imaging: {self.study} ({self.centre or 'TBD'})"


class Referral(DelegatedOrder):
    """A referral to a specialty or practice.

    S1: "you may want all delegated referrals to go to a care coordination team".
    """

    TASK_ORIGIN = "REF_CMD"
    SILENT = Command.SILENT | {"refer_to", "contact"}

    refer_to = models.CharField(_("specialty or practice"), max_length=128)
    contact = models.CharField(_("contact"), max_length=128, blank=True)
    clinical_question = models.CharField(
        _("clinical question"), max_length=LONG, blank=True
    )

    class Meta:
        verbose_name = _("referral")

    @property
    def headline(self) -> str:
        """To whom, as the task's title has it: Psychiatry (TBD)."""
        return f"{self.refer_to} ({self.contact or 'TBD'})"

    @property
    def task_title(self) -> str:
        """S1: protocols look for "Refer patient to Psychiatry (TBD)", to the letter."""
        return f"Refer patient to {self.headline}"


class NoteTask(RaisesTask):
    """A task that is handed out in a note; committing makes it."""

    HEADLINE = "title"
    RELATED = ("assignee", "team")

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

    class Meta:
        verbose_name = _("task in a note")
        verbose_name_plural = _("tasks in notes")

    def make(self, by: Any) -> None:
        """The task; it is due at the end of its day."""
        ends = self.due and clock.midnight(self.due + timedelta(days=1))
        self.raise_task(
            by,
            self.title,
            self.comment,
            assignee=self.assignee,
            team=self.team,
            due=ends and ends - timedelta(minutes=1),
        )
