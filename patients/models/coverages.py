"""Who pays: a patient's insurance, and what the payers said when they were asked."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients.models.patients import Patient, PatientData, ProfileData
from patients.models.raised_tasks import TaskSource

# What a coverage needs before it can be billed, and the words of a task's title.
ASKED_FOR = {
    "member_id": "no member id",
    "payer_address": "no address of the payer",
    "payer_phone": "no phone of the payer",
}


class Coverage(TaskSource, ProfileData):
    """An insurance of a patient (FHIR Coverage).

    `active` follows from the rest: not ended, not entered in error. Among the active ones
    each rank is held once; the database holds that. An active one in which something is
    missing is a task for the team that reviews coverages (facts 6.3); see follow_up().
    """

    change_type = "coverage"

    class Rank(models.IntegerChoices):
        PRIMARY = 1, _("Primary")
        SECONDARY = 2, _("Secondary")
        TERTIARY = 3, _("Tertiary")

    class Type(models.TextChoices):
        COMMERCIAL = "commercial", _("Commercial")
        MEDICARE = "medicare", _("Medicare")
        MEDICAID = "medicaid", _("Medicaid")
        MILITARY = "military", _("Military")
        WORKERS_COMPENSATION = "workers-comp", _("Workers' compensation")
        AUTO = "auto", _("Automobile")
        OTHER = "other", _("Other")

    class Relationship(models.TextChoices):
        SELF = "self", _("The patient is the subscriber")
        SPOUSE = "spouse", _("Spouse")
        CHILD = "child", _("Child")
        PARENT = "parent", _("Parent")
        COMMON = "common", _("Common-law spouse")
        OTHER = "other", _("Other")

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="coverages"
    )
    rank = models.PositiveSmallIntegerField(
        _("rank"), choices=Rank, default=Rank.PRIMARY
    )
    type = models.CharField(
        _("type"), max_length=12, choices=Type, default=Type.COMMERCIAL
    )
    payer_name = models.CharField(_("payer"), max_length=200)
    payer_id = models.CharField(_("payer id"), max_length=64, blank=True)
    payer_address = models.CharField(
        _("address for claims"), max_length=255, blank=True
    )
    payer_phone = models.CharField(_("phone of the payer"), max_length=64, blank=True)
    plan = models.CharField(_("plan"), max_length=200, blank=True)
    member_id = models.CharField(_("member id"), max_length=64, blank=True)
    group_number = models.CharField(_("group number"), max_length=64, blank=True)
    relationship = models.CharField(
        _("the patient's relationship to the subscriber"),
        max_length=8,
        choices=Relationship,
        default=Relationship.SELF,
        help_text=_("The subscriber is the one in whose name the insurance is."),
    )
    subscriber_name = models.CharField(
        _("name of the subscriber"),
        max_length=200,
        blank=True,
        help_text=_("Where it is not the patient."),
    )
    start = models.DateField(_("from"), null=True, blank=True)
    end = models.DateField(
        _("until"), null=True, blank=True, help_text=_("The last day that is covered.")
    )
    active = models.BooleanField(default=True, editable=False)
    # What an import goes by; see Claim.
    source_id = models.CharField(max_length=64, blank=True, editable=False)
    source_digest = models.CharField(max_length=64, blank=True, editable=False)
    source_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["-active", "rank", "id"]
        verbose_name = _("coverage")
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "rank"],
                condition=Q(active=True),
                name="one_active_coverage_per_rank",
            ),
            models.CheckConstraint(
                condition=Q(rank__in=(1, 2, 3)), name="coverage_rank_from_1_to_3"
            ),
        ]

    def __str__(self) -> str:
        return f"coverage {self.key[:8]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.active = not (self.entered_in_error or self.over)
        super().save(*args, **kwargs)

    @property
    def text(self) -> str:
        """Payer, plan and member id in one line."""
        return ", ".join(p for p in (self.payer_name, self.plan, self.member_id) if p)

    @property
    def missing(self) -> list[Any]:
        """The names of the fields without which nobody can bill it."""
        fields = [self._meta.get_field(name) for name in ASKED_FOR]
        return [f.verbose_name for f in fields if not getattr(self, f.name)]

    def follow_up(self, by: Any) -> None:
        """Let others complete it, or see that they need not; call it once it is saved.

        It has one open task at most, which says what is missing now. None is made again
        once somebody closed one without doing it. Its title names no payer: tasks are
        read by people who may not read the profile.
        """
        lacking = [
            words for name, words in ASKED_FOR.items() if not getattr(self, name)
        ]
        if not self.active:
            self.end_tasks(by, "CLOSED", gettext("Closed: it does not hold any more."))
        elif not lacking:
            self.end_tasks(by, "COMPLETED")
        else:
            self._ask_for(lacking, by)

    def _ask_for(self, lacking: list[str], by: Any) -> None:
        rank = self.Rank(self.rank).name.lower()
        title = f"Complete {rank} coverage: {', '.join(lacking)}"
        tasks = self.tasks.filter(status__in=("OPEN", "CLOSED")).order_by("-pk")
        if (task := tasks.first()) is None:
            self.raise_task(by, title, origin="INC_COV")
        elif task.is_open and task.title != title:
            task.title = title
            task.save()


class EligibilityCheck(PatientData):
    """One question to a payer whether a coverage holds, and what came back.

    The row is there, as failed, before the question goes out: what never comes back
    stays so.
    """

    class Outcome(models.TextChoices):
        ACTIVE = "active", _("Covered")
        INACTIVE = "inactive", _("Not covered")
        UNKNOWN = "unknown", _("Not known to the payer")
        FAILED = "failed", _("No answer")

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="eligibility_checks"
    )
    coverage = models.ForeignKey(
        Coverage, on_delete=models.PROTECT, related_name="eligibility_checks"
    )
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.FAILED)
    plan = models.CharField(max_length=200, blank=True)
    copay = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    message = models.CharField(max_length=255, blank=True)
    checked_at = models.DateTimeField(default=clock.now)
    checked_by = models.ForeignKey(
        "staffing.User", on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-checked_at", "-id"]
        verbose_name = _("eligibility check")
        indexes = [
            models.Index(
                fields=["coverage", "-checked_at", "-id"], name="newest_eligibility"
            )
        ]

    def __str__(self) -> str:
        return f"eligibility check {self.key[:8]}"
