"""Campaigns: one task for each patient of a patient group (facts 6.3, 6.4)."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from canvas_admin.records.models import Versioned
from patients import access
from patients.models import Patient, PatientGroup
from patients.querysets import DatedQuerySet
from staffing.standing import NOTHING
from tasks.models.labels import TaskLabel
from tasks.models.tasks import Task
from tasks.origins import Origin


class CampaignQuerySet(DatedQuerySet):
    """Questions about campaigns, which belong to a patient group and to no patient."""

    def visible_to(self, account: Any) -> "CampaignQuerySet":
        """Those over the patient groups that are offered to this account, and its own.

        `account` is an account, not a Reach: model permissions are asked of it too.
        """
        if access.Reach.of(account).standing == NOTHING:
            return self.none()
        own = models.Q(creator__user=account)
        return self.filter(own | models.Q(patient_group__in=groups_offered(account)))


def groups_offered(account: Any) -> models.QuerySet[PatientGroup]:
    """The patient groups over which this account may make a campaign.

    Those that it holds; whoever may see the members of every group, all (DESIGN section
    8, "person Group"). So a campaign tells nobody who is in a group.
    """
    groups = PatientGroup.objects.filter(retired__isnull=True)
    if account.has_perm("patients.view_patientgroupmember"):
        return groups
    return groups.filter(pk__in=access.Reach.of(account).opened)


class Campaign(Versioned):
    """What is to be done for each patient of a group, as it is while the tasks are made.

    They are made in parts, by memberships in the order of their primary keys, and closed
    in parts, by tasks in theirs: `position` is the last one that was looked at.
    """

    class State(models.TextChoices):
        MAKING = "making", _("Tasks are being made")
        RUNNING = "running", _("Under way")
        ENDING = "ending", _("Is being ended")
        ENDED = "ended", _("Ended")

    dated_by = "created"

    patient_group = models.ForeignKey(
        PatientGroup,
        on_delete=models.PROTECT,
        related_name="campaigns",
        verbose_name=_("patient group"),
    )
    title = models.CharField(_("title"), max_length=Task.LONGEST_TITLE)
    due = models.DateTimeField(_("due"), null=True, blank=True)
    priority = models.CharField(
        _("priority"), max_length=7, choices=Task.Priority, blank=True
    )
    labels = models.ManyToManyField(
        TaskLabel, related_name="campaigns", verbose_name=_("labels")
    )
    creator = models.ForeignKey(
        "staffing.Staff", on_delete=models.PROTECT, null=True, related_name="campaigns"
    )
    created = models.DateTimeField(default=clock.now, editable=False)
    state = models.CharField(
        max_length=7, choices=State, default=State.MAKING, editable=False
    )
    position = models.BigIntegerField(default=0, editable=False)
    ended = models.DateTimeField(null=True, editable=False)
    ended_by = models.ForeignKey(
        "staffing.Staff", on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "-id"]
        verbose_name = _("campaign")
        indexes = [
            models.Index(fields=["created", "id"], name="campaign_by_age"),
        ]

    def __str__(self) -> str:
        """Without its title, which may name a patient."""
        return f"campaign {self.key[:8]}"

    @property
    def goes_on(self) -> bool:
        """Whether tasks are still to be made, or to be closed."""
        return self.state in (self.State.MAKING, self.State.ENDING)

    def make_task(self, patient: Patient, labels: Iterable[TaskLabel]) -> Task:
        """The task for one patient, routed as any automated task; its keys are kept later."""
        task = Task(
            campaign=self,
            patient=patient,
            origin=Origin.CAMPAIGN,
            title=self.title,
            due=self.due,
            priority=self.priority,
            creator=self.creator,
        )
        task.keys_later = True
        task.begin_with(labels)
        task.save()
        return task
