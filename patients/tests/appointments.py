"""A clinic with places, visit types and appointments, for tests."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from patients.models import Appointment, Patient
from staffing.models import Location, VisitType

# A Wednesday, three in the afternoon in London.
START = datetime(2030, 1, 2, 15, tzinfo=UTC)


def furnish_schedule(cast: SimpleNamespace) -> SimpleNamespace:
    """Add two places and a visit type to the cast; the east one has its own clock."""
    cast.main = Location.objects.create(name="Main street")
    cast.coast = Location.objects.create(name="Coast", time_zone="America/New_York")
    cast.check_up = VisitType.objects.create(
        name="Check-up", code="308335008", minutes=30
    )
    return cast


def appoint(cast: SimpleNamespace, patient: Patient, **fields: Any) -> Appointment:
    """An appointment of this patient with sam at START."""
    usual = {
        "provider": cast.sam,
        "location": cast.main,
        "visit_type": cast.check_up,
        "start": START,
        "minutes": 30,
    }
    return Appointment.objects.create(patient=patient, **(usual | fields))


def filled_in(cast: SimpleNamespace, page: str, **fields: str) -> dict[str, str]:
    """What a browser sends for the booking form on this page."""
    hidden = {
        name: page.partition(f'name="{name}" value="')[2].partition('"')[0]
        for name in ("form_token", "form_version")
    }
    usual = {
        "provider": cast.sam.key,
        "location": cast.main.key,
        "visit_type": cast.check_up.key,
        "start_date": "2030-01-02",
        "start_time": "15:00",
        "minutes": "",
        "reason": "Headache",
    }
    return hidden | usual | fields
