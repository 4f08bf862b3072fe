"""Making and changing appointments: nobody's time is given away twice.

Each act is one transaction that holds the provider's row, so that two people who book the
same time at once come one after the other.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from canvas_admin.audit import trail
from patients import gate
from patients.models import Appointment, Note
from staffing.models import Role, Staff, StaffRole

Status = Appointment.Status
# Of these, a signed note says that the patient was here.
UNDERWAY = (
    Status.PROPOSED,
    Status.PENDING,
    Status.BOOKED,
    Status.ARRIVED,
    Status.CHECKED_IN,
)


def providers(also: int | None = None) -> "QuerySet[Staff]":
    """Who can be booked: active staff with a clinical or hybrid role (facts 6.1).

    `also` is the primary key of somebody who stays a choice in any case.
    """
    clinical = Role.objects.exclude(domain=Role.Domain.ADMINISTRATIVE)
    held = StaffRole.objects.filter(role__in=clinical)
    wanted = Q(active=True, pk__in=held.values("staff")) | Q(pk=also)
    return Staff.objects.people().filter(wanted).prefetch_related("staff_roles__role")


@transaction.atomic
def save(appointment: Appointment, request: HttpRequest, act: str) -> None:
    """Book an appointment or move it; `act` names it on the trail.

    Raises ValidationError where the provider is not free (facts 5.3), where it is over for
    good, and where somebody changed it since it was read.
    """
    _hold(appointment, str(appointment.version))
    appointment.full_clean(exclude=["patient", "end"])
    _refuse_a_second(appointment)
    appointment.save()
    _record(appointment, request, act)


@transaction.atomic
def set_status(
    appointment: Appointment, status: str, request: HttpRequest, version: str
) -> None:
    """Change the status of what the person saw in this version.

    Raises ValidationError as save() does.
    """
    _hold(appointment, version)
    was_free = appointment.status in Appointment.FREE
    appointment.status = status
    if was_free:
        _refuse_a_second(appointment)
    appointment.save()
    _record(appointment, request, "appointment.status", status=status)


def visit_that_ends_with(note: Note) -> Appointment | None:
    """The appointment that is over when this note is signed, if there is one."""
    visit = note.appointment
    return visit if visit and visit.status in UNDERWAY else None


def end_visit(request: HttpRequest, note: Note) -> None:
    """Whose note is signed has been seen and has left. Call it in the signing's transaction.

    S2, Clinical write: "change appointment statuses (because that is related to note state
    changes)". What was cancelled or missed stays so.
    """
    if visit_that_ends_with(note) is None:
        return
    visit = note.appointment
    list(Staff.objects.select_for_update().filter(pk=visit.provider_id))
    visit.refresh_from_db()
    if visit.status in UNDERWAY:
        visit.status = Status.FULFILLED
        visit.save()
        _record(visit, request, "appointment.status", status=visit.status)


def _hold(appointment: Appointment, version: str) -> None:
    """Keep others out of the time of the provider, and of the one before, until the end.

    Raises ValidationError where the saved appointment has another version, or is over.
    """
    stored = Appointment.objects.filter(pk=appointment.pk).first()
    people = {appointment.provider_id, stored.provider_id if stored else None}
    held = Staff.objects.select_for_update().filter(pk__in=people - {None})
    list(held.order_by("pk"))
    if stored:
        stored.refresh_from_db()
        _refuse_what_changed(stored, version)


def _refuse_what_changed(stored: Appointment, version: str) -> None:
    if stored.final:
        raise ValidationError(
            _("This appointment was cancelled. Book a new one instead.")
        )
    if str(stored.version) != version:
        raise ValidationError(
            _("Somebody changed this meanwhile. Look at it and choose again.")
        )


def _refuse_a_second(appointment: Appointment) -> None:
    if appointment.status in Appointment.FREE:
        return
    taken = Appointment.objects.taking_time_of(appointment.provider_id).filter(
        start__lt=appointment.end_time, end__gt=appointment.start
    )
    if taken.exclude(pk=appointment.pk).exists():
        raise ValidationError(_("This appointment time is no longer available."))


def _record(
    appointment: Appointment, request: HttpRequest, act: str, **detail: Any
) -> None:
    trail.done(
        request.user,
        act,
        gate.still_open(request, appointment.patient),
        request=request,
        subject=f"appointment/{appointment.key}",
        **detail,
    )
