"""A patient's administrative documents; clinical ones are reports."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from canvas_admin.records.models import Versioned
from patients.models.patients import Patient, PatientData
from patients.models.stored_files import StoredFile
from patients.querysets import DatedQuerySet


class AdministrativeDocument(StoredFile, Versioned, PatientData):
    """A paper about a patient that is no clinical finding: a card, a letter, a consent.

    S2: "Document Read: Allows the user the see patient's administrative documents". A
    removed one is kept, file and all, with who removed it and why.
    """

    class Kind(models.TextChoices):
        INSURANCE = "insurance", _("Insurance card")
        IDENTITY = "identity", _("Identification")
        CONSENT = "consent", _("Consent form")
        LETTER = "letter", _("Correspondence")
        LEGAL = "legal", _("Legal document")
        OTHER = "other", _("Other")

    dated_by = "filed"

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="administrative_documents"
    )
    title = models.CharField(_("title"), max_length=200)
    kind = models.CharField(_("kind"), max_length=9, choices=Kind)
    document_date = models.DateField(_("date of the document"), null=True, blank=True)
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    filed = models.DateTimeField(default=clock.now, editable=False)
    filed_by = models.ForeignKey(
        "staffing.Staff", on_delete=models.PROTECT, null=True, related_name="+"
    )
    removed = models.DateTimeField(null=True, blank=True, editable=False)
    removed_by = models.ForeignKey(
        "staffing.Staff", on_delete=models.PROTECT, null=True, related_name="+"
    )
    removed_reason = models.CharField(_("reason"), max_length=255, blank=True)

    objects = DatedQuerySet.as_manager()

    class Meta:
        ordering = ["-filed", "-id"]
        verbose_name = _("administrative document")

    def __str__(self) -> str:
        return f"administrative document {self.key[:8]}"
