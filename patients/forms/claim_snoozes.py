"""The form that puts a claim aside until a day."""

import datetime
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.records import clock
from patients.forms.fields import DayField
from patients.forms.profile import ProfileForm
from patients.models import Claim, ClaimSnooze
from patients.revenue import snoozing
from staffing.models import staff_of

LONGEST = timedelta(days=366)


class ClaimSnoozeForm(ProfileForm):
    """Until when a claim waits, and for what; it takes the place of an earlier one."""

    until = DayField(
        label=gettext_lazy("Until"),
        help_text=gettext_lazy("On this day a task asks for the claim again."),
    )

    class Meta:
        model = ClaimSnooze
        fields = ["until", "reason"]

    @property
    def claim(self) -> Claim:
        return self.instance.claim

    def clean_until(self) -> datetime.date:
        """The day, within a year from tomorrow on."""
        day = self.cleaned_data["until"]
        if not clock.today() < day <= clock.today() + LONGEST:
            raise ValidationError(_("Choose a day within the next year."))
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        # As it is now, behind the lock: somebody may have moved it on.
        self.instance.claim = Claim.objects.get(pk=self.claim.pk)
        if not self.claim.moves or self.claim.state == Claim.State.TRASH:
            raise ValidationError(_("In this state nothing is left to do about it."))
        return cleaned

    def save(self, commit: bool = True) -> ClaimSnooze:
        snoozing.end(self.claim)
        self.instance.snoozed_by = staff_of(self.actor)
        return super().save(commit)
