"""What laboratories and imaging report, and single observations."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.events.tracking import ChangeTracked
from patients import units
from patients.models.clinical import ClinicalRow
from patients.models.patients import Patient
from patients.models.stored_files import AttachedFile
from patients.models.work import Reviewable

VITAL_SIGNS = "vital-signs"


class ReportStatus(models.TextChoices):
    """How far a report is (FHIR DiagnosticReport.status, ImagingStudy.status)."""

    REGISTERED = "registered", _("Registered")
    AVAILABLE = "available", _("Available")
    PARTIAL = "partial", _("Partial")
    PRELIMINARY = "preliminary", _("Preliminary")
    FINAL = "final", _("Final")
    AMENDED = "amended", _("Amended")
    CORRECTED = "corrected", _("Corrected")
    APPENDED = "appended", _("Appended")
    CANCELLED = "cancelled", _("Cancelled")
    UNKNOWN = "unknown", _("Unknown")


class LabReport(ChangeTracked, AttachedFile, Reviewable, ClinicalRow):
    """A laboratory's report; its values are observations (FHIR DiagnosticReport)."""

    change_type = "lab_report"
    dated_by = "reported"
    TELLING = ("LAB_RES_REV", "lab results")

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="lab_reports"
    )
    status = models.CharField(_("status"), max_length=12, choices=ReportStatus)
    reported = models.DateTimeField(_("date"), null=True, blank=True)
    conclusion = models.CharField(_("conclusion"), max_length=10_000, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("lab report")
        indexes = [
            models.Index(fields=["patient", "source_id"], name="lab_report_source")
        ]

    @property
    def abnormal_values(self) -> int:
        """How many of its values are marked as abnormal."""
        return sum(value.abnormal for value in self.values.all())


class ImagingReport(ChangeTracked, AttachedFile, Reviewable, ClinicalRow):
    """An imaging study or its report (FHIR ImagingStudy, DiagnosticReport)."""

    change_type = "imaging_report"
    dated_by = "reported"
    TELLING = ("IMG_REP_REV", "imaging results")

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="imaging_reports"
    )
    status = models.CharField(_("status"), max_length=12, choices=ReportStatus)
    modality = models.CharField(_("modality"), max_length=128, blank=True)
    body_site = models.CharField(_("body site"), max_length=255, blank=True)
    reported = models.DateTimeField(_("date"), null=True, blank=True)
    conclusion = models.CharField(_("conclusion"), max_length=10_000, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("imaging report")
        indexes = [models.Index(fields=["patient", "source_id"], name="imaging_source")]


class Observation(ChangeTracked, ClinicalRow):
    """One finding, such as a laboratory value or a vital sign (FHIR Observation).

    `value` is the text that the source sent, with its own precision; `unit` stands apart.
    """

    dated_by = "observed"

    class Status(models.TextChoices):
        REGISTERED = "registered", _("Registered")
        PRELIMINARY = "preliminary", _("Preliminary")
        FINAL = "final", _("Final")
        AMENDED = "amended", _("Amended")
        CORRECTED = "corrected", _("Corrected")
        CANCELLED = "cancelled", _("Cancelled")
        UNKNOWN = "unknown", _("Unknown")

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="observations"
    )
    report = models.ForeignKey(
        LabReport,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="values",
    )
    # The command of a note that measured it.
    vital_signs = models.ForeignKey(
        "patients.VitalSigns",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="observations",
    )
    category = models.CharField(_("category"), max_length=64, blank=True)
    status = models.CharField(_("status"), max_length=11, choices=Status)
    value = models.CharField(_("value"), max_length=500, blank=True)
    unit = models.CharField(_("unit"), max_length=64, blank=True)
    reference_range = models.CharField(_("usual range"), max_length=128, blank=True)
    interpretation = models.CharField(_("interpretation"), max_length=64, blank=True)
    abnormal = models.BooleanField(_("abnormal"), default=False)
    observed = models.DateTimeField(_("date"), null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("observation")
        indexes = [
            models.Index(fields=["patient", "source_id"], name="observation_source")
        ]

    @property
    def change_type(self) -> str:
        """A vital sign by itself, or a value of a report."""
        return "vital_sign" if self.category == VITAL_SIGNS else "lab_report"

    @property
    def measured(self) -> str:
        """The value with its unit, as people read them."""
        return units.measured(self.value, self.unit)
