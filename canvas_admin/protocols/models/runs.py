"""What runs of protocols came to."""

from datetime import datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from canvas_admin.events.models import ChangeEvent
from canvas_admin.events.tracking import ChangeTracked, ChangeTrackedQuerySet
from canvas_admin.protocols.models.protocols import Protocol, ProtocolVersion
from canvas_admin.records import clock
from canvas_admin.records.models import Keyed, Versioned
from patients import access
from patients.models import Patient
from staffing.models import User


class Status(models.TextChoices):
    """What a protocol says of a patient (facts 7.1)."""

    DUE = "due", _("due")
    SNOOZED = "snoozed", _("snoozed")
    NOT_APPLICABLE = "not_applicable", _("not applicable")
    PENDING = "pending", _("pending")
    SATISFIED = "satisfied", _("satisfied")
    NOT_RELEVANT = "not_relevant", _("not relevant")
    UNCHANGED = "unchanged", _("unchanged")


class Kind(models.TextChoices):
    """How a run ended."""

    COMPUTED = "computed", _("computed")
    FAILED = "failed", _("failed")
    OUT_OF_REACH = "out of reach", _("out of reach")


class OfPatients(ChangeTrackedQuerySet):
    """Rows about one patient each."""

    def visible_to(self, account: Any) -> "OfPatients":
        """The rows whose patient is within this account's reach now."""
        return self.filter(access.condition(account, "patient"))

    def cards(self) -> list["ProtocolResult"]:
        """What a patient's chart shows of results: what is due, then what is put off.

        Each has `snoozed`, the override in force, if there is one.
        """
        told = Q(status__in=(Status.DUE, Status.PENDING, Status.SNOOZED))
        shown = Q(protocol__active=True, protocol__show_in_chart=True)
        rows = list(self.filter(told & shown).select_related("protocol__current"))
        patients = {row.patient_id for row in rows}
        found = ProtocolOverride.objects.filter(patient__in=patients)
        overrides = {(o.patient_id, o.protocol_id): o for o in found if o.in_force}
        for row in rows:
            row.snoozed = overrides.get((row.patient_id, row.protocol_id))
        return sorted(rows, key=lambda row: (bool(row.snoozed), row.protocol.name))


class ProtocolRun(Keyed):
    """One run over one patient: how it ended, what it said and what it did.

    There is one for each protocol and event, and one for each recompute and patient, so that
    nothing is done twice.
    """

    protocol = models.ForeignKey(
        Protocol, on_delete=models.PROTECT, related_name="runs"
    )
    version = models.ForeignKey(
        ProtocolVersion, on_delete=models.PROTECT, related_name="runs"
    )
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="protocol_runs"
    )
    event = models.ForeignKey(
        ChangeEvent, on_delete=models.PROTECT, null=True, related_name="runs"
    )
    recompute = models.ForeignKey(
        "protocols.Recompute", on_delete=models.PROTECT, null=True, related_name="runs"
    )
    kind = models.CharField(_("ended"), max_length=12, choices=Kind)
    status = models.CharField(_("result"), max_length=14, choices=Status, blank=True)
    started = models.DateTimeField(_("when"))
    milliseconds = models.PositiveIntegerField(_("took"))
    done = models.JSONField(_("did"), default=list)
    error = models.TextField(_("error"), blank=True)
    line = models.PositiveIntegerField(_("line"), null=True)
    traceback = models.TextField(_("traceback"), blank=True)
    log = models.TextField(_("printed"), blank=True)

    objects = OfPatients.as_manager()

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        verbose_name = _("run of a protocol")
        verbose_name_plural = _("runs of protocols")
        constraints = [
            models.UniqueConstraint(
                fields=["event", "protocol"],
                condition=Q(event__isnull=False),
                name="protocol_run_once_an_event",
            ),
            models.UniqueConstraint(
                fields=["recompute", "patient"],
                condition=Q(recompute__isnull=False),
                name="protocol_run_once_a_recompute",
            ),
        ]
        indexes = [
            models.Index(fields=["protocol", "-id"], name="protocol_run_newest"),
            models.Index(fields=["patient", "-id"], name="protocol_run_of_patient"),
        ]

    def __str__(self) -> str:
        return f"run {self.key[:8]}"


class ProtocolResult(Versioned):
    """What a protocol says of a patient now (facts 7.1)."""

    protocol = models.ForeignKey(
        Protocol, on_delete=models.PROTECT, related_name="results"
    )
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="protocol_results"
    )
    run = models.ForeignKey(ProtocolRun, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(_("result"), max_length=14, choices=Status)
    narrative = models.TextField(_("narrative"), blank=True)
    recommendations = models.JSONField(_("recommendations"), default=list)
    # Days from when it was computed.
    due_in = models.IntegerField(_("due in"), null=True)
    next_review = models.CharField(_("next review"), max_length=64, blank=True)
    computed = models.DateTimeField(_("computed"), default=clock.now)

    objects = OfPatients.as_manager()

    class Meta:
        ordering = ["protocol__name"]
        default_permissions = ()
        verbose_name = _("result of a protocol")
        constraints = [
            models.UniqueConstraint(
                fields=["protocol", "patient"], name="protocol_result_once"
            )
        ]

    def __str__(self) -> str:
        return f"result {self.key[:8]}"

    @property
    def title(self) -> str:
        """What the card is called."""
        version = self.protocol.current
        return (version and version.title) or self.protocol.name


class ProtocolOverride(ChangeTracked, Versioned):
    """What somebody decided about a protocol and a patient: to put it off for some days.

    Protocols are told (facts 7.2, protocolOverrides), and hear of its changes.
    """

    LONGEST = 365
    change_type = "protocol_override"

    protocol = models.ForeignKey(
        Protocol, on_delete=models.PROTECT, related_name="overrides"
    )
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="protocol_overrides"
    )
    since = models.DateTimeField(default=clock.now)
    # None where it was taken back.
    days = models.PositiveSmallIntegerField(null=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    objects = OfPatients.as_manager()

    class Meta:
        ordering = ["id"]
        default_permissions = ()
        verbose_name = _("override of a protocol")
        constraints = [
            models.UniqueConstraint(
                fields=["protocol", "patient"], name="protocol_override_once"
            )
        ]

    def __str__(self) -> str:
        return f"override {self.key[:8]}"

    @property
    def until(self) -> datetime | None:
        """When it ends by itself."""
        return self.since + timedelta(days=self.days) if self.days else None

    @property
    def in_force(self) -> bool:
        """Whether it puts the protocol off now."""
        return self.until is not None and self.until > clock.now()


class BrokeredWrite(models.Model):
    """What a run wrote by HTTP and was answered, so that a second try does not write again.

    Known by what caused the run, the protocol, the number of the call and the digest of the
    request (DESIGN section 7); gone once the run is done.
    """

    cause = models.CharField(max_length=64)
    protocol = models.ForeignKey(Protocol, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()
    digest = models.CharField(max_length=64)
    answer = models.JSONField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["cause", "protocol", "number", "digest"],
                name="brokered_write_once",
            )
        ]

    def __str__(self) -> str:
        return f"write {self.number}"
