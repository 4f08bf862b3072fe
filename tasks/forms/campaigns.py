"""A new campaign: over which patient group, and what its tasks say."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.forms import SavedOnceForm
from patients.models import PatientGroup
from staffing.models import staff_of
from tasks.forms.tasks import WordsForm
from tasks.models import Campaign, groups_offered


class CampaignForm(WordsForm, SavedOnceForm):
    """What is written here is on each of its tasks; it is not changed afterwards."""

    patient_group = forms.ModelChoiceField(
        PatientGroup.objects.none(),
        to_field_name=PatientGroup.public_field,
        label=_("Patient group"),
        empty_label=_("Choose a patient group"),
        help_text=_(
            "Each active, living patient of the group whom you reach gets a task. It "
            "goes to the team that answers for population health campaigns."
        ),
    )

    class Meta:
        model = Campaign
        fields = ["patient_group", "title", "due", "priority"]

    field_order = ["patient_group", "title", "due", "priority", "labels"]

    def __init__(self, *args: Any, actor: Any = None, **kwargs: Any) -> None:
        self.actor = actor
        super().__init__(*args, **kwargs)
        self.instance.creator = staff_of(actor)
        self.offer_labels()
        self.fields["patient_group"].queryset = groups_offered(actor)

    def save(self, commit: bool = True) -> Campaign:
        """Save the campaign with the labels that its tasks begin with."""
        # WordsForm saves a task, which is routed.
        campaign = super(WordsForm, self).save(commit)
        campaign.labels.set(self.cleaned_data["labels"])
        return campaign
