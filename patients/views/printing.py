"""What the links with "Print" in their title open (S2): pages as PDF.

Each prints the rows of its page, for whoever may open that page and print.
"""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from canvas_admin.audit import trail
from canvas_admin.records import clock
from patients import access, areas, gate
from patients.models import Patient
from patients.printing.appointments import appointments, schedule
from patients.printing.blocks import MOST_ROWS
from patients.printing.chart import chart_summary, results
from patients.printing.documents import scan
from patients.printing.profile import face_sheet
from patients.printing.sheet import Frame, Sheet
from patients.templatetags.patients import born, lived
from patients.views.appointments import listed, with_reason
from patients.views.chart import contents as chart_contents
from patients.views.documents import opened, sent
from patients.views.profile.page import contents as profile_contents
from patients.views.results import KINDS
from patients.views.schedule import Wanted, lines_of

PDF = "application/pdf"


@require_safe
def print_chart(request: HttpRequest, key: str) -> HttpResponse:
    """The chart summary."""
    patient = gate.open_patient(request, key, *areas.PRINT_CHART)
    contents = chart_contents(patient, gate.reach(request))
    _printed(request, "patient.chart", patient)
    sheet = _sheet(request, _("Chart summary"), patient)
    chart_summary(sheet, contents)
    return _answer(sheet, "chart-summary")


@require_safe
def print_results(request: HttpRequest, key: str, kind: str) -> HttpResponse:
    """Results of one kind, the newest MOST_ROWS."""
    patient = gate.open_patient(request, key, *areas.PRINT_RESULTS)
    if kind not in KINDS:
        raise Http404
    rows = KINDS[kind].rows(patient, gate.reach(request)).newest_first()
    rows = list(rows[: MOST_ROWS + 1])
    _printed(request, f"patient.{kind}", patient)
    sheet = _sheet(request, str(KINDS[kind].title), patient)
    results(sheet, KINDS[kind], rows)
    return _answer(sheet, "results")


@require_safe
def print_profile(request: HttpRequest, key: str) -> HttpResponse:
    """The face sheet: what the profile shows."""
    patient = gate.open_patient(request, key, *areas.PRINT_PROFILE)
    contents = profile_contents(patient, gate.reach(request))
    _printed(request, "patient.profile", patient)
    sheet = _sheet(request, _("Face sheet"), patient)
    face_sheet(sheet, patient, contents)
    return _answer(sheet, "face-sheet")


@require_safe
def print_appointments(request: HttpRequest, key: str) -> HttpResponse:
    """A patient's appointments, the latest MOST_ROWS."""
    patient = gate.open_patient(request, key, *areas.PRINT_APPOINTMENTS)
    rows = listed(patient, gate.reach(request)).newest_first()
    rows = list(rows[: MOST_ROWS + 1])
    _printed(request, "patient.appointments", patient)
    sheet = _sheet(request, _("Appointments"), patient)
    appointments(sheet, rows, **with_reason(request))
    return _answer(sheet, "appointments")


@require_safe
def print_document(request: HttpRequest, key: str, document: str) -> HttpResponseBase:
    """A document: a PDF as it is, a picture on paper."""
    patient = gate.open_patient(request, key, *areas.PRINT_DOCUMENT)
    row, content = opened(request, patient, document)
    _printed(request, "patient.document", patient, document=row.key)
    if row.media_type == PDF:
        return sent(row, content)
    sheet = _sheet(request, _("Document"), patient)
    with content:
        scan(sheet, row, content)
    return _answer(sheet, "document")


@require_safe
def print_schedule(request: HttpRequest) -> HttpResponse:
    """The schedule's day or week, by the codes of its page."""
    gate.require(request, *areas.PRINT_SCHEDULE)
    wanted = Wanted.of(request)
    found, seen = lines_of(request, wanted)
    trail.shown(request, "schedule.printed", seen)
    sheet = _sheet(request, _("Schedule"))
    schedule(sheet, **found)
    return _answer(sheet, "schedule")


def _printed(request: HttpRequest, act: str, patient: Patient, **detail: str) -> None:
    paths = access.paths_to(gate.reach(request), [patient])
    trail.shown(request, f"{act}.printed", paths, **detail)


def _sheet(request: HttpRequest, title: str, patient: Patient | None = None) -> Sheet:
    when = date_format(localtime(clock.now()), "DATETIME_FORMAT")
    printed = {"who": request.user.get_full_name(), "when": when}
    return Sheet(
        Frame(
            clinic=settings.CLINIC_NAME,
            title=title,
            name=patient.name if patient else "",
            about=_about(request, patient) if patient else "",
            printed=_("Printed by %(who)s, %(when)s") % printed,
        )
    )


def _about(request: HttpRequest, patient: Patient) -> str:
    """What tells the patient from others; the number for who may read the profile."""
    age = lived(patient)
    parts = [_("Born %(day)s") % {"day": born(patient)} + (f" ({age})" if age else "")]
    if request.user.has_perms(areas.OPEN_PROFILE):
        parts.append(_("MRN %(mrn)s") % {"mrn": patient.mrn})
    return ", ".join(parts)


def _answer(sheet: Sheet, name: str) -> HttpResponse:
    """The PDF, under a name that says nothing about anybody."""
    disposition = f'inline; filename="{name}.pdf"'
    return HttpResponse(
        sheet.finished(),
        content_type=PDF,
        headers={"Content-Disposition": disposition},
    )
