"""The forms of a pharmacy's request: recording one that was made by phone or fax."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from patients.forms.fields import ParagraphField
from patients.forms.profile import ProfileForm
from patients.models import Medication, RefillRequest


class NewRefillForm(ProfileForm):
    """What a pharmacy asks for, about one of the chart's medications."""

    medication = forms.ModelChoiceField(
        Medication.objects.none(),
        to_field_name="key",
        label=_("Medication"),
        empty_label=None,
    )
    proposal = ParagraphField(
        label=_("Which change?"),
        max_length=500,
        required=False,
        help_text=_("Such as another strength, or another medicine."),
    )

    class Meta:
        model = RefillRequest
        fields = ["medication", "kind", "proposal", "pharmacy"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["medication"]
        field.queryset = Medication.objects.in_chart_of(self.patient, self.actor)
        field.label_from_instance = lambda row: row.display

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        kind, proposal = cleaned.get("kind"), cleaned.get("proposal")
        if kind == RefillRequest.Kind.CHANGE and proposal == "":
            self.add_error("proposal", _("Say which change the pharmacy asks for."))
        elif kind == RefillRequest.Kind.REFILL and proposal:
            self.add_error("proposal", _("Choose a change, or leave this empty."))
        return cleaned
