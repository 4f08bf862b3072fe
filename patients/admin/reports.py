"""The report on the audit trail: choose what, look, and take it along as a file."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from canvas_admin.audit import trail
from canvas_admin.audit.models import AuditRow
from patients import areas, audit_report, gate
from patients.admin import picker
from patients.audit_report import ReportForm

ROWS = 200
MOST_IN_A_FILE = 100_000
# So many patients go into one act of the trail when a file shows them.
PATIENTS_AT_ONCE = 500


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """The form, and the first 200 rows that it asks for; everything typed comes by POST."""
    gate.require(request, *areas.READ_AUDIT)
    if request.method != "POST":
        return _page(request, ReportForm(initial=audit_report.usual()))
    form = ReportForm(request.POST)
    patient = picker.chosen(request)
    if "find" in request.POST or (request.POST.get("q") and patient is None):
        return _page(request, form, picker.find(request))
    rows = _rows(request, form)
    if rows is None:
        return _page(request, form, picker.show_again(request, patient))
    shown = list(rows[: ROWS + 1])
    found = rows.filter(pk__in=[row.pk for row in shown[:ROWS]])
    trail.shown(request, "audit.report", audit_report.patients_in(found), **_told(form))
    lines = audit_report.lines(shown[:ROWS])
    return _page(
        request,
        form,
        picker.show_again(request, patient) if patient else picker.Found(),
        lines=lines,
        more=len(shown) > ROWS,
    )


@require_POST
def file(request: HttpRequest) -> HttpResponse:
    """All rows that the form asks for, as CSV; whom it shows is on the trail before."""
    gate.require(request, *areas.READ_AUDIT)
    form = ReportForm(request.POST)
    rows = _rows(request, form)
    if rows is None or (request.POST.get("q") and not request.POST.get("patient")):
        return report(request)
    last = AuditRow.objects.order_by("-pk").values_list("pk", flat=True).first()
    rows = rows.filter(pk__lte=last or 0)
    if len(rows.order_by().values("pk")[: MOST_IN_A_FILE + 1]) > MOST_IN_A_FILE:
        form.add_error(None, _too_many())
        return _page(request, form)
    shown = audit_report.patients_in(rows)
    for start in range(0, len(shown) or 1, PATIENTS_AT_ONCE):
        some = shown[start : start + PATIENTS_AT_ONCE]
        trail.shown(request, "audit.export", some, **_told(form))
    return StreamingHttpResponse(
        audit_report.as_csv(rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
    )


def _rows(request: HttpRequest, form: ReportForm) -> QuerySet[AuditRow] | None:
    """The rows asked for; None when the form has errors, or an old handle of a patient."""
    if not form.is_valid():
        return None
    patient = picker.chosen(request)
    if request.POST.get("patient") and patient is None:
        picker.refuse_nobody(form, patient)
        return None
    return audit_report.rows_of(form.cleaned_data, patient)


def _told(form: ReportForm) -> dict[str, str]:
    """What the trail keeps of the question; of patients it has the rows."""
    return {name: str(value) for name, value in form.cleaned_data.items()}


def _too_many() -> ValidationError:
    text = _("This is more than %(most)d rows. Choose a shorter period.")
    return ValidationError(text, params={"most": MOST_IN_A_FILE})


def _page(
    request: HttpRequest,
    form: ReportForm,
    found: picker.Found | None = None,
    **context: Any,
) -> HttpResponse:
    found = found or picker.Found()
    context |= admin.site.each_context(request)
    context |= {"title": _("Audit report"), "form": form, "found": found}
    context |= {"most": picker.ROWS, "rows": ROWS}
    context |= {"headings": audit_report.HEADINGS.values()}
    return render(request, "admin/audit/report.html", context, status=found.status)
