"""Where the clinic works, and the kinds of visit it offers."""

import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.models import Versioned


def validate_time_zone(name: str) -> None:
    """Raises ValidationError unless the name is an IANA time zone, such as America/Chicago."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            _("“%(name)s” is no time zone. Use a name such as America/Chicago."),
            params={"name": name},
        )


class Location(Versioned):
    """A place where the clinic sees patients; it may have a time zone of its own."""

    name = models.CharField(_("name"), max_length=128, unique=True)
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        validators=[validate_time_zone],
        help_text=_("Only where it differs from the clinic's, e.g. America/Chicago."),
    )
    active = models.BooleanField(
        _("active"), default=True, help_text=_("Inactive locations are not offered.")
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("location")

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """Its own time zone, or the clinic's."""
        return zoneinfo.ZoneInfo(self.time_zone or settings.TIME_ZONE)


class VisitType(Versioned):
    """A kind of visit with its SNOMED CT coding (facts 5.3)."""

    class Coding(models.TextChoices):
        HOME = "439708006", _("Home visit")
        TELEMEDICINE = "448337001", _("Telemedicine")
        OFFICE = "308335008", _("Office visit")
        LAB = "31108002", _("Lab visit")
        PHONE = "185317003", _("Phone call")

    name = models.CharField(_("name"), max_length=128, unique=True)
    code = models.CharField(_("SNOMED CT code"), max_length=18, choices=Coding)
    minutes = models.PositiveSmallIntegerField(
        _("usual length"), default=20, help_text=_("In minutes.")
    )
    active = models.BooleanField(
        _("active"), default=True, help_text=_("Inactive visit types are not offered.")
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("visit type")

    def __str__(self) -> str:
        return self.name
