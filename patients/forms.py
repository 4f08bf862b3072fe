"""What people type on the patients' pages, checked before anything is done with it."""

import re
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.signing import Signer
from django.utils import timezone
from django.utils.crypto import constant_time_compare, get_random_string
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients import intake, searching
from patients.folding import fold
from patients.models import AccessRequest, Patient, PatientGroup

LONGEST = 100
EARLIEST = date(1850, 1, 1)
DATE_HINT = _("Write a date of birth as 1980-01-02, 01/02/1980 or 2 Jan 1980.")

# Control characters, and those that turn the direction of the text around them.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_PHONE = re.compile(r"\+?[0-9 ()./x-]{5,40}")


def validate_seen(text: str) -> None:
    """Raises ValidationError for a character that does not show on paper."""
    if _UNSEEN.search(text):
        raise ValidationError(_("This holds a character that cannot be saved."))


class ParagraphField(forms.CharField):
    """Some sentences; line breaks and runs of spaces become single spaces."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 3, "autocomplete": "off"})
        super().__init__(**{"widget": widget, "validators": [validate_seen]} | kwargs)

    def to_python(self, value: Any) -> str:
        return " ".join(super().to_python(value).split())


class AccessRequestForm(forms.ModelForm):
    """Why somebody needs a patient out of reach, and for how long."""

    reason = ParagraphField(
        label=_("Why do you need access?"),
        min_length=10,
        max_length=500,
        help_text=_(
            "One or two sentences for the people who decide, 10 to 500 characters. They "
            "see the patient's name and date of birth."
        ),
    )

    class Meta:
        model = AccessRequest
        fields = ("reason", "wanted_for")
        widgets = {"wanted_for": forms.RadioSelect}
        labels = {"wanted_for": _("For how long?")}
        help_texts = {"wanted_for": _("The time begins when access is granted.")}


class SearchForm(forms.Form):
    """The search bar, and the filter of the list of patients."""

    q = forms.CharField(
        max_length=LONGEST,
        validators=[validate_seen],
        error_messages={
            "required": _("Type the beginning of a name, or a complete date of birth."),
            "max_length": _("This is too long. Type the beginning of a name."),
        },
    )

    def clean_q(self) -> searching.Query:
        """The text, understood; see searching.Query."""
        try:
            query = searching.Query.read(self.cleaned_data["q"])
        except searching.NoSuchDate as error:
            raise ValidationError(
                _("There is no day “%(date)s”. %(hint)s"),
                params={"date": error, "hint": DATE_HINT},
            ) from error
        if not query.enough:
            raise ValidationError(
                _("Type at least two letters of a name, or a complete date of birth.")
            )
        return query

    @property
    def text(self) -> str:
        """What was typed, cut where it is too long to be of use."""
        return str(self.data.get("q", "")).strip()[:LONGEST]

    @property
    def problem(self) -> str:
        """The one thing to say about the text; empty when it can be asked."""
        return next(iter(self.errors.get("q", [])), "")


class NameField(forms.CharField):
    """A part of a name: something that folds to letters, so that it can be found."""

    def __init__(self, max_length: int = LONGEST, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, validators=[validate_seen], **kwargs)

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and not fold(value):
            raise ValidationError(_("Write the name with letters."))


class BirthDateField(forms.DateField):
    """A complete date of birth, in any form that people type; from 1850 until today."""

    widget = forms.DateInput(
        format="%Y-%m-%d", attrs={"type": "date", "autocomplete": "off"}
    )

    def to_python(self, value: Any) -> date | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            found = searching.read_date(text[:LONGEST])
        except searching.NoSuchDate as error:
            raise ValidationError(DATE_HINT, code="invalid") from error
        if found > timezone.localdate(clock.now()):
            raise ValidationError(_("The date of birth lies in the future."))
        if found < EARLIEST:
            raise ValidationError(_("The date of birth lies before 1850."))
        return found


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
        if phone and not _PHONE.fullmatch(phone):
            raise ValidationError(_("Write a phone number, such as 555-0123."))
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
