"""What the forms of appointments and of notes share: who, where, what kind, when."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.forms import SavedOnceForm
from patients.booking import providers
from patients.models import CareTeamMembership, Patient
from staffing.models import Location, Staff, VisitType

EARLIEST, LATEST = date(1990, 1, 1), date(2200, 12, 31)


class VisitForm(SavedOnceForm):
    """A visit of one patient, in the time zone of its place.

    The patient's care team is offered first. `begins` names the field of the row that says
    when the visit begins.
    """

    begins = "start"

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

    def __init__(
        self,
        *args: Any,
        patient: Patient | None = None,
        actor: Any = None,
        **kwargs: Any,
    ) -> None:
        self.actor = actor
        super().__init__(*args, **kwargs)
        if patient is not None:
            self.instance.patient = patient
        self._offer()
        if self.instance.pk:
            self._show_when(getattr(self.instance, self.begins), self.instance.location)

    @property
    def patient(self) -> Patient:
        """Whose visit it is."""
        return self.instance.patient

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        names = ("start_date", "start_time", "location")
        wanted = [cleaned.get(name) for name in names]
        if all(each is not None for each in wanted):
            setattr(self.instance, self.begins, self._start(*wanted))
        return cleaned

    def clean_start_date(self) -> date:
        """A day within what calendars of clinics hold."""
        found = self.cleaned_data["start_date"]
        if not EARLIEST <= found <= LATEST:
            raise ValidationError(_("This year is impossible."))
        return found

    def refuse(self, start: datetime) -> str:
        """Why the visit cannot begin then; empty if it can."""
        return ""

    def _start(self, day: date, hour: Any, location: Location) -> datetime:
        start = datetime.combine(day, hour, location.zone)
        if not _exists(start, location.zone):
            self.add_error(
                "start_time",
                _("The clocks change then: there is no such time on this day."),
            )
        elif sentence := self.refuse(start):
            self.add_error("start_time", sentence)
        return start

    def _show_when(self, moment: datetime, place: Location | None) -> None:
        begins = timezone.localtime(moment, place and place.zone)
        self.initial |= {"start_date": begins.date(), "start_time": begins.time()}

    def _offer(self) -> None:
        """Choices that can be used now, and whatever the visit has already."""
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
