"""Runs over everybody, or over some: really, or to see what they would do."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from canvas_admin.protocols.models.protocols import ProtocolVersion
from canvas_admin.protocols.models.runs import Kind, OfPatients, Status
from canvas_admin.records import clock
from canvas_admin.records.models import Keyed
from patients.models import Patient, PatientGroup
from staffing.models import User


class Recompute(Keyed):
    """A protocol's run over every active patient within its reach, or over some of them.

    Workers cut it into slices, and each patient is computed once for it. A `dry` one does
    nothing, and keeps what it would do (DryRow).
    """

    version = models.ForeignKey(
        ProtocolVersion, on_delete=models.PROTECT, related_name="recomputes"
    )
    dry = models.BooleanField(default=False)
    # Those alone, where one is named.
    patient_group = models.ForeignKey(
        PatientGroup, on_delete=models.PROTECT, null=True, related_name="+"
    )
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, null=True, related_name="+"
    )
    wanted = models.DateTimeField(_("wanted"), default=clock.now)
    wanted_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+"
    )
    patients = models.PositiveIntegerField(_("patients"), null=True)
    ended = models.DateTimeField(_("ended"), null=True)
    # It was stopped, or a later one of the same protocol took its place.
    stopped = models.BooleanField(default=False)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        verbose_name = _("run over everybody")
        indexes = [
            models.Index(
                fields=["id"], condition=Q(ended__isnull=True), name="recompute_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.key[:8]}"

    @property
    def handled(self) -> int:
        """How many patients it is through with."""
        done = self.slices.filter(done=True)
        return done.aggregate(n=models.Sum("patients"))["n"] or 0


class DryRow(Keyed):
    """What a run would have done about a patient.

    `said` is what it would have done, in words a line each; `counted` the same without what
    may name somebody.
    """

    recompute = models.ForeignKey(
        Recompute, on_delete=models.CASCADE, related_name="rows"
    )
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("ended"), max_length=12, choices=Kind)
    status = models.CharField(_("result"), max_length=14, choices=Status, blank=True)
    said = models.TextField(blank=True)
    counted = models.TextField(blank=True)
    error = models.TextField(blank=True)

    objects = OfPatients.as_manager()

    class Meta:
        ordering = ["id"]
        default_permissions = ()
        verbose_name = _("row of a dry run")
        constraints = [
            models.UniqueConstraint(
                fields=["recompute", "patient"], name="dry_row_once"
            )
        ]

    def __str__(self) -> str:
        return f"dry row {self.key[:8]}"


class RecomputeSlice(models.Model):
    """The patients from one primary key to another, taken by one worker for some time."""

    recompute = models.ForeignKey(
        Recompute, on_delete=models.CASCADE, related_name="slices"
    )
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    patients = models.PositiveIntegerField()
    done = models.BooleanField(default=False)
    until = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["recompute", "id"],
                condition=Q(done=False),
                name="recompute_slice_open",
            )
        ]

    def __str__(self) -> str:
        return f"slice {self.pk}"
