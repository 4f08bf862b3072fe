"""The numbers by which others know a patient."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from patients.forms.profile import PeriodForm
from patients.models import PatientIdentifier

# Of HL7's table 0203.
TYPES = {
    "MR": _("Record number elsewhere"),
    "SS": _("Social security number"),
    "DL": _("Driver's license"),
    "PPN": _("Passport number"),
    "NI": _("National identifier"),
    "MB": _("Member number"),
    "": _("Other"),
}
# What says which number it is, and so cannot be changed afterwards.
NUMBER = ("type_code", "system", "value")


class NewIdentifierForm(PeriodForm):
    """A new number. Whether another patient has the same one is nobody's business here."""

    type_code = forms.ChoiceField(
        label=_("Kind"), required=False, choices=list(TYPES.items())
    )

    class Meta:
        model = PatientIdentifier
        fields = [*NUMBER, "use", "start", "end"]
        labels = {"system": _("Given by")}
        help_texts = {
            "system": _("The authority or record system, or its address as a URI.")
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        same = {name: cleaned.get(name, "") for name in ("system", "value")}
        own = self.patient.identifiers.filter(entered_in_error=False, **same)
        if not self.errors and own.exists():
            self.add_error("value", _("This patient has this number already."))
        return cleaned

    def save(self, commit: bool = True) -> PatientIdentifier:
        kind = self.cleaned_data["type_code"]
        self.instance.type_display = str(TYPES[kind]) if kind else ""
        return super().save(commit)


class IdentifierForm(PeriodForm):
    """A number that is there: it ends or was wrong; another number is another row."""

    class Meta:
        model = PatientIdentifier
        fields = [
            "use",
            "start",
            "end",
            "entered_in_error",
            "entered_in_error_reason",
        ]
