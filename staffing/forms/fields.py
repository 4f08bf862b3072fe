"""Fields that several forms of the administration share."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.records.widgets import Chooser
from staffing.combinations import in_use
from staffing.permissions import grantable


class GroupChoices(forms.ModelMultipleChoiceField):
    """Auth groups by name, moved between available and chosen."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", gettext_lazy("Groups"))
        super().__init__(
            queryset=grantable(),
            to_field_name="name",
            widget=Chooser(gettext_lazy("groups")),
            **kwargs,
        )

    def label_from_instance(self, group: Group) -> str:
        if in_use(group):
            return group.name
        return _("%(name)s (not in use now)") % {"name": group.name}
