"""Clinical rows. So far: conditions."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models.patients import Patient, PatientData


class Condition(PatientData):
    """A problem or diagnosis (FHIR Condition)."""

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
    system = models.CharField(max_length=64)
    code = models.CharField(_("code"), max_length=64)
    display = models.CharField(_("condition"), max_length=255)
    category = models.CharField(max_length=64, blank=True)
    clinical_status = models.CharField(
        _("status"), max_length=10, choices=ClinicalStatus
    )
    verification_status = models.CharField(max_length=16, blank=True)
    onset = models.DateTimeField(_("began"), null=True, blank=True)
    abatement = models.DateTimeField(_("ended"), null=True, blank=True)
    entered_in_error = models.BooleanField(default=False)
    entered_in_error_reason = models.CharField(max_length=255, blank=True)
    # The id under which another system sent this row; with it an import finds it again.
    source_id = models.CharField(max_length=64, blank=True)
    # What the last import brought, as a fingerprint: the same again changes nothing.
    source_digest = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        ordering = ["-onset", "id"]
        indexes = [
            models.Index(fields=["patient", "source_id"], name="condition_source")
        ]

    def __str__(self) -> str:
        return f"condition {self.key[:8]}"

    @property
    def ongoing(self) -> bool:
        """Whether the condition counts among the patient's current ones."""
        return self.clinical_status in ("active", "recurrence", "relapse")
