"""The people around a patient."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models.patients import Patient, ProfileData


class PatientContact(ProfileData):
    """Somebody to turn to about a patient: family, a friend, a guardian (FHIR contact)."""

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="contacts"
    )
    name = models.CharField(_("name"), max_length=200)
    relationship = models.CharField(
        _("relationship"),
        max_length=100,
        blank=True,
        help_text=_("To the patient, for example “daughter”."),
    )
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    emergency_contact = models.BooleanField(
        _("emergency contact"),
        default=False,
        help_text=_("To be called in an emergency."),
    )
    end = models.DateField(_("until"), null=True, blank=True)

    class Meta:
        ordering = ["-emergency_contact", "id"]
        verbose_name = _("contact of a patient")

    def __str__(self) -> str:
        return f"contact {self.key[:8]}"

    @property
    def text(self) -> str:
        """Name, phone and mail address in one line."""
        return ", ".join(part for part in (self.name, self.phone, self.email) if part)
