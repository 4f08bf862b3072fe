"""Clinical rows of the chart; what laboratories and imaging report is in results.py."""

from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from canvas_admin.events.tracking import ChangeTracked
from canvas_admin.records.models import Versioned
from patients.models.chart_changes import ChartChange
from patients.models.patients import Patient, PatientData
from patients.querysets import ClinicalQuerySet


class ClinicalRow(PatientData):
    """What a chart holds of something that has a code.

    Nothing is deleted: what was wrong stays, marked with a reason, and is not shown.
    """

    system = models.CharField(max_length=64, blank=True)
    code = models.CharField(_("code"), max_length=64, blank=True)
    display = models.CharField(_("name"), max_length=255)
    entered_in_error = models.BooleanField(_("entered in error"), default=False)
    entered_in_error_reason = models.CharField(_("reason"), max_length=255, blank=True)
    # The id under which another system sent this row; with it an import finds it again.
    source_id = models.CharField(max_length=64, blank=True)
    # What the last import brought, as a fingerprint: the same again changes nothing.
    source_digest = models.CharField(max_length=64, blank=True, editable=False)

    # The field whose date orders a list of these rows.
    dated_by: str

    objects = ClinicalQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.key[:8]}"


class ChartEntry(ChangeTracked, Versioned, ClinicalRow):
    """What people write into the chart, too: every change is kept (ChartChange)."""

    class Meta:
        abstract = True

    @transaction.atomic
    def save(self, *args: Any, by: Any = None, **kwargs: Any) -> None:
        """Save, and keep what was there; `by` is the account that acts, if one does."""
        rows = type(self)._base_manager.select_for_update()
        before = rows.filter(pk=self.pk).first() if self.pk else None
        super().save(*args, **kwargs)
        ChartChange.keep(self, before, by)

    def mark_in_error(self, reason: str, by: Any) -> None:
        """Say that it should not be there."""
        self.entered_in_error, self.entered_in_error_reason = True, reason
        self.save(by=by)


class Condition(ChartEntry):
    """A problem or diagnosis (FHIR Condition)."""

    change_type = "condition"
    dated_by = "onset"

    class ClinicalStatus(models.TextChoices):
        ACTIVE = "active", _("Active")
        RECURRENCE = "recurrence", _("Recurrence")
        RELAPSE = "relapse", _("Relapse")
        INACTIVE = "inactive", _("Inactive")
        REMISSION = "remission", _("Remission")
        RESOLVED = "resolved", _("Resolved")

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="conditions"
    )
    category = models.CharField(max_length=64, blank=True)
    clinical_status = models.CharField(
        _("status"), max_length=10, choices=ClinicalStatus
    )
    verification_status = models.CharField(max_length=16, blank=True)
    onset = models.DateTimeField(_("began"), null=True, blank=True)
    abatement = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        ordering = ["-onset", "id"]
        verbose_name = _("condition")
        indexes = [
            models.Index(fields=["patient", "source_id"], name="condition_source")
        ]

    @property
    def ongoing(self) -> bool:
        """Whether the condition counts among the patient's current ones."""
        return self.clinical_status in ("active", "recurrence", "relapse")


class Medication(ChartEntry):
    """A medicine that the patient takes or took (FHIR MedicationRequest)."""

    change_type = "medication"
    dated_by = "started"

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        ON_HOLD = "on-hold", _("On hold")
        CANCELLED = "cancelled", _("Cancelled")
        COMPLETED = "completed", _("Completed")
        STOPPED = "stopped", _("Stopped")
        DRAFT = "draft", _("Draft")
        UNKNOWN = "unknown", _("Unknown")

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="medications"
    )
    status = models.CharField(_("status"), max_length=10, choices=Status)
    directions = models.CharField(_("directions"), max_length=500, blank=True)
    refills = models.PositiveSmallIntegerField(_("refills"), null=True, blank=True)
    started = models.DateTimeField(_("prescribed"), null=True, blank=True)

    class Meta:
        ordering = ["-started", "id"]
        verbose_name = _("medication")
        indexes = [
            models.Index(fields=["patient", "source_id"], name="medication_source")
        ]

    @property
    def ongoing(self) -> bool:
        """Whether the patient is meant to take it now; unknown counts, to be safe."""
        return self.status in (
            self.Status.ACTIVE,
            self.Status.ON_HOLD,
            self.Status.UNKNOWN,
        )


class AllergyIntolerance(ChartEntry):
    """What the patient does not bear (FHIR AllergyIntolerance)."""

    change_type = "allergy_intolerance"
    dated_by = "recorded"

    class ClinicalStatus(models.TextChoices):
        ACTIVE = "active", _("Active")
        INACTIVE = "inactive", _("Inactive")
        RESOLVED = "resolved", _("Resolved")

    class Kind(models.TextChoices):
        ALLERGY = "allergy", _("Allergy")
        INTOLERANCE = "intolerance", _("Intolerance")

    class Criticality(models.TextChoices):
        LOW = "low", _("Low risk")
        HIGH = "high", _("High risk")
        UNABLE_TO_ASSESS = "unable-to-assess", _("Risk not known")

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="allergies"
    )
    clinical_status = models.CharField(
        _("status"), max_length=8, choices=ClinicalStatus
    )
    verification_status = models.CharField(max_length=16, blank=True)
    kind = models.CharField(_("kind"), max_length=11, choices=Kind, blank=True)
    criticality = models.CharField(
        _("risk"), max_length=16, choices=Criticality, blank=True
    )
    reaction = models.CharField(_("reaction"), max_length=255, blank=True)
    onset = models.DateTimeField(_("began"), null=True, blank=True)
    recorded = models.DateTimeField(_("recorded"), null=True, blank=True)

    class Meta:
        ordering = ["display", "id"]
        verbose_name = _("allergy")
        verbose_name_plural = _("allergies")
        indexes = [models.Index(fields=["patient", "source_id"], name="allergy_source")]

    @property
    def ongoing(self) -> bool:
        """Whether it still has to be minded."""
        return self.clinical_status == self.ClinicalStatus.ACTIVE


class Immunization(ChartEntry):
    """A vaccine that was given, or was not and why (FHIR Immunization)."""

    change_type = "immunization"
    dated_by = "given"

    class Status(models.TextChoices):
        COMPLETED = "completed", _("Given")
        NOT_DONE = "not-done", _("Not given")

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="immunizations"
    )
    status = models.CharField(_("status"), max_length=9, choices=Status)
    given = models.DateTimeField(_("given"), null=True, blank=True)
    lot_number = models.CharField(_("lot number"), max_length=64, blank=True)
    reason_not_given = models.CharField(
        _("why it was not given"), max_length=255, blank=True
    )

    class Meta:
        ordering = ["-given", "id"]
        verbose_name = _("immunization")
        indexes = [
            models.Index(fields=["patient", "source_id"], name="immunization_source")
        ]
