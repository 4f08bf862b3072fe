"""The roles that staff can have in one patient's care."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.models import Versioned


class CareTeamRole(Versioned):
    """S1: "Care Team Roles are used to define the role an individual plays in a patient's
    care." Coded, so that protocols and the API can tell them apart (facts 6.5)."""

    class System(models.TextChoices):
        SNOMED = "http://snomed.info/sct", "SNOMED CT"
        LOINC = "http://loinc.org", "LOINC"
        ICD10 = "http://hl7.org/fhir/sid/icd-10-cm", "ICD-10-CM"
        CPT = "http://www.ama-assn.org/go/cpt", "CPT"
        INTERNAL = "INTERNAL", _("Our own code")

    system = models.CharField(
        _("code system"), max_length=64, choices=System, default=System.SNOMED
    )
    system_version = models.CharField(
        _("version of the code system"), max_length=32, blank=True
    )
    code = models.CharField(_("code"), max_length=64, unique=True)
    display = models.CharField(_("name"), max_length=255)
    active = models.BooleanField(
        _("active"), default=True, help_text=_("Inactive roles are not offered.")
    )

    class Meta:
        ordering = ["display"]
        verbose_name = _("care team role")

    def __str__(self) -> str:
        return self.display
