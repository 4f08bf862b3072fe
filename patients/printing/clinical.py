"""Parts of a chart in print: a table for each kind of row."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from patients.models import AllergyIntolerance, ClinicalDocument
from patients.models.results import ReportStatus
from patients.printing.blocks import MOST_ROWS, left_out, paragraph, table
from patients.printing.sheet import LEADING, Sheet
from patients.printing.wording import day, known, with_marks

HIGH = AllergyIntolerance.Criticality.HIGH


def allergies(sheet: Sheet, rows: Sequence[Any], none: str) -> None:
    columns = [
        (_("Allergy"), 3),
        (_("Reaction"), 3),
        (_("Status"), 1.5),
        (_("Recorded"), 1.5),
    ]
    table(sheet, columns, [_allergy(row) for row in rows], none)


def _allergy(row: Any) -> list[str]:
    high = row.criticality == HIGH and row.get_criticality_display()
    return [
        with_marks(row.display, high),
        known(row.reaction),
        row.get_clinical_status_display(),
        day(row.recorded),
    ]


def notes(sheet: Sheet, rows: Sequence[Any], none: str) -> None:
    columns = [
        (_("Note"), 4),
        (_("Date"), 1.5),
        (_("Provider"), 3),
        (_("State"), 1.5),
    ]
    cells = [
        [
            row.name,
            day(row.start.date()),
            known(row.provider and row.provider.name),
            _("Imported") if row.imported else row.get_state_display(),
        ]
        for row in rows
    ]
    table(sheet, columns, cells, none)


def conditions(
    sheet: Sheet, rows: Sequence[Any], none: str, ended: bool = False
) -> None:
    columns = [(_("Condition"), 5), (_("Status"), 1.5), (_("Began"), 1.5)]
    if ended:
        columns.append((_("Ended"), 1.5))
    cells = [
        [row.display, row.get_clinical_status_display(), day(row.onset)]
        + ([day(row.abatement)] if ended else [])
        for row in rows
    ]
    table(sheet, columns, cells, none)


def medications(sheet: Sheet, rows: Sequence[Any], none: str) -> None:
    columns = [
        (_("Medication"), 4),
        (_("Directions"), 3),
        (_("Status"), 1.5),
        (_("Prescribed"), 1.5),
    ]
    cells = [
        [
            row.display,
            known(row.directions),
            row.get_status_display(),
            day(row.started),
        ]
        for row in rows
    ]
    table(sheet, columns, cells, none)


def immunizations(sheet: Sheet, rows: Sequence[Any], none: str) -> None:
    columns = [(_("Vaccine"), 5), (_("Status"), 3), (_("Date"), 1.5)]
    cells = [
        [
            row.display,
            with_marks(row.get_status_display(), row.reason_not_given),
            day(row.given),
        ]
        for row in rows
    ]
    table(sheet, columns, cells, none)


def labs(sheet: Sheet, reports: Sequence[Any], none: str) -> None:
    """Each report with its values; of all together no more than MOST_ROWS."""
    columns = [(_("Finding"), 4), (_("Value"), 3), (_("Usual range"), 2)]
    if not reports:
        paragraph(sheet, none, quiet=True)
    left = MOST_ROWS
    for report in reports:
        values = list(report.values.all())
        if left < 1:
            said = _("Only the newest are printed. The screen has the others.")
            paragraph(sheet, said, style="B")
            return
        left -= len(values) + 1
        final = report.status == ReportStatus.FINAL
        status = "" if final else report.get_status_display()
        _titled(sheet, report, report.reported, status, _unreviewed(report))
        if values:
            cells = [[row.display, _value(row), row.reference_range] for row in values]
            table(sheet, columns, cells)
        if report.conclusion:
            paragraph(sheet, report.conclusion)


def _titled(sheet: Sheet, row: Any, when: Any, *marks: str) -> None:
    """A row that is no table's: its name, date and marks."""
    date = day(when) if when else _("date not known")
    if sheet.room(4 * LEADING):
        sheet.set_y(sheet.get_y() + 1.5)
        paragraph(sheet, with_marks(row.display, date, *marks, _file(row)), "B")


def imaging(sheet: Sheet, rows: Sequence[Any], none: str) -> None:
    columns = [
        (_("Study"), 5),
        (_("Modality"), 2),
        (_("Body site"), 2),
        (_("Date"), 1.5),
    ]
    cells = [
        [
            _lines(
                with_marks(row.display, _unreviewed(row), _file(row)), row.conclusion
            ),
            row.modality,
            row.body_site,
            day(row.reported),
        ]
        for row in rows
    ]
    table(sheet, columns, cells, none)


def documents(sheet: Sheet, rows: Sequence[Any], none: str) -> None:
    """Clinical documents, each with its text."""
    if not rows:
        paragraph(sheet, none, quiet=True)
    for row in rows[:MOST_ROWS]:
        _titled(sheet, row, row.clinical_date, *_kind_of(row))
        if row.text:
            paragraph(sheet, row.text)
        elif not row.file:
            said = _("The source sent neither a text nor a file.")
            paragraph(sheet, said, quiet=True)
    left_out(sheet, rows)


def list_of_documents(sheet: Sheet, rows: Sequence[Any], none: str) -> None:
    """Clinical documents without what they say."""
    cells = [
        [with_marks(row.display, *_kind_of(row), _file(row)), day(row.clinical_date)]
        for row in rows
    ]
    table(sheet, [(_("Document"), 8), (_("Date"), 1.5)], cells, none)


def _kind_of(document: Any) -> tuple[str, str]:
    """What the page marks a document with: its kind and status, but for the usual ones."""
    other = document.kind == ClinicalDocument.Kind.OTHER
    final = document.status == ClinicalDocument.Status.FINAL
    return (
        "" if other else document.get_kind_display(),
        "" if final else document.get_status_display(),
    )


def _file(row: Any) -> str:
    """Paper shows no file; that there is one is said."""
    return _("with a file") if row.file else ""


def _unreviewed(row: Any) -> str:
    return "" if row.reviewed else _("Not reviewed")


def observations(sheet: Sheet, rows: Sequence[Any], none: str) -> None:
    columns = [(_("Finding"), 5), (_("Value"), 3), (_("Date"), 1.5)]
    cells = [[row.display, _value(row), day(row.observed)] for row in rows]
    table(sheet, columns, cells, none)


def _value(row: Any) -> str:
    value = row.measured if row.value else _("no value")
    return with_marks(value, row.abnormal and row.interpretation)


def _lines(*texts: str) -> str:
    return "\n".join(text for text in texts if text)


# By the code of the kind of result (patients.views.results.KINDS).
RESULTS = {
    "labs": labs,
    "imaging": imaging,
    "clinical-documents": documents,
    "observations": observations,
}
# The chart summary says of documents only that they are there.
IN_SUMMARY = RESULTS | {"clinical-documents": list_of_documents}


def care_team(team: Iterable[Any]) -> list[tuple[str, str]]:
    """The care team: (role, who), the lead marked."""
    return [
        (
            row.role_display,
            with_marks(row.staff.credentialed_name, row.lead and _("Lead")),
        )
        for row in team
    ]
