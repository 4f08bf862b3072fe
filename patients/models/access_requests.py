"""Requests for access to a patient out of reach (S2, "Filtered patient search")."""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.audit import trail
from canvas_admin.records import clock
from canvas_admin.records.models import Versioned
from patients.models.groups import PatientGroupMember
from patients.models.patients import Patient
from staffing.explanations import shown_moment


class ClosedMeanwhile(ValidationError):
    """Somebody else closed the request first; the message says who and how."""

    def __init__(self, request: "AccessRequest") -> None:
        said = _("This page is out of date. Look at the request again.")
        if not request.is_open:
            said = _("This request is closed already: %(outcome)s.")
            said %= {"outcome": request.outcome}
        super().__init__(said, code="closed_meanwhile")


class AccessRequestQuerySet(models.QuerySet):
    """Questions about requests for access."""

    def waiting(self) -> "AccessRequestQuerySet":
        """The requests that nobody has decided yet."""
        return self.filter(state=AccessRequest.State.OPEN)

    def closed(self) -> "AccessRequestQuerySet":
        """The requests that were decided or withdrawn."""
        return self.filter(decided_at__isnull=False)

    def with_people(self) -> "AccessRequestQuerySet":
        """With what a list shows of each, so that it asks no more for a row."""
        return self.select_related(
            "patient", "staff__user", "membership", "decided_by__staff"
        )


class AccessRequest(Versioned):
    """Somebody's request to open a patient, for holders of "Staff Permissions" to decide.

    S2: "so that the user can verify that a patient is already in the system, and request
    access to them, rather than creating a new patient." It opens nothing by itself, and
    is no PatientData: the person who asked and administrators read it, whoever reaches
    the patient. It is closed once and for good; at most one of a person and patient is
    open.
    """

    class State(models.TextChoices):
        OPEN = "open", gettext_lazy("Open")
        GRANTED = "granted", gettext_lazy("Granted")
        DECLINED = "declined", gettext_lazy("Declined")
        WITHDRAWN = "withdrawn", gettext_lazy("Withdrawn")

    class Length(models.TextChoices):
        DAY = "day", gettext_lazy("One day")
        WEEK = "week", gettext_lazy("One week")
        MONTH = "month", gettext_lazy("One month (30 days)")
        OPEN_END = "open-end", gettext_lazy("Until further notice")

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="access_requests"
    )
    staff = models.ForeignKey(
        "staffing.Staff", on_delete=models.PROTECT, related_name="access_requests"
    )
    reason = models.CharField(gettext_lazy("reason"), max_length=500)
    # A length and no date: the time begins when the request is granted.
    wanted_for = models.CharField(
        gettext_lazy("for how long"),
        max_length=8,
        choices=Length,
        default=Length.WEEK,
    )
    state = models.CharField(
        gettext_lazy("state"),
        max_length=9,
        choices=State,
        default=State.OPEN,
        editable=False,
    )
    asked_at = models.DateTimeField(default=clock.now, editable=False)
    decided_at = models.DateTimeField(null=True, editable=False)
    decided_by = models.ForeignKey(
        "staffing.User",
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
    )
    answer = models.CharField(gettext_lazy("answer"), max_length=500, blank=True)
    # What granting put in, or found: its end is the end of the access.
    membership = models.ForeignKey(
        PatientGroupMember,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="access_requests",
    )
    # When the person who asked was told of the outcome.
    told_at = models.DateTimeField(null=True, editable=False)

    objects = AccessRequestQuerySet.as_manager()

    LENGTHS = {
        Length.DAY: timedelta(days=1),
        Length.WEEK: timedelta(weeks=1),
        Length.MONTH: timedelta(days=30),
    }

    class Meta:
        ordering = ["-id"]
        verbose_name = gettext_lazy("access request")
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "staff"],
                condition=Q(state="open"),
                name="one_open_access_request",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "id"], name="access_request_by_state"),
            models.Index(
                fields=["decided_at", "id"], name="access_request_by_decision"
            ),
        ]

    def __str__(self) -> str:
        return f"access request {self.key[:8]}"

    @property
    def is_open(self) -> bool:
        """Whether the request waits for a decision."""
        return self.state == self.State.OPEN

    @property
    def is_news(self) -> bool:
        """Whether there is a decision that the person who asked was not told of."""
        decided = (self.State.GRANTED, self.State.DECLINED)
        return self.told_at is None and self.state in decided

    @property
    def wished_end(self) -> datetime | None:
        """When the access would end if it began now; None: until further notice."""
        length = self.LENGTHS.get(self.wanted_for)
        return length and clock.now() + length

    @property
    def outcome(self) -> str:
        """How it was closed: "granted by Ruth Feldman, 26 Nov 2026 14:05"."""
        return _("%(state)s by %(by)s, %(when)s") % {
            "state": self.get_state_display().lower(),
            "by": self.decided_by.get_full_name(),
            "when": shown_moment(self.decided_at),
        }

    def locked(self, version: int | None) -> "AccessRequest":
        """The row as it is now, locked until the end of the transaction, to be closed.

        `version` is the one that the person saw. Raises ClosedMeanwhile when another
        person was first.
        """
        rows = AccessRequest.objects.filter(pk=self.pk)
        rows.select_for_update().get()
        # Only now: what a lock joins, PostgreSQL reads as it was before the wait.
        current = rows.with_people().get()
        if not current.is_open or current.version != version:
            raise ClosedMeanwhile(current)
        return current

    def close(
        self,
        state: "AccessRequest.State",
        by: Any,
        answer: str = "",
        membership: PatientGroupMember | None = None,
    ) -> None:
        """Leave the open state, once and for good; `self` comes from locked()."""
        self.state, self.decided_by, self.decided_at = state, by, clock.now()
        self.answer, self.membership = answer, membership
        self.save()

    def record(
        self, act: str, by: Any, path: str, request: Any = None, **detail: Any
    ) -> None:
        """On the trail, in the transaction of the act.

        `path` is how the person who acts comes upon the patient: an access path, "" for
        out of reach, or the administration's.
        """
        trail.done(
            by,
            f"access_request.{act}",
            [(self.patient.key, path)],
            request=request,
            subject=f"access_request/{self.key}",
            **detail,
        )
