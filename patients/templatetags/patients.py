"""Dates of birth, ages and numbers as the pages write them."""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from patients import gate, work
from patients.models import Patient
from patients.work import queues

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


@register.inclusion_tag("patients/_panels.html", takes_context=True)
def panels(context: Any, here: str) -> dict[str, Any]:
    """The panels that the person may open, each with how much of it is the person's.

    `here` is the code of the kind of work whose panel the page is.
    """
    request = context["request"]
    person = context.get("person") or queues.Person.of(gate.reach(request))
    kinds = [
        kind
        for kind in sorted(work.KINDS.values(), key=lambda kind: kind.number)
        if request.user.has_perms(kind.permissions)
    ]
    numbers = queues.counts([queues.Queue(kind.shelf, person) for kind in kinds])
    return {
        "here": here,
        "most": queues.MOST_COUNTED,
        "panels": list(zip(kinds, numbers, strict=True)),
    }


@register.filter
def money(amount: Decimal) -> str:
    """An amount of money: $1,234.50, and −$5.00 for a credit."""
    digits = number_format(abs(amount), 2, use_l10n=True, force_grouping=True)
    return f"{'−' if amount < 0 else ''}${digits}"
