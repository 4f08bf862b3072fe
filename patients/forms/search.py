"""What people type to find a patient, checked before anything is done with it."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.validators import validate_seen
from patients.forms.fields import DATE_HINT, LONGEST
from patients.search import searching


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
