"""The schedule: day and week, by provider and place (S2; security A3)."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from canvas_admin.audit import trail
from canvas_admin.records import clock
from canvas_admin.records.models import find_row
from patients import access, areas, gate
from patients.booking import providers
from patients.models import Appointment
from staffing.models import Location, Staff

MOST = 300
DAYS = {"day": 1, "week": 7}


@dataclass(frozen=True)
class Line:
    """An appointment as the schedule shows it; out of reach it holds A3's fields alone."""

    start: datetime
    end: datetime
    minutes: int
    provider: str
    location: str
    visit_type: str
    status: str
    free: bool
    name: str
    birth_date: date
    birth_date_precision: str
    reason: str = ""
    address: str = ""

    @property
    def day(self) -> date:
        """The day by the clock of the place."""
        return self.start.date()


@require_safe
def schedule(request: HttpRequest) -> HttpResponse:
    """S2 excepts "information in appointments that are scheduled for that patient".

    ?view=week, ?date=2026-11-26, ?provider= and ?location= are codes; whatever is no such
    code counts as not given.
    """
    gate.require(request, *areas.SEE_SCHEDULE)
    wanted = Wanted.of(request)
    found, seen = lines_of(request, wanted)
    trail.shown(request, "schedule", seen)
    context = {
        "wanted": wanted,
        **found,
        "providers": providers(),
        "locations": Location.objects.filter(active=True),
    }
    return render(request, "patients/schedule.html", context)


@dataclass(frozen=True)
class Wanted:
    """What part of the schedule a request asks for."""

    view: str
    date: date
    provider: Staff | None
    location: Location | None

    @classmethod
    def of(cls, request: HttpRequest) -> "Wanted":
        """What the codes in the address say; today where they say nothing."""
        asked = request.GET
        location = find_row(Location.objects.all(), asked.get("location", ""))
        today = clock.now().astimezone(_zone(location)).date()
        return cls(
            view="week" if asked.get("view") == "week" else "day",
            date=_date(asked.get("date", "")) or today,
            provider=find_row(Staff.objects.all(), asked.get("provider", "")),
            location=location,
        )

    @property
    def begin(self) -> date:
        """The first day: of a week, its Monday."""
        if self.view == "day":
            return self.date
        return self.date - timedelta(days=self.date.weekday())

    @property
    def last(self) -> date:
        """The last day."""
        return self.begin + timedelta(days=DAYS[self.view] - 1)

    def appointments(self) -> Any:
        """The appointments, in order, with all that a line shows."""
        zone = _zone(self.location)
        begin = datetime.combine(self.begin, time(), zone)
        end = datetime.combine(self.last + timedelta(days=1), time(), zone)
        rows = Appointment.objects.scheduled(begin, end)
        if self.provider:
            rows = rows.filter(provider=self.provider)
        if self.location:
            rows = rows.filter(location=self.location)
        return rows.select_related("patient", "provider", "location", "visit_type")

    def address(self, page: str = "patients:schedule", **changed: Any) -> str:
        """The schedule's address, or its print's, with these codes changed."""
        codes = {
            "view": self.view,
            "date": self.date.isoformat(),
            "provider": self.provider and self.provider.key,
            "location": self.location and self.location.key,
        } | changed
        given = {name: code for name, code in codes.items() if code}
        return f"{reverse(page)}?{urlencode(given)}"

    @property
    def before(self) -> str:
        """The address of the day or week before."""
        return self.address(date=self._moved(-DAYS[self.view]))

    @property
    def after(self) -> str:
        """The address of the day or week after."""
        return self.address(date=self._moved(DAYS[self.view]))

    @property
    def today(self) -> str:
        """The address of today, or of this week."""
        return self.address(date="")

    @property
    def in_print(self) -> str:
        """The address of the same in print."""
        return self.address("patients:print-schedule")

    @property
    def as_day(self) -> str:
        return self.address(view="day")

    @property
    def as_week(self) -> str:
        return self.address(view="week")

    def _moved(self, days: int) -> str:
        return (self.date + timedelta(days=days)).isoformat()


def lines_of(request: HttpRequest, wanted: Wanted) -> tuple[dict[str, Any], trail.Seen]:
    """(the days with their lines, and MOST where there are more; who is on them)."""
    rows = list(wanted.appointments()[: MOST + 1])
    most = MOST if len(rows) > MOST else 0
    del rows[MOST:]
    paths = access.opened(gate.reach(request), {row.patient_id for row in rows})
    days: dict[date, list[Line]] = {}
    for row in rows:
        line = _line(request, row, row.patient in paths)
        days.setdefault(line.day, []).append(line)
    seen = {row.patient.key: paths.get(row.patient, "") for row in rows}
    return {"days": sorted(days.items()), "most": most}, seen.items()


def _line(request: HttpRequest, row: Appointment, within_reach: bool) -> Line:
    """What this person may see of an appointment."""
    start, end = (moment.astimezone(row.zone) for moment in (row.start, row.end))
    of_reach: dict[str, str] = {}
    if within_reach:
        of_reach["address"] = reverse(
            "patients:appointment",
            kwargs={"key": row.patient.key, "appointment": row.key},
        )
        if request.user.has_perms(areas.OPEN_CHART):
            of_reach["reason"] = row.reason
    return Line(
        start=start,
        end=end,
        minutes=row.minutes,
        provider=row.provider.name,
        location=row.location.name,
        visit_type=row.visit_type.name,
        status=row.get_status_display(),
        free=row.status in Appointment.FREE,
        name=row.patient.name,
        birth_date=row.patient.birth_date,
        birth_date_precision=row.patient.birth_date_precision,
        **of_reach,
    )


def _zone(location: Location | None) -> ZoneInfo:
    return location.zone if location else ZoneInfo(settings.TIME_ZONE)


def _date(text: str) -> date | None:
    """A date as the page writes it into its links, within what calendars can add to."""
    try:
        found = date.fromisoformat(text) if len(text) == len("2026-01-01") else None
    except ValueError:
        return None
    return found if found and 1990 <= found.year <= 2200 else None
