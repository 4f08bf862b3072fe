"""Teams: groups of staff to which work is handed."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.fhir.datatypes import ContactPoint
from canvas_admin.records.models import Keyed, Versioned


class Team(Versioned):
    """S1: "Teams are used to group work." Its externally exposable id is the FHIR Group id."""

    externally_exposable_id = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False
    )
    name = models.CharField(_("name"), max_length=200)

    class Meta:
        ordering = ["name"]
        verbose_name = _("team")

    def __str__(self) -> str:
        return self.name


class TeamMember(Keyed):
    """A staff member in a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="members")
    staff = models.ForeignKey(
        "staffing.Staff", on_delete=models.PROTECT, related_name="team_memberships"
    )

    class Meta:
        verbose_name = _("team member")
        constraints = [
            models.UniqueConstraint(fields=["team", "staff"], name="once_in_a_team")
        ]

    def __str__(self) -> str:
        return str(self.staff)


class TeamResponsibility(Keyed):
    """A responsibility, held by one team at most (facts 1.3 and 6.3)."""

    class Code(models.TextChoices):
        SPECIMENS = (
            "COLLECT_SPECIMENS_FROM_PATIENT",
            _("Collect specimens from a patient"),
        )
        RESULTS = (
            "COMMUNICATE_DIAGNOSTIC_RESULTS_TO_PATIENT",
            _("Communicate diagnostic results to patient"),
        )
        REFERRALS = (
            "COORDINATE_REFERRALS_FOR_PATIENT",
            _("Coordinate referrals for a patient"),
        )
        REFILLS = (
            "PROCESS_REFILL_REQUESTS",
            _("Process refill requests from a pharmacy"),
        )
        CHANGES = (
            "PROCESS_CHANGE_REQUESTS",
            _("Process change requests from a pharmacy"),
        )
        LAB_VISITS = (
            "SCHEDULE_LAB_VISITS_FOR_PATIENT",
            _("Schedule lab visits for a patient"),
        )
        CAMPAIGNS = (
            "POPULATION_HEALTH_CAMPAIGN_OUTREACH",
            _("Population health campaign outreach"),
        )
        PAYMENTS = "COLLECT_PATIENT_PAYMENTS", _("Collect patient payments")
        LAB_ORDERS = "COMPLETE_OPEN_LAB_ORDERS", _("Complete open lab orders")
        ERA_EXCEPTIONS = (
            "REVIEW_ERA_POSTING_EXCEPTIONS",
            _("Review electronic remittance posting exceptions"),
        )
        COVERAGES = "REVIEW_COVERAGES", _("Review incomplete patient coverages")

    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, related_name="responsibilities"
    )
    code = models.CharField(
        _("responsibility"), max_length=48, choices=Code, unique=True
    )

    class Meta:
        verbose_name = _("responsibility")
        verbose_name_plural = _("responsibilities")

    def __str__(self) -> str:
        return self.get_code_display()


class TeamContactPoint(ContactPoint):
    """How to reach a team."""

    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, related_name="contact_points"
    )
