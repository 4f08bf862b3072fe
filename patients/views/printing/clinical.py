"""Clinical pages in print: the chart summary, results of a kind, the summary of a visit."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from patients import areas, gate
from patients.models import Command, Note
from patients.printing.blocks import MOST_ROWS
from patients.printing.chart import chart_summary, results
from patients.printing.documents import result_scan
from patients.printing.visit import visit_summary
from patients.views.chart import contents
from patients.views.printing.paper import PDF, answer, printed, sheet_for
from patients.views.results import KINDS
from patients.views.stored_files import opened, sent


@require_safe
def print_chart(request: HttpRequest, key: str) -> HttpResponse:
    """The chart summary."""
    patient = gate.open_patient(request, key, *areas.PRINT_CHART)
    found = contents(patient, gate.reach(request))
    printed(request, "patient.chart", patient)
    sheet = sheet_for(request, _("Chart summary"), patient)
    chart_summary(sheet, found)
    return answer(sheet, "chart-summary")


@require_safe
def print_results(request: HttpRequest, key: str, kind: str) -> HttpResponse:
    """Results of one kind, the newest MOST_ROWS."""
    patient = gate.open_patient(request, key, *areas.PRINT_RESULTS)
    if kind not in KINDS:
        raise Http404
    rows = KINDS[kind].rows(patient, gate.reach(request)).newest_first()
    rows = list(rows[: MOST_ROWS + 1])
    printed(request, f"patient.{kind}", patient)
    sheet = sheet_for(request, str(KINDS[kind].title), patient)
    results(sheet, KINDS[kind], rows)
    return answer(sheet, "results")


@require_safe
def print_result(
    request: HttpRequest, key: str, kind: str, row: str
) -> HttpResponseBase:
    """The file of a result: a PDF as it is, a picture on paper."""
    patient = gate.open_patient(request, key, *areas.PRINT_RESULTS)
    if kind not in KINDS or not KINDS[kind].with_files:
        raise Http404
    rows = KINDS[kind].rows(patient, gate.reach(request))
    found = gate.open_row(rows, row, patient)
    content = opened(found)
    printed(request, "patient.result_file", patient, row=found.key)
    if found.media_type == PDF:
        return sent(found, content, "result")
    sheet = sheet_for(request, str(KINDS[kind].title), patient)
    with content:
        result_scan(sheet, found, content)
    return answer(sheet, "result")


@require_safe
def print_visit(request: HttpRequest, key: str, note: str) -> HttpResponse:
    """The summary of a visit, for the patient to take home."""
    patient = gate.open_patient(request, key, *areas.PRINT_VISIT)
    rows = Note.objects.in_chart_of(patient, gate.reach(request))
    rows = rows.select_related("provider", "location", "visit_type", "signed_by")
    row = gate.open_row(rows, note, patient)
    commands = row.commands(Command.State.COMMITTED)
    addenda = list(row.addenda.select_related("author"))
    printed(request, "patient.note", patient, note=row.key)
    sheet = sheet_for(request, _("Visit summary"), patient)
    visit_summary(sheet, row, commands, addenda)
    return answer(sheet, "visit-summary")
