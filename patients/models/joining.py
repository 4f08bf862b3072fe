"""Which patient groups the patients join whom a program makes."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.models import Keyed
from patients.models.groups import PatientGroup


class Joining(Keyed):
    """A patient group for an application's new patients (DESIGN section 4).

    "A new patient joins ... over the API, the groups set on the application". It moves
    nobody who is there already, and gives the program itself no access.
    """

    application = models.ForeignKey(
        settings.OAUTH2_PROVIDER_APPLICATION_MODEL,
        on_delete=models.PROTECT,
        related_name="joinings",
    )
    patient_group = models.ForeignKey(
        PatientGroup,
        on_delete=models.PROTECT,
        related_name="joinings",
        limit_choices_to={"retired__isnull": True},
        verbose_name=_("patient group"),
    )

    class Meta:
        ordering = ["patient_group__name", "id"]
        verbose_name = _("group of new patients")
        verbose_name_plural = _("groups that new patients join")
        constraints = [
            models.UniqueConstraint(
                fields=["application", "patient_group"],
                name="joining_once",
                violation_error_message=_("This group is there already."),
            )
        ]

    def __str__(self) -> str:
        return str(self.patient_group)
