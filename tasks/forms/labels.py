"""A label with the origins whose tasks get it, on one form."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.forms import SavedOnceForm
from tasks.models import TaskLabel, TaskLabelOrigin
from tasks.origins import Origin


class LabelForm(SavedOnceForm):
    """Facts 6.4: a label is put on the tasks of its origins automatically."""

    origins = forms.MultipleChoiceField(
        label=_("Put on automated tasks"),
        choices=Origin.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("New tasks of these origins get the label while it is active."),
    )

    class Meta:
        model = TaskLabel
        fields = ["name", "color", "position", "active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = ()
        if self.instance.pk:
            held = self.instance.origins.values_list("origin", flat=True)
        self.initial["origins"] = sorted(held)

    def save_parts(self) -> None:
        """Make the origins what the form says."""
        label, wanted = self.instance, set(self.cleaned_data["origins"])
        label.origins.exclude(origin__in=wanted).delete()
        for origin in wanted - set(label.origins.values_list("origin", flat=True)):
            TaskLabelOrigin.objects.create(label=label, origin=origin)
