"""Fields that the patients' forms share: names, days, phone numbers, single lines."""

import re
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from canvas_admin.records.validators import validate_seen
from patients.search import searching
from patients.search.folding import fold

LONGEST = 100
EARLIEST, LATEST = date(1850, 1, 1), date(2200, 12, 31)
DATE_HINT = _("Write a date of birth as 1980-01-02, 01/02/1980 or 2 Jan 1980.")
DAY_HINT = _("Write a date as 2026-01-02, 01/02/2026 or 2 Jan 2026.")

_ICD_10 = re.compile(r"[A-Z][0-9][0-9AB](\.[0-9A-Z]{1,4})?")
_PHONE = re.compile(r"\+?[0-9 ()./x-]{5,40}")


def validate_phone(text: str) -> None:
    """Raises ValidationError for what is no phone number."""
    if not _PHONE.fullmatch(text):
        raise ValidationError(_("Write a phone number, such as 555-0123."))


class ParagraphField(forms.CharField):
    """Some sentences; line breaks and runs of spaces become single spaces."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 3, "autocomplete": "off"})
        super().__init__(**{"widget": widget, "validators": [validate_seen]} | kwargs)

    def to_python(self, value: Any) -> str:
        return " ".join(super().to_python(value).split())


class NarrativeField(forms.CharField):
    """Text of several lines; line breaks stay."""

    def __init__(self, rows: int = 3, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": rows, "autocomplete": "off"})
        super().__init__(**{"widget": widget, "validators": [validate_seen]} | kwargs)

    def to_python(self, value: Any) -> str:
        lines = super().to_python(value).replace("\t", " ").splitlines()
        return "\n".join(line.rstrip() for line in lines)

    def run_validators(self, value: str) -> None:
        """A line break is the one control character that shows."""
        super().run_validators(value.replace("\n", " "))


class DiagnosisCodeField(forms.CharField):
    """A code of ICD-10-CM, or none; the dot may be left out."""

    def __init__(self, **kwargs: Any) -> None:
        given = {
            "label": _("ICD-10 code"),
            "max_length": 8,
            "required": False,
            "help_text": _("Such as G43.909."),
        }
        super().__init__(**given | kwargs)

    def to_python(self, value: Any) -> str:
        code = super().to_python(value).upper()
        return code if "." in code or len(code) < 4 else f"{code[:3]}.{code[3:]}"

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and not _ICD_10.fullmatch(value):
            raise ValidationError(_("Write an ICD-10 code, such as G43.909."))


class NameField(forms.CharField):
    """A part of a name: something that folds to letters, so that it can be found."""

    def __init__(self, max_length: int = LONGEST, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, validators=[validate_seen], **kwargs)

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and not fold(value):
            raise ValidationError(_("Write the name with letters."))


class DayField(forms.DateField):
    """A day, in any form that people type; from 1850 until 2200."""

    widget = forms.DateInput(
        format="%Y-%m-%d", attrs={"type": "date", "autocomplete": "off"}
    )
    hint = DAY_HINT

    def to_python(self, value: Any) -> date | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            found = searching.read_date(text[:LONGEST])
        except searching.NoSuchDate as error:
            raise ValidationError(self.hint, code="invalid") from error
        self.refuse_the_impossible(found)
        return found

    def refuse_the_impossible(self, day: date) -> None:
        """Raises ValidationError for a day that cannot be meant."""
        if not EARLIEST <= day <= LATEST:
            raise ValidationError(_("The year must be between 1850 and 2200."))


class PastDayField(DayField):
    """A day that has come; its value is the instant at which it began in the clinic."""

    def to_python(self, value: Any) -> datetime | None:
        day = super().to_python(value)
        return day and clock.midnight(day)

    def prepare_value(self, value: Any) -> Any:
        return timezone.localdate(value) if isinstance(value, datetime) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether it is another day; the time of day is not typed."""
        try:
            found = self.to_python(data)
        except ValidationError:
            return True
        return self.prepare_value(initial) != self.prepare_value(found)

    def refuse_the_impossible(self, day: date) -> None:
        super().refuse_the_impossible(day)
        if day > clock.today():
            raise ValidationError(_("This day has not come yet."))


class BirthDateField(DayField):
    """A complete date of birth, in any form that people type; from 1850 until today."""

    hint = DATE_HINT

    def refuse_the_impossible(self, day: date) -> None:
        if day > clock.today():
            raise ValidationError(_("The date of birth lies in the future."))
        if day < EARLIEST:
            raise ValidationError(_("The date of birth lies before 1850."))
