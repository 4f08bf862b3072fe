"""The forms of administrative documents."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from canvas_admin.records.forms import SavedOnceForm, VersionedForm
from canvas_admin.records.validators import validate_seen
from patients import uploads
from patients.models import AdministrativeDocument, Patient
from staffing.models import staff_of


class DocumentForm(SavedOnceForm):
    """A document: its file when it is new, and what is written on its folder."""

    title = forms.CharField(
        label=_("Title"), max_length=200, validators=[validate_seen]
    )
    document_date = forms.DateField(
        label=_("Date of the document"),
        required=False,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    comment = forms.CharField(
        label=_("Comment"), max_length=500, required=False, validators=[validate_seen]
    )
    upload = forms.FileField(
        label=_("File"),
        help_text=_("PDF, PNG, JPEG or TIFF, up to 20 MiB."),
        max_length=255,
    )

    class Meta:
        model = AdministrativeDocument
        fields = ["title", "kind", "document_date", "comment"]

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
        if self.instance.pk:
            del self.fields["upload"]

    def clean_upload(self) -> Any:
        """Looks into the file; see uploads.accept()."""
        upload = self.cleaned_data["upload"]
        self.accepted = uploads.accept(upload)
        return upload

    def take_the_file(self) -> None:
        """Put the file and what is known of it into the new document."""
        self.instance.keep(self.cleaned_data["upload"], self.accepted)
        self.instance.filed_by = staff_of(self.actor)


class RemovalForm(VersionedForm):
    """Why a document is removed."""

    removed_reason = forms.CharField(
        label=_("Why is it removed?"), max_length=255, validators=[validate_seen]
    )

    class Meta:
        model = AdministrativeDocument
        fields = ["removed_reason"]

    def mark(self, actor: Any) -> AdministrativeDocument:
        """The document, marked as removed now by this account."""
        self.instance.removed = clock.now()
        self.instance.removed_by = staff_of(actor)
        return self.instance
