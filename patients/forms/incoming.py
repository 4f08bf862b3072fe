"""The forms of the inbox: uploading, who looks after a file, rejecting."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.records.forms import SavedOnceForm, VersionedForm
from canvas_admin.records.models import key_from_form
from canvas_admin.records.validators import validate_seen
from patients import linking, uploads
from patients.models import IncomingFile
from staffing.models import Staff, Team, staff_of

MOST = 20
LARGEST = 100 * uploads.MIB


class SeveralFilesInput(forms.ClearableFileInput):
    """A control that takes more than one file."""

    allow_multiple_selected = True


class SeveralFilesField(forms.FileField):
    """One to twenty files of the types that are taken, each with what is known of it.

    An error names the file by its number: its own name may hold a patient's.
    """

    widget = SeveralFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[tuple[Any, Any]]:
        files = (data if isinstance(data, list) else [data]) or [None]
        if len(files) > MOST:
            raise ValidationError(
                _("These are more than %(most)d files. Send them in parts.")
                % {"most": MOST}
            )
        if sum(each.size for each in files if each) > LARGEST:
            raise ValidationError(
                _("Together these are more than %(most)d MiB. Send them in parts.")
                % {"most": LARGEST // uploads.MIB}
            )
        found, problems = [], []
        for number, each in enumerate(files, start=1):
            try:
                upload = super().clean(each, initial)
                found.append((upload, uploads.accept(upload)))
            except ValidationError as error:
                problems += [_numbered(m, number, len(files)) for m in error.messages]
        if problems:
            raise ValidationError(problems)
        return found


def _numbered(message: str, number: int, of: int) -> str:
    if of == 1:
        return message
    said = _("File %(number)d of %(of)d: %(message)s")
    return said % {"number": number, "of": of, "message": message}


class AssignedForm(VersionedForm):
    """Who is to look after the file: a person or a team, or nobody yet."""

    assignee = forms.ModelChoiceField(
        Staff.objects.none(),
        to_field_name="key",
        required=False,
        label=gettext_lazy("Reviewer"),
    )
    team = forms.ModelChoiceField(
        Team.objects.none(),
        to_field_name="key",
        required=False,
        label=gettext_lazy("Team"),
        help_text=gettext_lazy(
            "With a person as well, it is the person's; without, any member may take it."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = Staff.objects.people().filter(active=True, user__isnull=False)
        if self.instance.assignee_id:
            people |= Staff.objects.filter(pk=self.instance.assignee_id)
        self.fields["assignee"].queryset = people
        self.fields["team"].queryset = Team.objects.all()

    def _post_clean(self) -> None:
        super()._post_clean()
        if {"assignee", "team"} & set(self.changed_data):
            linking.assigned(self.instance)


class IncomingForm(AssignedForm):
    """What is written on an incoming file, and who looks after it."""

    comment = forms.CharField(
        label=gettext_lazy("Comment"),
        max_length=500,
        required=False,
        validators=[validate_seen],
    )

    class Meta:
        model = IncomingFile
        fields = ["source", "comment", "assignee", "team"]


class UploadForm(IncomingForm, SavedOnceForm):
    """Files that came in, all in one way; each becomes an incoming file of its own."""

    uploads = SeveralFilesField(
        label=gettext_lazy("Files"),
        help_text=gettext_lazy(
            "PDF, PNG, JPEG or TIFF; up to 20 files of 20 MiB, together up to 100 MiB."
        ),
        max_length=255,
    )
    field_order = ["uploads", "source", "comment", "assignee", "team"]

    def __init__(self, *args: Any, actor: Any = None, **kwargs: Any) -> None:
        self.actor = actor
        super().__init__(*args, **kwargs)

    def rows(self) -> list[IncomingFile]:
        """An unsaved row for each file; the form sent again would make the same keys."""
        first, token = self.instance, self.cleaned_data["form_token"]
        first.uploaded_by = staff_of(self.actor)
        made = []
        for number, (upload, accepted) in enumerate(self.cleaned_data["uploads"]):
            row = first if number == 0 else self._another(f"{token}{number}")
            row.keep(upload, accepted)
            made.append(row)
        return made

    def _another(self, token: str) -> IncomingFile:
        names = [*self._meta.fields, "uploaded_by", "assigned_at"]
        same = {name: getattr(self.instance, name) for name in names}
        key = key_from_form(IncomingFile, self.actor, token)
        return IncomingFile(key=key, **same)


class RejectionForm(VersionedForm):
    """Why a file belongs to nobody's record."""

    rejected_reason = forms.CharField(
        label=gettext_lazy("Why is it rejected?"),
        max_length=255,
        validators=[validate_seen],
        help_text=gettext_lazy("Such as: advertising, empty page, wrong number."),
    )

    class Meta:
        model = IncomingFile
        fields = ["rejected_reason"]
