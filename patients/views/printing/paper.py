"""What each print has around it: the frame of its pages, its row of the trail, its answer."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from canvas_admin.records import clock
from patients import areas, gate
from patients.models import Patient
from patients.printing.sheet import Frame, Sheet
from patients.templatetags.patients import born, lived

PDF = "application/pdf"


def printed(request: HttpRequest, act: str, patient: Patient, **detail: str) -> None:
    """Put on the trail that this page about the patient is printed, before it is."""
    gate.shown(request, f"{act}.printed", patient, **detail)


def sheet_for(
    request: HttpRequest, title: str, patient: Patient | None = None
) -> Sheet:
    """A sheet with the clinic's frame around it; about the patient, where it is about one."""
    return Sheet(frame_for(request, title, patient))


def frame_for(
    request: HttpRequest, title: str, patient: Patient | None = None
) -> Frame:
    """What stands on each page."""
    when = date_format(localtime(clock.now()), "DATETIME_FORMAT")
    by = {"who": request.user.get_full_name(), "when": when}
    return Frame(
        paper=settings.PAPER_SIZE,
        clinic=settings.CLINIC_NAME,
        title=title,
        name=patient.name if patient else "",
        about=_about(request, patient) if patient else "",
        printed=_("Printed by %(who)s, %(when)s") % by,
    )


def _about(request: HttpRequest, patient: Patient) -> str:
    """What tells the patient from others; the number for who may read the profile."""
    age = lived(patient)
    parts = [_("Born %(day)s") % {"day": born(patient)} + (f" ({age})" if age else "")]
    if request.user.has_perms(areas.OPEN_PROFILE):
        parts.append(_("MRN %(mrn)s") % {"mrn": patient.mrn})
    if patient.deceased:
        parts.append(_("Deceased"))
    if not patient.active:
        parts.append(_("Inactive"))
    return ", ".join(parts)


def answer(sheet: Sheet, name: str) -> HttpResponse:
    """The PDF, under a name that says nothing about anybody."""
    disposition = f'inline; filename="{name}.pdf"'
    return HttpResponse(
        sheet.finished(),
        content_type=PDF,
        headers={"Content-Disposition": disposition},
    )
