"""The names of a patient."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from patients.forms.fields import LONGEST, NameField
from patients.forms.profile import PeriodForm
from patients.models import PatientName

OFFICIAL = PatientName.Use.OFFICIAL


class NameForm(PeriodForm):
    """A name. There is one official name: a new one makes the one before an old name."""

    given = NameField(
        label=_("Given names"),
        required=False,
        max_length=200,
        help_text=_("First and middle names."),
    )
    family = NameField(label=_("Family name"), required=False)

    class Meta:
        model = PatientName
        fields = [
            "use",
            "prefix",
            "given",
            "family",
            "suffix",
            "start",
            "end",
            "entered_in_error",
            "entered_in_error_reason",
        ]
        help_texts = {
            "use": _(
                "The official name is the one by which the patient is listed and found. "
                "Adding a new one makes the present one an old name."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        # As it was before the form's values are put into the row.
        goes_on = not row.entered_in_error and not row.end
        self.was_official = bool(row.pk and row.use == OFFICIAL and goes_on)
        if not row.pk:
            self.initial["use"] = PatientName.Use.USUAL

    def clean_given(self) -> str:
        """Single spaces; the first word and the others as long as lists can hold."""
        given = " ".join(self.cleaned_data["given"].split())
        first, _space, middle = given.partition(" ")
        if max(len(first), len(middle)) > LONGEST:
            raise ValidationError(_("The first name, or the others, are too long."))
        return given

    def clean_family(self) -> str:
        return " ".join(self.cleaned_data["family"].split())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors and not cleaned["given"] and not cleaned["family"]:
            self.add_error("family", _("Write a given name or a family name."))
        if self.was_official and not self._makes_official(cleaned):
            raise ValidationError(
                _(
                    "A patient keeps an official name. Add the new official name; this "
                    "one becomes an old name by that."
                )
            )
        return cleaned

    def save(self, commit: bool = True) -> PatientName:
        """Save; an official name is copied to the patient."""
        name = super().save(commit)
        if self._makes_official(self.cleaned_data):
            self.patient.make_official(name)
        return name

    def _makes_official(self, cleaned: dict[str, Any]) -> bool:
        ended = cleaned.get("end") or cleaned.get("entered_in_error")
        return cleaned.get("use") == OFFICIAL and not ended
