"""Pages of the front desk in print: face sheet, appointments, schedule, documents."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from canvas_admin.audit import trail
from patients import areas, gate
from patients.printing.appointments import appointments, schedule
from patients.printing.blocks import MOST_ROWS
from patients.printing.documents import scan
from patients.printing.profile import face_sheet
from patients.views.appointments import listed, with_reason
from patients.views.documents import readable
from patients.views.printing.paper import PDF, answer, printed, sheet_for
from patients.views.profile.page import contents
from patients.views.schedule import Wanted, lines_of
from patients.views.stored_files import opened, sent


@require_safe
def print_profile(request: HttpRequest, key: str) -> HttpResponse:
    """The face sheet: what the profile shows."""
    patient = gate.open_patient(request, key, *areas.PRINT_PROFILE)
    found = contents(patient, gate.reach(request))
    printed(request, "patient.profile", patient)
    sheet = sheet_for(request, _("Face sheet"), patient)
    face_sheet(sheet, patient, found)
    return answer(sheet, "face-sheet")


@require_safe
def print_appointments(request: HttpRequest, key: str) -> HttpResponse:
    """A patient's appointments, the latest MOST_ROWS."""
    patient = gate.open_patient(request, key, *areas.PRINT_APPOINTMENTS)
    rows = listed(patient, gate.reach(request)).newest_first()
    rows = list(rows[: MOST_ROWS + 1])
    printed(request, "patient.appointments", patient)
    sheet = sheet_for(request, _("Appointments"), patient)
    appointments(sheet, rows, **with_reason(request))
    return answer(sheet, "appointments")


@require_safe
def print_document(request: HttpRequest, key: str, document: str) -> HttpResponseBase:
    """A document: a PDF as it is, a picture on paper."""
    patient = gate.open_patient(request, key, *areas.PRINT_DOCUMENT)
    row = readable(request, patient, document)
    content = opened(row)
    printed(request, "patient.document", patient, document=row.key)
    if row.media_type == PDF:
        return sent(row, content, "document")
    sheet = sheet_for(request, _("Document"), patient)
    with content:
        scan(sheet, row, content)
    return answer(sheet, "document")


@require_safe
def print_schedule(request: HttpRequest) -> HttpResponse:
    """The schedule's day or week, by the codes of its page."""
    gate.require(request, *areas.PRINT_SCHEDULE)
    wanted = Wanted.of(request)
    found, seen = lines_of(request, wanted)
    trail.shown(request, "schedule.printed", seen)
    sheet = sheet_for(request, _("Schedule"))
    schedule(sheet, wanted, **found)
    return answer(sheet, "schedule")
