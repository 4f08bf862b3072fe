"""What a patient says to the kinds of consent that the clinic asks for."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients.forms.fields import DayField
from patients.forms.profile import ProfileForm
from patients.models import Consent, ConsentCoding

AHEAD = timedelta(days=366)


class ConsentForm(ProfileForm):
    """The answer to a consent that was recorded before; it keeps its row."""

    effective_date = DayField(
        label=_("Holds from"),
        help_text=_("Its end follows from the kind of consent."),
    )

    class Meta:
        model = Consent
        fields = [
            "state",
            "effective_date",
            "entered_in_error",
            "entered_in_error_reason",
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        starts = cleaned.get("effective_date")
        if starts and starts > clock.today() + AHEAD:
            self.add_error("effective_date", _("This lies more than a year ahead."))
        return cleaned

    def save(self, commit: bool = True) -> Consent:
        """Another answer ends by the rule of its kind, and has not the form of the last."""
        changed = {*self.changed_data}
        if changed & {"coding", "state", "effective_date"}:
            self.instance.end_by_rule()
        if "state" in changed:
            self.instance.form = None
        return super().save(commit)


class NewConsentForm(ConsentForm):
    """The first answer to a kind of consent that has no answer yet."""

    coding = forms.ModelChoiceField(
        label=_("Consent"),
        queryset=ConsentCoding.objects.none(),
        to_field_name="key",
        error_messages={
            "invalid_choice": _(
                "Choose among the kinds that are shown. One that has an answer already "
                "is changed where it stands."
            )
        },
    )

    class Meta(ConsentForm.Meta):
        fields = ["coding", "state", "effective_date"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        answered = self.patient.consents.values("coding")
        unanswered = ConsentCoding.objects.filter(active=True).exclude(pk__in=answered)
        self.fields["coding"].queryset = unanswered
        if not unanswered.exists():
            self.fields["coding"].help_text = _(
                "Every kind that the clinic asks for has an answer. Whoever holds "
                "“Settings” keeps the list."
            )
