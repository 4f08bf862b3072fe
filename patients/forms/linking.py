"""The forms that link an incoming file to a patient, and take that back."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.records import clock
from canvas_admin.records.forms import VersionedForm
from patients import areas, linking
from patients.forms.assigning import AssigningForm
from patients.forms.fields import DayField, validate_seen
from patients.models import IncomingFile, Patient


class PastDayField(DayField):
    """A day until today."""

    def refuse_the_impossible(self, day: date) -> None:
        super().refuse_the_impossible(day)
        if day > clock.today():
            raise ValidationError(_("This date lies in the future."))


class LinkForm(AssigningForm, VersionedForm):
    """As what a file is linked, its title and date, and who is to review it.

    A result that is given to nobody goes to the lead of the care team; an administrative
    document is not reviewed, whoever is chosen.
    """

    kind = forms.ChoiceField(label=gettext_lazy("What is it?"))
    title = forms.CharField(
        label=gettext_lazy("Title"), max_length=200, validators=[validate_seen]
    )
    day = PastDayField(
        label=gettext_lazy("Date"),
        help_text=gettext_lazy(
            "Of the test, the visit or the letter; not when it came in."
        ),
    )
    field_order = ["kind", "title", "day", "assignee", "team"]

    seen_with = areas.OPEN_CHART

    class Meta:
        model = IncomingFile
        fields: list[str] = []

    def __init__(
        self,
        *args: Any,
        patient: Patient | None = None,
        actor: Any = None,
        **kwargs: Any,
    ) -> None:
        self.actor = actor
        super().__init__(*args, **kwargs)
        reviewer = self.fields["assignee"]
        reviewer.label = _("Reviewer")
        reviewer.help_text = _(
            "With nobody and no team, a result goes to the lead of the care team. "
            "Administrative documents are not reviewed."
        )
        if patient is not None:
            self.instance.patient = patient
            self.offer()
            # Whoever had the file in the inbox has not been asked about this patient.
            self.before = (None, None)
        may = linking.kinds_for(actor) if actor else {}
        groups = (
            (_("Chart"), linking.CLINICAL),
            (_("Administrative documents"), linking.ADMINISTRATIVE),
        )
        self.fields["kind"].choices = [
            ("", "---------"),
            *(
                (title, [(k.code, k.title) for k in kinds if k.code in may])
                for title, kinds in groups
                if any(kind.code in may for kind in kinds)
            ),
        ]

    @property
    def chosen_kind(self) -> linking.Kind:
        """The kind that was chosen."""
        return linking.KINDS[self.cleaned_data["kind"]]

    @property
    def unconfirmed(self) -> bool:
        """Whether it goes to people of whom not all will see it, and nobody confirmed it."""
        return self.chosen_kind.reviewed and super().unconfirmed


class UnlinkForm(VersionedForm):
    """Why a file was not this patient's, or not this kind of thing."""

    reason = forms.CharField(
        label=gettext_lazy("Why is it taken back?"),
        max_length=255,
        validators=[validate_seen],
    )

    class Meta:
        model = IncomingFile
        fields: list[str] = []
