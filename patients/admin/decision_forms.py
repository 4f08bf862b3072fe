"""What an administrator fills in to grant or decline a request for access."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.records import clock
from patients.admin.moments import MomentField
from patients.forms import ParagraphField
from patients.models import AccessRequest, PatientGroup


class DeclineForm(forms.Form):
    """An answer, for the person who asked."""

    answer = ParagraphField(
        label=gettext_lazy("Answer"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("The person who asked reads it."),
    )
    form_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, asked: AccessRequest, data: Any = None, **initial: Any) -> None:
        initial["form_version"] = asked.version
        auto_id = f"id_{type(self).__name__.lower()}_%s"
        super().__init__(data, initial=initial, auto_id=auto_id)


class GrantForm(DeclineForm):
    """The group to put the patient into, and until when.

    Only the permission groups that the person who asked holds can be chosen.
    """

    group = forms.ChoiceField(
        label=gettext_lazy("Put the patient into"),
        error_messages={
            "invalid_choice": gettext_lazy("Choose one of the groups that are shown.")
        },
    )
    end_date = MomentField(
        label=gettext_lazy("Until"),
        required=False,
        help_text=gettext_lazy("Access begins now. Empty: until further notice."),
    )
    field_order = ("group", "end_date", "answer", "form_version")

    def __init__(
        self, asked: AccessRequest, groups: QuerySet[PatientGroup], data: Any = None
    ) -> None:
        self.groups = {group.public_id: group for group in groups}
        super().__init__(asked, data, end_date=asked.wished_end)
        choices = [(public_id, str(group)) for public_id, group in self.groups.items()]
        if len(choices) != 1:
            choices.insert(0, ("", _("Choose a group")))
        self.fields["group"].choices = choices

    def clean_group(self) -> PatientGroup:
        """The chosen group itself."""
        return self.groups[self.cleaned_data["group"]]

    def clean_end_date(self) -> datetime | None:
        end = self.cleaned_data["end_date"]
        if end is not None and end <= clock.now():
            raise ValidationError(_("The end lies in the past."))
        return end
