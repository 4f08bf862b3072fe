"""A patient's insurances, and the question to the payer."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from patients.forms.profile import PeriodForm
from patients.models import Coverage


class CoverageForm(PeriodForm):
    """An insurance. Among those that have not ended each rank is held once."""

    class Meta:
        model = Coverage
        fields = [
            "rank",
            "type",
            "payer_name",
            "payer_id",
            "payer_address",
            "payer_phone",
            "plan",
            "member_id",
            "group_number",
            "relationship",
            "subscriber_name",
            "start",
            "end",
            "entered_in_error",
            "entered_in_error_reason",
        ]
        help_texts = {
            "payer_id": _("By which the payer is known to clearing houses."),
            "payer_address": _(
                "While address, phone or member id is missing, to complete them is a task."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["end"].help_text = _(
            "The last day that is covered. To end the coverage, write it here."
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        is_self = cleaned.get("relationship") == Coverage.Relationship.SELF
        if "relationship" in cleaned and not is_self and "subscriber_name" in cleaned:
            if not cleaned["subscriber_name"]:
                self.add_error("subscriber_name", _("Write whose insurance it is."))
        self._refuse_a_taken_rank(cleaned)
        return cleaned

    def save(self, commit: bool = True) -> Coverage:
        """Save it; what is missing becomes a task, what is complete ends one."""
        coverage = super().save(commit)
        coverage.follow_up(self.actor)
        return coverage

    def _refuse_a_taken_rank(self, cleaned: dict[str, Any]) -> None:
        end, rank = cleaned.get("end"), cleaned.get("rank")
        if cleaned.get("entered_in_error") or (end and end < clock.today()):
            return
        active = self.patient.coverages.filter(active=True)
        active.filter(end__lt=clock.today()).update(active=False)
        for other in active.filter(rank=rank).exclude(pk=self.instance.pk):
            words = {"payer": other.payer_name, "rank": other.get_rank_display()}
            sentence = _("“%(payer)s” has this rank: %(rank)s. End it first.")
            self.add_error("rank", ValidationError(sentence, params=words))


class EligibilityForm(forms.Form):
    """The button that asks the payer; its token makes one question of two clicks."""

    form_token = forms.RegexField(r"^[0-9A-Za-z]{32}$")
