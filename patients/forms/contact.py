"""How to reach a patient: addresses, phone and e-mail, and the people around."""

from typing import Any

from django import forms
from django.core.validators import EmailValidator, URLValidator
from django.utils.translation import gettext_lazy as _

from patients.forms.fields import DayField, validate_phone
from patients.forms.profile import PeriodForm, ProfileForm
from patients.models import PatientAddress, PatientContact, PatientContactPoint

System = PatientContactPoint.System
PLACE = ("lines", "city", "state", "postal_code", "country")


class AddressForm(PeriodForm):
    """An address; any part of it is enough."""

    class Meta:
        model = PatientAddress
        fields = [
            "use",
            *PLACE,
            "start",
            "end",
            "entered_in_error",
            "entered_in_error_reason",
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors and not any(cleaned.get(name) for name in PLACE):
            self.add_error("lines", _("Write at least one part of the address."))
        return cleaned


class ContactPointForm(ProfileForm):
    """A phone number, mail address or the like; one that is out of use is kept as such."""

    rank = forms.IntegerField(
        label=_("Rank"),
        min_value=1,
        max_value=99,
        initial=1,
        help_text=_("1 is tried first."),
    )

    class Meta:
        model = PatientContactPoint
        fields = [
            "system",
            "value",
            "use",
            "rank",
            "entered_in_error",
            "entered_in_error_reason",
        ]

    CHECKS = {
        System.PHONE: validate_phone,
        System.FAX: validate_phone,
        System.SMS: validate_phone,
        System.PAGER: validate_phone,
        System.EMAIL: EmailValidator(),
        System.URL: URLValidator(schemes=["https", "http"]),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            self.initial["use"] = PatientContactPoint.Use.HOME

    def clean(self) -> dict[str, Any]:
        """Whether the value is of its kind; what an import brought may stay as it is."""
        cleaned = super().clean()
        check = self.CHECKS.get(cleaned.get("system"))
        if check and "value" in cleaned and {"system", "value"} & set(self.changed):
            try:
                check(cleaned["value"])
            except forms.ValidationError as error:
                self.add_error("value", error)
        return cleaned


class ContactForm(ProfileForm):
    """Somebody around the patient, reached by phone or mail or not at all."""

    end = DayField(
        label=_("Until"), required=False, help_text=_("Empty: until further notice.")
    )

    class Meta:
        model = PatientContact
        fields = [
            "name",
            "relationship",
            "phone",
            "email",
            "emergency_contact",
            "end",
            "entered_in_error",
            "entered_in_error_reason",
        ]

    def clean_phone(self) -> str:
        if phone := self.cleaned_data["phone"]:
            validate_phone(phone)
        return phone
