"""The forms of a note: its head, signing it, entering it in error, an addendum."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from canvas_admin.records.forms import VersionedForm
from patients.forms.fields import NarrativeField, validate_seen
from patients.forms.profile import ProfileForm
from patients.forms.visits import VisitForm
from patients.models import Addendum, Note
from patients.models.commands import LONG
from staffing.models import staff_of

AHEAD = timedelta(days=1)


class NoteForm(VisitForm):
    """What stands at the head of a note."""

    begins = "started"
    unconfirmed = False

    title = forms.CharField(
        label=_("Title"),
        max_length=200,
        required=False,
        validators=[validate_seen],
        help_text=_("Empty for the name of the visit type."),
    )

    class Meta:
        model = Note
        fields = ["visit_type", "title", "provider", "location"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(
            ["visit_type", "title", "provider", "location", "start_date", "start_time"]
        )
        if not self.instance.pk:
            self._suggest(staff_of(self.actor))

    @property
    def changed(self) -> list[str]:
        """The names of the fields that were changed, as the audit trail has them."""
        return [n for n in self.changed_data if not n.startswith("form_")]

    def refuse(self, start: datetime) -> str:
        """Who was not seen yet has an appointment; its note has its time."""
        ahead = start > clock.now() + AHEAD and start != self.instance.started
        return _("This lies more than a day ahead.") if ahead else ""

    def save(self, commit: bool = True) -> Note:
        note = self.instance
        if not note.pk:
            note.originator = staff_of(self.actor)
        note.save(by=self.actor)
        return note

    def _suggest(self, staff: Any) -> None:
        """The person who writes, at their place, now."""
        place = staff and staff.primary_location
        self._show_when(clock.now(), place)
        if staff is None:
            return
        if self.fields["provider"].queryset.filter(pk=staff.pk).exists():
            self.initial["provider"] = staff.key
        if place:
            self.initial["location"] = place.key


class ActForm(VersionedForm):
    """A button, or a reason and a button, about a note or a command as it was shown.

    `act` names the method of the row that does it; it is told who acts.
    """

    act = ""
    unconfirmed = False

    def __init__(self, *args: Any, actor: Any = None, **kwargs: Any) -> None:
        self.actor = actor
        super().__init__(*args, **kwargs)

    @property
    def patient(self) -> Any:
        """Whose row it is."""
        return self.instance.patient

    @property
    def changed(self) -> list[str]:
        """What the audit trail says that changed."""
        return ["state"]

    def save(self, commit: bool = True) -> Any:
        getattr(self.instance, self.act)(by=self.actor)
        return self.instance


class InErrorForm(ActForm):
    """Why a note, or something in it, should not be there."""

    act = "enter_in_error"

    error_reason = forms.CharField(
        label=_("What is wrong?"), max_length=255, validators=[validate_seen]
    )

    def save(self, commit: bool = True) -> Any:
        self.instance.enter_in_error(self.cleaned_data["error_reason"], by=self.actor)
        return self.instance


class NoteInErrorForm(InErrorForm):
    class Meta:
        model = Note
        fields = ["error_reason"]


class SignForm(ActForm):
    """Signs what was shown: refused when something was written into the note meanwhile."""

    act = "sign"

    contents = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Note
        fields = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["contents"] = self.instance.fingerprint()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("contents") != (now := self.instance.fingerprint()):
            self.data = self.data.copy()
            self.data[self.add_prefix("contents")] = now
            raise ValidationError(
                _("The note changed meanwhile. Read it again, then sign.")
            )
        return cleaned


class AddendumForm(ProfileForm):
    """What is to be said about a signed note afterwards."""

    text = NarrativeField(label=_("Addendum"), max_length=LONG)

    class Meta:
        model = Addendum
        fields = ["text"]

    def save(self, commit: bool = True) -> Addendum:
        self.instance.author = staff_of(self.actor)
        return super().save(commit)
