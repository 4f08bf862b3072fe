"""The forms with which work is finished or handed to somebody else."""

from functools import cache
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.forms import VersionedForm
from patients.forms.assigning import AssigningForm
from patients.forms.fields import ParagraphField
from patients.models import RefillRequest, Reviewable, WorkItem
from patients.work import Kind

COMMENT = 1000


class HandOverForm(AssigningForm, VersionedForm):
    """To whom an item goes; beside each choice stands who will see it."""

    def __init__(self, *args: Any, actor: Any = None, **kwargs: Any) -> None:
        self.actor = actor
        super().__init__(*args, **kwargs)
        self.offer()


class ReviewForm(VersionedForm):
    """That a result was reviewed, with a comment if there is something to say."""

    review_comment = ParagraphField(
        label=_("Comment"), max_length=COMMENT, required=False
    )


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
