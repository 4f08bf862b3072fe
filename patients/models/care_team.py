"""Who takes which part in a patient's care."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from canvas_admin.events.tracking import ChangeTracked
from canvas_admin.records.models import Versioned
from patients.models.patients import Patient, PatientData


class CareTeamMembership(ChangeTracked, Versioned, PatientData):
    """A staff member's part in a patient's care (facts 6.5).

    Among the active ones of a patient: one role per person, one person per role, one
    lead. The database holds all three. Who leaves becomes inactive: rows are history.
    """

    change_type = "patient"

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        ACTIVE = "active", _("Active")
        SUSPENDED = "suspended", _("Suspended")
        INACTIVE = "inactive", _("Inactive")
        ENTERED_IN_ERROR = "entered-in-error", _("Entered in error")

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="care_team"
    )
    staff = models.ForeignKey(
        "staffing.Staff", on_delete=models.PROTECT, related_name="care_teams"
    )
    role = models.ForeignKey(
        "staffing.CareTeamRole", on_delete=models.PROTECT, related_name="memberships"
    )
    role_system = models.CharField(max_length=64, editable=False)
    role_code = models.CharField(max_length=64, editable=False)
    role_display = models.CharField(max_length=255, editable=False)
    status = models.CharField(
        _("status"), max_length=16, choices=Status, default=Status.ACTIVE
    )
    lead = models.BooleanField(_("lead"), default=False)
    source_id = models.CharField(max_length=64, blank=True)
    # What the last import brought, as a fingerprint: the same again changes nothing.
    source_digest = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        ordering = ["-lead", "role_display", "id"]
        verbose_name = _("care team membership")
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "staff"],
                condition=Q(status="active"),
                name="one_active_role_per_person",
            ),
            models.UniqueConstraint(
                fields=["patient", "role"],
                condition=Q(status="active"),
                name="one_active_person_per_role",
            ),
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(status="active", lead=True),
                name="one_active_lead",
            ),
        ]

    def __str__(self) -> str:
        return f"care team membership {self.key[:8]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.role_code:
            self.role_system = self.role.system
            self.role_code = self.role.code
            self.role_display = self.role.display
        super().save(*args, **kwargs)
