"""Files that came in and wait to be linked to a patient (S2, "Data integration Access")."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients.models.patients import Patient, PatientData
from patients.models.stored_files import StoredFile
from patients.models.work import Shelved
from patients.querysets import DatedQuerySet
from staffing.models import TeamMember


class IncomingQuerySet(DatedQuerySet):
    """Questions about incoming files; visible_to() knows those that are linked alone."""

    def unlinked(self) -> "IncomingQuerySet":
        """What holders of "Data integration access" see, whomever they reach (A12)."""
        return self.exclude(state=IncomingFile.State.LINKED)

    def seen_by(self, account: Any) -> "IncomingQuerySet":
        """These, and the linked ones whose patient is within the account's reach."""
        return self.unlinked() | self.visible_to(account)

    def given_to(self, staff: Any) -> "IncomingQuerySet":
        """What a person looks after: the person's own, and those of the person's teams."""
        teams = TeamMember.objects.filter(staff=staff).values("team")
        return self.filter(Q(assignee=staff) | Q(assignee=None, team__in=teams))


class IncomingFile(StoredFile, Shelved, PatientData):
    """A file that somebody uploaded, whose patient is not known to the system at first.

    Linking makes a row of the patient's with the same file, and from then on the file is
    within the patient's reach. Neither a rejected nor a linked one is deleted: both go
    back into the inbox.
    """

    dated_by = "uploaded"

    class State(models.TextChoices):
        NEW = "new", _("New")
        LINKED = "linked", _("Linked")
        REJECTED = "rejected", _("Rejected")

    class Source(models.TextChoices):
        FAX = "fax", _("Fax")
        SCAN = "scan", _("Scanned paper")
        EMAIL = "email", _("Email")
        PORTAL = "portal", _("Another organization's portal")
        OTHER = "other", _("Other")

    source = models.CharField(_("how it came"), max_length=6, choices=Source)
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    uploaded = models.DateTimeField(default=clock.now, editable=False)
    uploaded_by = models.ForeignKey(
        "staffing.Staff", on_delete=models.PROTECT, null=True, related_name="+"
    )
    assignee = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("reviewer"),
    )
    team = models.ForeignKey(
        "staffing.Team",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("team"),
    )
    assigned_at = models.DateTimeField(null=True, editable=False)
    state = models.CharField(
        max_length=8, choices=State, default=State.NEW, editable=False
    )
    rejected_at = models.DateTimeField(null=True, editable=False)
    rejected_by = models.ForeignKey(
        "staffing.Staff", on_delete=models.PROTECT, null=True, related_name="+"
    )
    rejected_reason = models.CharField(_("reason"), max_length=255, blank=True)
    patient = models.ForeignKey(
        Patient,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="incoming_files",
    )
    # The code of patients.linking's kind, and the key of the patient's row.
    linked_as = models.CharField(max_length=20, blank=True, editable=False)
    linked_row = models.CharField(max_length=32, blank=True, editable=False)
    linked_at = models.DateTimeField(null=True, editable=False)
    linked_by = models.ForeignKey(
        "staffing.Staff", on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects = IncomingQuerySet.as_manager()

    class Meta:
        ordering = ["-uploaded", "-id"]
        verbose_name = _("incoming file")
        constraints = [
            models.CheckConstraint(
                condition=Q(state="linked", patient__isnull=False)
                | Q(~Q(state="linked"), patient__isnull=True),
                name="linked_to_a_patient",
            )
        ]
        indexes = [
            models.Index(fields=["state", "uploaded", "id"], name="incoming_by_state"),
            models.Index(fields=["sha256"], name="incoming_by_content"),
        ]

    def __str__(self) -> str:
        return f"incoming file {self.key[:8]}"
