"""The chart summary, and the results of one kind."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from patients.printing.blocks import facts, heading, paragraph
from patients.printing.clinical import (
    IN_SUMMARY,
    RESULTS,
    allergies,
    care_team,
    conditions,
    immunizations,
    medications,
    notes,
)
from patients.printing.sheet import Sheet


def chart_summary(sheet: Sheet, contents: dict[str, Any]) -> None:
    """What the chart shows, allergies first; `contents` is the page's."""
    _current(sheet, contents)
    _notes(sheet, contents)
    for result in contents["results"]:
        _results(sheet, result)
    heading(sheet, _("Immunizations"))
    none = _("No immunization is recorded.")
    immunizations(sheet, contents["immunizations"], none)
    _past(sheet, contents)
    heading(sheet, _("Care team"))
    none = _("Nobody is on the care team.")
    facts(sheet, care_team(contents["care_team"]), none)


def results(sheet: Sheet, kind: Any, rows: Sequence[Any]) -> None:
    """Results of one kind, the newest first."""
    RESULTS[kind.code](sheet, rows, kind.none)


def _notes(sheet: Sheet, contents: dict[str, Any]) -> None:
    heading(sheet, _("Notes"))
    notes(sheet, contents["notes"], _("No note is written."))
    _older(sheet, contents["more_notes"])


def _current(sheet: Sheet, contents: dict[str, Any]) -> None:
    heading(sheet, _("Allergies"))
    none = _("No current allergy is recorded.")
    allergies(sheet, contents["allergies"]["current"], none)
    heading(sheet, _("Current conditions"))
    none = _("No current condition is recorded.")
    conditions(sheet, contents["conditions"]["current"], none)
    heading(sheet, _("Current medications"))
    none = _("No current medication is recorded.")
    medications(sheet, contents["medications"]["current"], none)


def _past(sheet: Sheet, contents: dict[str, Any]) -> None:
    heading(sheet, _("Past conditions"))
    none = _("No past condition is recorded.")
    conditions(sheet, contents["conditions"]["past"], none, ended=True)
    if past := contents["medications"]["past"]:
        heading(sheet, _("Past medications"))
        medications(sheet, past, "")
    if past := contents["allergies"]["past"]:
        heading(sheet, _("Past allergies"))
        allergies(sheet, past, "")


def _results(sheet: Sheet, result: dict[str, Any]) -> None:
    """The newest results of a kind, and that there are more."""
    kind = result["kind"]
    heading(sheet, kind.title)
    IN_SUMMARY[kind.code](sheet, result["rows"], kind.none)
    _older(sheet, result["more"])


def _older(sheet: Sheet, more: Sequence[Any]) -> None:
    if more:
        paragraph(sheet, _("Older ones are left out."), quiet=True)
