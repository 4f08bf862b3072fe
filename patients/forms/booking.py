"""The form of an appointment: who, where, when."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients.forms.fields import validate_seen
from patients.forms.visits import VisitForm
from patients.models import Appointment
from staffing.models import staff_of


class BookingForm(VisitForm):
    """An appointment of one patient.

    Whoever may not read clinical data writes the reason when booking, and does not meet it
    again.
    """

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

    def __init__(self, *args: Any, with_reason: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and not with_reason:
            del self.fields["reason"]
        if not self.instance.pk:
            self._suggest_their_place()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("minutes") is None and cleaned.get("visit_type"):
            cleaned["minutes"] = cleaned["visit_type"].minutes
        return cleaned

    def _suggest_their_place(self) -> None:
        """Whoever books does so most often for the place where they work."""
        staff = staff_of(self.actor)
        if staff and staff.primary_location:
            self.initial["location"] = staff.primary_location.key

    def refuse(self, start: datetime) -> str:
        """A new appointment lies ahead."""
        over = not self.instance.pk and start <= clock.now()
        return _("This time is over.") if over else ""
