"""When a patient is seen, by whom and where."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.events.tracking import ChangeTracked
from canvas_admin.records import clock
from canvas_admin.records.models import Versioned
from patients.models.patients import Patient, PatientData
from patients.querysets import AppointmentQuerySet


class Appointment(ChangeTracked, Versioned, PatientData):
    """A visit that is planned, or was (FHIR Appointment; facts 5.3).

    What S2 lets everybody read of it, whoever the patient is, are time, length, provider,
    place, kind, status and the patient's name and date of birth (security A3). The reason
    is clinical.
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("Unconfirmed")
        PENDING = "pending", _("Attempted")
        BOOKED = "booked", _("Confirmed")
        ARRIVED = "arrived", _("Arrived")
        CHECKED_IN = "checked-in", _("Roomed")
        FULFILLED = "fulfilled", _("Exited")
        NOSHOW = "noshow", _("No-show")
        CANCELLED = "cancelled", _("Cancelled")
        ENTERED_IN_ERROR = "entered-in-error", _("Entered in error")

    # These leave the provider's time free.
    FREE = (Status.NOSHOW, Status.CANCELLED, Status.ENTERED_IN_ERROR)
    # These are never taken back (facts 5.3).
    FINAL = (Status.CANCELLED, Status.ENTERED_IN_ERROR)
    LONGEST = 24 * 60
    change_type = "appointment"
    dated_by = "start"

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="appointments"
    )
    provider = models.ForeignKey(
        "staffing.Staff",
        on_delete=models.PROTECT,
        related_name="appointments",
        verbose_name=_("provider"),
    )
    location = models.ForeignKey(
        "staffing.Location",
        on_delete=models.PROTECT,
        related_name="appointments",
        verbose_name=_("location"),
    )
    visit_type = models.ForeignKey(
        "staffing.VisitType",
        on_delete=models.PROTECT,
        related_name="appointments",
        verbose_name=_("visit type"),
    )
    start = models.DateTimeField(_("start"))
    minutes = models.PositiveSmallIntegerField(
        _("length"), help_text=_("In minutes; empty for what the visit type says.")
    )
    # Written by save() alone.
    end = models.DateTimeField(editable=False)
    status = models.CharField(
        _("status"), max_length=16, choices=Status, default=Status.PROPOSED
    )
    reason = models.CharField(_("reason for visit"), max_length=255, blank=True)
    created = models.DateTimeField(default=clock.now, editable=False)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["start", "id"]
        verbose_name = _("appointment")
        permissions = [
            ("change_appointment_status", "Can change the status of appointments")
        ]
        indexes = [
            models.Index(fields=["start"], name="appointment_start"),
            models.Index(fields=["provider", "start"], name="appointment_provider"),
            models.Index(fields=["location", "start"], name="appointment_location"),
        ]

    def __str__(self) -> str:
        return f"appointment {self.key[:8]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.end = self.end_time
        super().save(*args, **kwargs)

    @property
    def end_time(self) -> datetime:
        """When it ends, by its start and length."""
        return self.start + timedelta(minutes=self.minutes)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which its times are read: that of its place."""
        return self.location.zone

    @property
    def final(self) -> bool:
        """Whether nothing about it can change any more."""
        return self.status in self.FINAL
