"""The forms with which work is finished or handed to somebody else."""

from functools import cache
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.forms import VersionedForm
from patients.forms.assigning import AssigningForm
from patients.forms.delegating import whose_task
from patients.forms.fields import ParagraphField
from patients.models import Communication, RefillRequest, Reviewable, WorkItem
from patients.work import Kind
from staffing.models import TeamResponsibility

COMMENT = 1000


class HandOverForm(AssigningForm, VersionedForm):
    """To whom an item goes; beside each choice stands who will see it."""

    def __init__(self, *args: Any, actor: Any = None, **kwargs: Any) -> None:
        self.actor = actor
        super().__init__(*args, **kwargs)
        self.offer()


class ReviewForm(VersionedForm):
    """That a result was reviewed, and who tells the patient.

    Beside the choice stands who gets the task when that is delegated (S2).
    """

    review_comment = ParagraphField(
        label=_("Comment"), max_length=COMMENT, required=False
    )
    communication = forms.ChoiceField(
        label=_("Telling the patient"),
        choices=Communication,
        widget=forms.RadioSelect,
        required=False,
    )
    message = ParagraphField(
        label=_("What the patient is to be told, if it is delegated"),
        max_length=COMMENT,
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        item = self.instance
        self.initial["communication"] = item.communication or Communication.NOBODY
        if not item.reviewed:
            code = TeamResponsibility.Code.RESULTS
            self.fields["message"].help_text = whose_task(item.patient, code)

    @property
    def delegated(self) -> bool:
        """Whether others are to tell the patient."""
        return self.cleaned_data.get("communication") == Communication.DELEGATED

    def clean_communication(self) -> str:
        """What was chosen; who says nothing tells nobody."""
        return self.cleaned_data["communication"] or Communication.NOBODY

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        message = cleaned.get("message")
        if self.delegated and message == "":
            self.add_error("message", _("Say what the patient is to be told."))
        elif message and not self.delegated:
            self.add_error("message", _("Choose to delegate it, or leave this empty."))
        return cleaned


class RefillForm(VersionedForm):
    """What the pharmacy is told; a refusal says why."""

    answer = forms.ChoiceField(
        label=_("Answer"), choices=RefillRequest.Answer, widget=forms.RadioSelect
    )
    note = ParagraphField(
        label=_("Note"),
        max_length=COMMENT,
        required=False,
        help_text=_("Needed when it is denied."),
    )

    class Meta:
        model = RefillRequest
        fields = ["answer", "note"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        denied = cleaned.get("answer") == RefillRequest.Answer.DENIED
        if denied and not cleaned.get("note"):
            self.add_error("note", _("Say why it is denied."))
        return cleaned


@cache
def review_form(model: type[Reviewable]) -> type[ReviewForm]:
    """The form that reviews results of this model."""
    return forms.modelform_factory(model, ReviewForm, fields=["review_comment"])


def hand_over_form(kind: Kind) -> type[HandOverForm]:
    """The form that hands over items of this kind."""
    return _hand_over_form(kind.model, kind.permissions)


@cache
def _hand_over_form(
    model: type[WorkItem], permissions: tuple[str, ...]
) -> type[HandOverForm]:
    form = forms.modelform_factory(model, HandOverForm, fields=["assignee", "team"])
    form.seen_with = permissions
    return form
