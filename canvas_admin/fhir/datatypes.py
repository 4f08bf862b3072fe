"""FHIR R4 data types that several models share, as abstract models."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.models import Keyed


class ContactPoint(Keyed):
    """How to reach somebody (FHIR R4 datatypes, ContactPoint)."""

    class System(models.TextChoices):
        PHONE = "phone", _("Phone")
        FAX = "fax", _("Fax")
        EMAIL = "email", _("E-mail")
        PAGER = "pager", _("Pager")
        URL = "url", _("Web address")
        SMS = "sms", _("Text message")
        OTHER = "other", _("Other")

    class Use(models.TextChoices):
        HOME = "home", _("Home")
        WORK = "work", _("Work")
        MOBILE = "mobile", _("Mobile")
        TEMP = "temp", _("Temporary")
        OLD = "old", _("No longer in use")

    system = models.CharField(_("kind"), max_length=8, choices=System)
    value = models.CharField(_("number or address"), max_length=255)
    use = models.CharField(_("use"), max_length=8, choices=Use, default=Use.WORK)
    rank = models.PositiveSmallIntegerField(
        _("rank"), default=1, help_text=_("1 is tried first.")
    )

    class Meta:
        abstract = True
        ordering = ["rank", "id"]
        verbose_name = _("contact point")

    def __str__(self) -> str:
        return self.value
