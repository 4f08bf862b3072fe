"""The form that asks somebody to review a note."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from patients import areas
from patients.forms.assigning import AssigningForm
from patients.forms.fields import ParagraphField
from patients.forms.profile import ProfileForm
from patients.models import NoteReview
from staffing.models import staff_of


class NoteReviewForm(AssigningForm, ProfileForm):
    """Whom to ask: somebody who sees tasks and may open the chart."""

    seen_with = (*areas.SEE_TASKS, *areas.OPEN_CHART)

    comment = ParagraphField(
        label=_("What is to be looked at?"), max_length=1_000, required=False
    )

    class Meta:
        model = NoteReview
        fields = ["assignee", "team", "comment"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not (self.errors or cleaned.get("assignee") or cleaned.get("team")):
            self.add_error("assignee", _("Choose a person or a team."))
        return cleaned

    def save(self, commit: bool = True) -> NoteReview:
        """Save it, and make the task."""
        self.instance.asked_by = staff_of(self.actor)
        review = super().save(commit)
        review.ask(self.actor)
        return review
