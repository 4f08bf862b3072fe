"""The demo clinic's schedule: some visits on every weekday of this week and the next."""

from datetime import date, datetime, time, timedelta

from django.db import transaction

from canvas_admin.records import clock
from patients.models import Appointment, Patient
from staffing.models import Location, Staff, VisitType

WEEKDAYS, WEEKS, VISITS = 5, 2, 4
REASONS = ("Follow-up", "Blood pressure", "Medication review", "Annual check-up", "")
OVER = (
    Appointment.Status.FULFILLED,
    Appointment.Status.FULFILLED,
    Appointment.Status.NOSHOW,
)
TO_COME = (
    Appointment.Status.BOOKED,
    Appointment.Status.PROPOSED,
    Appointment.Status.PENDING,
)


def make_schedule(patients: dict[str, list[Patient]]) -> None:
    """Fill each day that has no visit yet; `patients` are by the place that they go to."""
    today = clock.now().date()
    monday = today - timedelta(days=today.weekday())
    days = [
        monday + timedelta(days=7 * week + weekday)
        for week in range(WEEKS)
        for weekday in range(WEEKDAYS)
    ]
    for name, people in patients.items():
        location = Location.objects.get(name=name)
        staff = list(
            Staff.objects.filter(
                active=True, primary_location=location, npi__gt=""
            ).order_by("pk")
        )
        for day in days:
            make_day(day, location, staff, people)


@transaction.atomic
def make_day(
    day: date, location: Location, staff: list[Staff], people: list[Patient]
) -> None:
    """One visit after the other at a place, of other patients every day."""
    begin = datetime.combine(day, time(9), location.zone)
    that_day = Appointment.objects.scheduled(begin, begin + timedelta(hours=12))
    if that_day.filter(location=location).exists() or not (staff and people):
        return
    types = list(VisitType.objects.order_by("pk"))
    for number in range(min(VISITS, len(people))):
        turn, start = number + day.day, begin + timedelta(minutes=45 * number)
        statuses = OVER if start < clock.now() else TO_COME
        kind = types[turn % len(types)]
        Appointment.objects.create(
            patient=people[(day.toordinal() * VISITS + number) % len(people)],
            provider=staff[number % len(staff)],
            location=location,
            visit_type=kind,
            start=start,
            minutes=kind.minutes,
            status=statuses[turn % len(statuses)],
            reason=REASONS[turn % len(REASONS)],
        )
