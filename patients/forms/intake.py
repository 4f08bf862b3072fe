"""The form for a new patient."""

from typing import Any

from django import forms
from django.core.signing import Signer
from django.utils.crypto import constant_time_compare, get_random_string
from django.utils.translation import gettext_lazy as _

from patients import intake
from patients.forms.fields import BirthDateField, NameField, validate_phone
from patients.models import Patient, PatientGroup
from patients.search.folding import fold


class PatientForm(forms.Form):
    """A new patient. Choosing among the creator's own patient groups gives access."""

    form_token = forms.RegexField(
        r"^[0-9A-Za-z]{32}$",
        widget=forms.HiddenInput,
        error_messages={
            "required": _("This form is damaged. Open a new one."),
            "invalid": _("This form is damaged. Open a new one."),
        },
    )
    first_name = NameField(label=_("First name"))
    # First and middle name and the space between fill PatientName.given.
    middle_name = NameField(label=_("Middle name"), required=False, max_length=99)
    last_name = NameField(label=_("Last name"))
    birth_date = BirthDateField(label=_("Date of birth"))
    sex_at_birth = forms.ChoiceField(
        label=_("Sex at birth"), choices=Patient.SexAtBirth.choices
    )
    gender = forms.ChoiceField(label=_("Gender"), choices=Patient.Gender.choices)
    phone = forms.CharField(
        label=_("Phone"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"type": "tel"}),
    )
    email = forms.EmailField(label=_("E-mail"), required=False, max_length=254)
    groups = forms.MultipleChoiceField(
        label=_("Put into"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "Your own patient groups. Everybody who holds a chosen group can open the "
            "patient; creating alone lets nobody in."
        ),
        error_messages={"invalid_choice": _("Choose among the groups that are shown.")},
    )
    create_anyway = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, creator: Any, data: Any = None) -> None:
        self.creator = creator
        self.held = {
            str(group.externally_exposable_id): group
            for group in intake.groups_of(creator)
        }
        initial = {
            "form_token": get_random_string(32),
            "groups": list(self.held)[:1],
            "sex_at_birth": Patient.SexAtBirth.UNKNOWN,
            "gender": Patient.Gender.UNKNOWN,
        }
        super().__init__(data, initial=initial)
        self.fields["groups"].choices = [(key, g.name) for key, g in self.held.items()]
        for name in ("first_name", "middle_name", "last_name", "phone", "email"):
            self.fields[name].widget.attrs["autocomplete"] = "off"

    def clean_phone(self) -> str:
        phone = self.cleaned_data["phone"]
        if phone:
            validate_phone(phone)
        return phone

    @property
    def chosen_groups(self) -> list[PatientGroup]:
        """The patient groups that were ticked, all of them the creator's own."""
        return [self.held[key] for key in self.cleaned_data.get("groups", ())]

    @property
    def confirmed(self) -> bool:
        """Whether the creator was warned of this name and date and goes on."""
        return constant_time_compare(
            self.cleaned_data["create_anyway"], self.confirmation
        )

    @property
    def confirmation(self) -> str:
        """What "Create anyway" sends: good for this name, date and person alone."""
        data = self.cleaned_data
        names = (fold(data["first_name"]), fold(data["last_name"]))
        return Signer(salt="patients.create_anyway").signature(
            "|".join((self.creator.key, *names, data["birth_date"].isoformat()))
        )

    def fields_of_patient(self) -> dict[str, Any]:
        """The checked fields that intake.create_patient takes."""
        left_out = {"create_anyway", "groups"}
        fields = {k: v for k, v in self.cleaned_data.items() if k not in left_out}
        return {**fields, "groups": self.chosen_groups}
