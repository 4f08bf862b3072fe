"""Work that is handed to a person or a team, and results that wait for a review."""

from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from canvas_admin.records.models import Versioned
from patients import access, work
from patients.models.raised_tasks import TaskSource
from patients.work import work_keys
from staffing.models import staff_of

# An imported result that is older was looked at where it came from.
NEWS = timedelta(days=30)


class Shelved(Versioned):
    """A row that lists find by its keys, which saving keeps; see patients.work.

    `patient` is a field of the model.
    """

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str, field_names: Any, values: Any) -> "Shelved":
        row = super().from_db(db, field_names, values)
        row._patient_before = row.__dict__.get("patient_id")
        return row

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            adding = self._state.adding
            super().save(*args, **kwargs)
            if adding:
                self.furnish()
            self.keep_keys()

    def furnish(self) -> None:
        """Save what a new row has besides, before its keys are made; by itself, nothing."""

    def keep_keys(self) -> None:
        """Make its keys what they must be; call it in the transaction of the change."""
        work_keys.keep(self, getattr(self, "_patient_before", None))
        self._patient_before = self.patient_id


class WorkItem(Shelved):
    """What somebody has to do, most often about a patient.

    It belongs to `assignee`; without one to the members of `team`; without either to the
    unassigned queue. `OPEN` says which rows still wait, `dated_by` names the field with
    the instant that orders panels, and `came_by` the one when it came, where that is
    another.
    """

    assignee = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("assigned to"),
    )
    team = models.ForeignKey(
        "staffing.Team",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("team"),
    )
    assigned_at = models.DateTimeField(null=True, blank=True, editable=False)

    OPEN: Q
    dated_by: str
    came_by = ""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            if self._state.adding:
                self.route()
            super().save(*args, **kwargs)

    def route(self) -> None:
        """Give a new item to somebody whom nobody has chosen; by itself, to nobody."""

    def hand_to(self, assignee: Any = None, team: Any = None) -> None:
        """Give it to a person, to a team, or back to the unassigned queue; saves nothing."""
        self.assignee, self.team = assignee, team
        self.assigned_at = clock.now() if assignee or team else None

    @property
    def title(self) -> str:
        """What it is, to somebody who may open it."""
        return self.display

    @property
    def waits_since(self) -> Any:
        """When it came; None where it is not known."""
        return getattr(self, self.came_by or self.dated_by)

    @property
    def assigned(self) -> bool:
        """Whether it was given to anybody."""
        return bool(self.assignee_id or self.team_id)


class Communication(models.TextChoices):
    """Who tells the patient of a result (facts 6.4, "communication method")."""

    NOBODY = "nobody", _("Nobody has to tell the patient")
    TOLD = "told", _("I told the patient")
    DELEGATED = "delegated", _("Delegate it")


class Reviewable(TaskSource, WorkItem):
    """A result that somebody has to review: open until it is.

    S2, Clinical write: "... in the panel views like “New labs”, “New imaging” (e.g.
    reviewing results, etc.)". Reviewed by nobody: an old result that came by an import.
    `TELLING` is the origin of the task to tell the patient, and what its title says of it.
    """

    TELLING: tuple[str, str]

    reviewed = models.DateTimeField(_("reviewed"), null=True, editable=False)
    reviewed_by = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        verbose_name=_("reviewed by"),
    )
    review_comment = models.CharField(_("comment"), max_length=1000, blank=True)
    communication = models.CharField(
        _("telling the patient"),
        max_length=9,
        choices=Communication,
        blank=True,
        editable=False,
    )

    OPEN = Q(reviewed__isnull=True, entered_in_error=False)

    class Meta:
        abstract = True

    def route(self) -> None:
        """A result to review goes to the care team lead, if the lead can open it."""
        if self.reviewed or self.assigned:
            return
        members = apps.get_model("patients", "CareTeamMembership").objects
        lead = members.filter(patient=self.patient_id, status="active", lead=True)
        row = lead.select_related("staff__user").first()
        if row and can_open(row.staff, type(self), self.patient_id):
            self.hand_to(assignee=row.staff)

    def came_by_import(self) -> None:
        """Take a new row of an import: what is no news need not be reviewed here."""
        date = getattr(self, self.dated_by)
        if date is None or date < clock.now() - NEWS:
            self.reviewed = clock.now()

    def review(self, by: Any, comment: str, communication: str = "") -> None:
        """Mark as reviewed now by this staff member; saves nothing."""
        self.reviewed, self.reviewed_by = clock.now(), by
        self.review_comment, self.communication = comment, communication

    def take_back_review(self) -> None:
        """Let it wait for a review again; saves nothing. The comment stays with it."""
        self.reviewed = self.reviewed_by = None
        self.communication = ""

    def delegate(self, by: Any, message: str) -> None:
        """Make the task to tell the patient; the message says what."""
        origin, what = self.telling
        title = f"Communicate {what} to patient: {self.display}"
        self.raise_task(by, title, message, origin=origin)

    @property
    def telling(self) -> tuple[str, str]:
        """TELLING, for this row."""
        return self.TELLING

    def call_off(self, by: Any, reason: str) -> None:
        """Close its tasks that nobody has begun with; the others are told why."""
        staff = staff_of(by)
        for task in self.tasks.filter(status="OPEN"):
            if task.untouched:
                task.set_status("CLOSED", staff)
                task.save()
            task.comments.create(author=staff, text=reason)


def can_open(staff: Any, model: type[WorkItem], patient: int) -> bool:
    """Whether a staff member may open items of this model about a patient (primary key)."""
    user = staff.user
    if user is None or not user.has_perms(work.kind_of(model).permissions):
        return False
    return bool(access.opened(user, [patient]))
