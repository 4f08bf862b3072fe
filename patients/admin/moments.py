"""Instants in the forms of administration: typed to the minute, in the clinic's zone."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

YEARS = range(1900, 2200)


class MomentField(forms.DateTimeField):
    """An instant, to the minute, in one control (the stock admin's two fail axe)."""

    widget = forms.DateTimeInput(
        format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}
    )

    def __init__(self, **kwargs: Any) -> None:
        # Django asks for a hidden second control where the default is a function.
        super().__init__(**{**kwargs, "show_hidden_initial": False})

    def to_python(self, value: Any) -> datetime | None:
        moment = super().to_python(value)
        if moment is not None and moment.year not in YEARS:
            raise ValidationError(_("The year must lie between 1900 and 2199."))
        return moment

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return _minute(self.to_python(initial)) != _minute(self.to_python(data))
        except ValidationError:
            return True


def _minute(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(second=0, microsecond=0)
