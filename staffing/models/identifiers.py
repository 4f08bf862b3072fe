"""By what other systems know a staff member."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.models import Keyed


class StaffIdentifier(Keyed):
    """A number or code by which another system knows a staff member (FHIR Identifier).

    The NPI is not among them: it is a field of Staff.
    """

    staff = models.ForeignKey(
        "staffing.Staff", on_delete=models.PROTECT, related_name="identifiers"
    )
    system = models.CharField(_("system"), max_length=255, blank=True)
    value = models.CharField(_("value"), max_length=255)

    class Meta:
        ordering = ["id"]
        verbose_name = _("identifier of a staff member")
        constraints = [
            models.UniqueConstraint(
                fields=["system", "value"], name="staff_identifier_once"
            )
        ]

    def __str__(self) -> str:
        return f"identifier {self.key[:8]}"
