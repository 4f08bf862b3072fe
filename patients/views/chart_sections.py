"""The parts of the chart that are written outside of notes, as sections of rows."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients import areas
from patients.forms.chart import (
    AllergyForm,
    ConditionForm,
    ImmunizationForm,
    MedicationForm,
)
from patients.models import ChartChange, ChartEntry
from patients.models.chart_changes import contents
from patients.views.profile.sections import Home, Section
from staffing.models import staff_of

CHART = Home(
    "patients:chart",
    gettext_lazy("Chart"),
    gettext_lazy("Back to the chart"),
    areas.WRITE_CHART,
    gettext_lazy("Status"),
)


def history(row: ChartEntry) -> list[dict[str, Any]]:
    """What the row was before: when, by whom and what was changed, the latest first."""
    found, after = [], contents(row)
    for change in ChartChange.of(row):
        staff = staff_of(change.by)
        found.append(
            {
                "at": change.at,
                "who": staff.name if staff else change.by and change.by.get_username(),
                "new": not change.before,
                "differences": list(_differences(row, change.before, after)),
            }
        )
        after = change.before
    return found


def _differences(row: ChartEntry, before: dict[str, str], after: dict[str, str]) -> Any:
    """(field, what it said before, what it said then) of each field that differs."""
    for name, value in before.items():
        if value != after.get(name):
            field = row._meta.get_field(name)
            words = [_in_words(field, text) for text in (value, after.get(name))]
            yield field.verbose_name, *words


def _in_words(field: Any, text: str | None) -> str:
    if text in (None, "", "None"):
        return _("nothing")
    if field.choices:
        return str(dict(field.flatchoices).get(text, text))
    if field.get_internal_type() == "BooleanField":
        return _("yes") if text == "True" else _("no")
    if field.get_internal_type() == "DateTimeField":
        return text[:10]
    return f"“{text}”"


CONDITIONS = Section(
    "conditions",
    gettext_lazy("Conditions"),
    gettext_lazy("Condition"),
    ConditionForm,
    label=lambda row: row.get_clinical_status_display(),
    text=lambda row: row.display,
    home=CHART,
    history=history,
)
MEDICATIONS = Section(
    "medications",
    gettext_lazy("Medications"),
    gettext_lazy("Medication"),
    MedicationForm,
    label=lambda row: row.get_status_display(),
    text=lambda row: ", ".join(filter(None, (row.display, row.directions))),
    home=CHART,
    history=history,
)
ALLERGIES = Section(
    "allergies",
    gettext_lazy("Allergies"),
    gettext_lazy("Allergy"),
    AllergyForm,
    label=lambda row: row.get_clinical_status_display(),
    text=lambda row: row.display,
    home=CHART,
    history=history,
)
IMMUNIZATIONS = Section(
    "immunizations",
    gettext_lazy("Immunizations"),
    gettext_lazy("Immunization"),
    ImmunizationForm,
    label=lambda row: row.get_status_display(),
    text=lambda row: row.display,
    home=CHART,
    history=history,
)
CHART_SECTIONS = (ALLERGIES, CONDITIONS, MEDICATIONS, IMMUNIZATIONS)
