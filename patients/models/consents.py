"""What patients are asked to agree to, and what each has said."""

from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from canvas_admin.records.models import Versioned
from patients.models.documents import AdministrativeDocument
from patients.models.patients import Patient, ProfileData

YEAR = timedelta(days=365)


class ConsentCoding(Versioned):
    """A kind of consent that the clinic asks for (facts 6.9).

    Programs know it by its code, which is set once. Changing the rule of expiration
    changes no consent that was given before.
    """

    class Expiration(models.TextChoices):
        NEVER = "never", _("Never")
        IN_ONE_YEAR = "in_one_year", _("After one year (365 days)")
        END_OF_YEAR = "end_of_year", _("At the end of the year")

    system = models.CharField(
        _("code system"),
        max_length=64,
        default="INTERNAL",
        help_text=_("INTERNAL for a code of your own."),
    )
    system_version = models.CharField(
        _("version of the code system"), max_length=32, blank=True
    )
    code = models.CharField(
        _("code"), max_length=64, help_text=_("Cannot be changed once it is saved.")
    )
    display = models.CharField(_("name"), max_length=255)
    active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Inactive ones are not asked for; what was recorded stays."),
    )
    expiration_rule = models.CharField(
        _("expires"), max_length=11, choices=Expiration, default=Expiration.NEVER
    )
    mandatory = models.BooleanField(
        _("mandatory"),
        default=False,
        help_text=_("The profile says so while a patient has not been asked."),
    )
    proof_required = models.BooleanField(
        _("proof required"),
        default=False,
        help_text=_("A signed form has to be kept with it."),
    )
    summary = models.TextField(
        _("summary"),
        max_length=2000,
        blank=True,
        help_text=_("What the patient agrees to, for whoever asks."),
    )

    class Meta:
        ordering = ["display", "id"]
        verbose_name = _("consent coding")
        constraints = [
            models.UniqueConstraint(
                fields=["code", "system_version"],
                name="consent_coding_once",
                violation_error_message=_(
                    "There is a consent coding with this code and version."
                ),
            )
        ]

    def __str__(self) -> str:
        return self.display

    def clean(self) -> None:
        """Refuse the version of another coding to a saved one, whose code forms leave out."""
        same = {"code": self.code, "system_version": self.system_version}
        others = ConsentCoding.objects.filter(**same).exclude(pk=self.pk)
        if self.pk and others.exists():
            sentence = _("There is a consent coding with this code and version.")
            raise ValidationError({"system_version": sentence})

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Raises ValueError when a saved coding's code would change."""
        saved = ConsentCoding.objects.filter(pk=self.pk)
        if saved.exclude(code=self.code).exists():
            raise ValueError("The code of a saved consent coding cannot change.")
        super().save(*args, **kwargs)

    def expires_on(self, effective: date) -> date | None:
        """The last day of a consent that holds from this day; None for no end."""
        if self.expiration_rule == self.Expiration.IN_ONE_YEAR:
            return effective + YEAR
        if self.expiration_rule == self.Expiration.END_OF_YEAR:
            return effective.replace(month=12, day=31)
        return None


class Consent(ProfileData):
    """What a patient said to one kind of consent: one row per patient and coding.

    `form` is the signed form that was brought with the answer, among the patient's
    administrative documents.
    """

    change_type = "consent"

    class State(models.TextChoices):
        ACCEPTED = "accepted", _("Accepted")
        REJECTED = "rejected", _("Rejected")

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="consents"
    )
    coding = models.ForeignKey(
        ConsentCoding,
        on_delete=models.PROTECT,
        related_name="consents",
        verbose_name=_("consent"),
    )
    state = models.CharField(_("answer"), max_length=8, choices=State)
    effective_date = models.DateField(_("holds from"), default=clock.today)
    expired_date = models.DateField(_("holds until"), null=True, editable=False)
    form = models.ForeignKey(
        AdministrativeDocument,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
    )

    class Meta:
        ordering = ["coding__display", "id"]
        verbose_name = _("consent")
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "coding"], name="one_consent_per_coding"
            )
        ]

    def __str__(self) -> str:
        return f"consent {self.key[:8]}"

    @classmethod
    def record(
        cls,
        patient: Patient,
        coding: ConsentCoding,
        state: str,
        effective_date: date,
        end: date | None = None,
        form: AdministrativeDocument | None = None,
    ) -> "Consent":
        """What the patient says now; an earlier answer's row keeps its id (facts 5.1).

        Without an end it ends by the coding's rule.
        """
        with transaction.atomic():
            Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
            known = cls.objects.filter(patient=patient, coding=coding).first()
            consent = known or cls(patient=patient, coding=coding)
            consent.state, consent.effective_date = state, effective_date
            consent.form = form
            consent.entered_in_error, consent.entered_in_error_reason = False, ""
            consent.end_by_rule()
            consent.expired_date = end or consent.expired_date
            consent.save()
            return consent

    def end_by_rule(self) -> None:
        """Let it end as the coding's rule says now; saves nothing."""
        self.expired_date = self.coding.expires_on(self.effective_date)

    @property
    def kept_form(self) -> AdministrativeDocument | None:
        """The signed form, unless it was removed from the documents."""
        return None if self.form is None or self.form.removed else self.form

    @property
    def expired(self) -> bool:
        """Whether the last day on which it holds has passed."""
        return self.expired_date is not None and self.expired_date < clock.today()
