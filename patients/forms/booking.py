"""The form of an appointment: who, where, when."""

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from canvas_admin.records.forms import SavedOnceForm
from patients.booking import providers
from patients.forms.fields import validate_seen
from patients.models import Appointment, CareTeamMembership, Patient
from staffing.models import Location, Staff, VisitType

EARLIEST, LATEST = date(1990, 1, 1), date(2200, 12, 31)


class BookingForm(SavedOnceForm):
    """An appointment of one patient, in the time zone of its place.

    The patient's care team is offered first. Whoever may not read clinical data writes the
    reason when booking, and does not meet it again.
    """

    provider = forms.ModelChoiceField(
        Staff.objects.none(), to_field_name="key", label=_("Provider")
    )
    location = forms.ModelChoiceField(
        Location.objects.none(), to_field_name="key", label=_("Location")
    )
    visit_type = forms.ModelChoiceField(
        VisitType.objects.none(), to_field_name="key", label=_("Visit type")
    )
    start_date = forms.DateField(
        label=_("Date"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    start_time = forms.TimeField(
        label=_("Time"),
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        help_text=_("By the clock of the location."),
    )
    minutes = forms.IntegerField(
        label=_("Length in minutes"),
        required=False,
        min_value=1,
        max_value=Appointment.LONGEST,
        help_text=_("Empty for the usual length of the visit type."),
    )
    reason = forms.CharField(
        label=_("Reason for visit"),
        required=False,
        max_length=255,
        validators=[validate_seen],
    )

    class Meta:
        model = Appointment
        fields = ["provider", "location", "visit_type", "minutes", "reason"]

    def __init__(
        self,
        *args: Any,
        patient: Patient | None = None,
        actor: Any = None,
        with_reason: bool = True,
        **kwargs: Any,
    ) -> None:
        self.actor = actor
        super().__init__(*args, **kwargs)
        if patient is not None:
            self.instance.patient = patient
        self._offer()
        if self.instance.pk:
            begins = self.instance.start.astimezone(self.instance.zone)
            self.initial |= {"start_date": begins.date(), "start_time": begins.time()}
            if not with_reason:
                del self.fields["reason"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        names = ("start_date", "start_time", "location")
        wanted = [cleaned.get(name) for name in names]
        if all(each is not None for each in wanted):
            self.instance.start = self._start(*wanted)
        if cleaned.get("minutes") is None and cleaned.get("visit_type"):
            cleaned["minutes"] = cleaned["visit_type"].minutes
        return cleaned

    def clean_start_date(self) -> date:
        """A day within what calendars of clinics hold."""
        found = self.cleaned_data["start_date"]
        if not EARLIEST <= found <= LATEST:
            raise ValidationError(_("This year is impossible."))
        return found

    def _start(self, day: date, hour: time, location: Location) -> datetime:
        start = datetime.combine(day, hour, location.zone)
        if not _exists(start, location.zone):
            self.add_error(
                "start_time",
                _("The clocks change then: there is no such time on this day."),
            )
        elif not self.instance.pk and start <= clock.now():
            self.add_error("start_time", _("This time is over."))
        return start

    def _offer(self) -> None:
        """Choices that can be used now, and whatever the appointment has already."""
        chosen = self.instance if self.instance.pk else None
        self.fields["location"].queryset = _active(Location, chosen and chosen.location)
        self.fields["visit_type"].queryset = _active(
            VisitType, chosen and chosen.visit_type
        )
        team = list(_care_team(self.instance.patient))
        provider = self.fields["provider"]
        provider.queryset = providers(chosen and chosen.provider_id)
        others = [each for each in provider.queryset if each not in team]
        groups = [(_("Care team"), team), (_("Others"), others)]
        provider.choices = [
            ("", "---------"),
            *(
                (title, [(each.key, each.credentialed_name) for each in people])
                for title, people in groups
                if people
            ),
        ]


def _active(model: Any, chosen: Any) -> Any:
    rows = model.objects.filter(active=True)
    return rows | model.objects.filter(pk=chosen.pk) if chosen else rows


def _care_team(patient: Patient) -> Any:
    parts = CareTeamMembership.objects.filter(
        patient=patient, status=CareTeamMembership.Status.ACTIVE
    )
    return providers().filter(pk__in=parts.values("staff"))


def _exists(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether clocks show this time: in spring an hour is left out."""
    there_and_back = moment.astimezone(ZoneInfo("UTC")).astimezone(zone)
    return there_and_back.replace(tzinfo=None) == moment.replace(tzinfo=None)
