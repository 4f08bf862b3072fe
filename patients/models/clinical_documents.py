"""Clinical papers that are neither a laboratory's nor an imaging report."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.events.tracking import ChangeTracked
from patients.models.clinical import ClinicalRow
from patients.models.patients import Patient
from patients.models.stored_files import AttachedFile
from patients.models.work import Reviewable


class ClinicalDocument(ChangeTracked, AttachedFile, Reviewable, ClinicalRow):
    """A consultant's report, a discharge summary, a note from elsewhere.

    The original calls the unsorted ones "uncategorized clinical documents" (facts 6.4);
    FHIR DocumentReference. What it says is its file or its text; a source may send
    neither, then the chart at least tells that there is one. `clinical_date` is an
    instant like the dates of other results, so that one panel orders them all.
    """

    TEXT_LIMIT = 100_000
    dated_by = "clinical_date"
    TELLING = ("UNC_DOC_REP_REV", "document")
    TELLING_OF_CONSULTS = ("CON_REP_REV", "consult report")

    class Kind(models.TextChoices):
        CONSULT = "consult", _("Consult report")
        OTHER = "other", _("Clinical document")

    class Status(models.TextChoices):
        PRELIMINARY = "preliminary", _("Preliminary")
        FINAL = "final", _("Final")
        AMENDED = "amended", _("Amended")
        SUPERSEDED = "superseded", _("Superseded")

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="clinical_documents"
    )
    kind = models.CharField(_("kind"), max_length=7, choices=Kind, default=Kind.OTHER)
    status = models.CharField(
        _("status"), max_length=11, choices=Status, default=Status.FINAL
    )
    clinical_date = models.DateTimeField(_("clinical date"), null=True, blank=True)
    text = models.CharField(_("text"), max_length=TEXT_LIMIT, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("clinical document")
        indexes = [
            models.Index(fields=["patient", "source_id"], name="clinical_doc_source")
        ]

    @property
    def change_type(self) -> str:
        """A consultant's report; the workflow kit knows no other."""
        consult = self.kind == self.Kind.CONSULT
        return "referral_report" if consult else "clinical_document"

    @property
    def telling(self) -> tuple[str, str]:
        consult = self.kind == self.Kind.CONSULT
        return self.TELLING_OF_CONSULTS if consult else self.TELLING
