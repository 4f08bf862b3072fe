"""Dates of birth, ages and numbers as the pages write them."""

from typing import Any

from django import template
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from patients.models import Patient

register = template.Library()


@register.filter
def born(patient: Any) -> str:
    """A date of birth, no more precise than it is known: 2 Jan 1980, Jan 1980, 1980."""
    forms = {Patient.Precision.MONTH: "M Y", Patient.Precision.YEAR: "Y"}
    return date_format(
        patient.birth_date, forms.get(patient.birth_date_precision, "DATE_FORMAT")
    )


@register.filter
def lived(patient: Patient) -> str:
    """How old a patient is, or was at death; empty when that is not known."""
    if patient.deceased and patient.deceased_at is None:
        return ""
    years = ngettext("%(years)d year", "%(years)d years", patient.age)
    text = years % {"years": patient.age}
    if patient.birth_date_precision != Patient.Precision.DAY:
        text = _("about %(age)s") % {"age": text}
    return _("died at %(age)s") % {"age": text} if patient.deceased else text
