"""What the forms of the profile's rows have in common."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.forms import SavedOnceForm
from patients.forms.fields import DayField, validate_seen
from patients.models import Patient

IN_ERROR = ("entered_in_error", "entered_in_error_reason")
HIDDEN = {"form_version", "form_token"}


class ProfileForm(SavedOnceForm):
    """One row of a patient's profile; `actor` is the account that fills it in.

    A row that is wrong is marked so, with a reason, and can be taken back; a new one
    cannot be wrong yet. No text may hold what does not show.
    """

    # Whether a person who is right in everything has still to confirm.
    unconfirmed = False

    def __init__(self, *args: Any, actor: Any = None, **kwargs: Any) -> None:
        self.actor = actor
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            for name in IN_ERROR:
                self.fields.pop(name, None)
        for field in self.fields.values():
            if isinstance(field, forms.CharField):
                if validate_seen not in field.validators:
                    field.validators.append(validate_seen)
                field.widget.attrs["autocomplete"] = "off"

    @property
    def patient(self) -> Patient:
        """Whose row it is."""
        return self.instance.patient

    @property
    def changed(self) -> list[str]:
        """The names of the fields that were changed, as the audit trail has them."""
        return [name for name in self.changed_data if name not in HIDDEN]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        start, end = cleaned.get("start"), cleaned.get("end")
        if start and end and end < start:
            self.add_error("end", _("The end lies before the beginning."))
        self._ask_for_the_reason(cleaned)
        return cleaned

    def _ask_for_the_reason(self, cleaned: dict[str, Any]) -> None:
        if not cleaned.get("entered_in_error"):
            if "entered_in_error_reason" in cleaned:
                cleaned["entered_in_error_reason"] = ""
        elif not cleaned.get("entered_in_error_reason"):
            sentence = _("Say in a few words what was wrong.")
            self.add_error("entered_in_error_reason", ValidationError(sentence))


class PeriodForm(ProfileForm):
    """A row that holds from a day until a day."""

    start = DayField(label=_("From"), required=False)
    end = DayField(
        label=_("Until"), required=False, help_text=_("Empty: until further notice.")
    )
