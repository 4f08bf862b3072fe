"""An application on one form: what it is called, where it sends people, what it may do."""

from django import forms

from canvas_admin.records.forms import SavedOnceForm
from staffing.models import Application


class ApplicationForm(SavedOnceForm):
    """How it acts is chosen when it is made, and stays; it can be switched off later."""

    class Meta:
        model = Application
        fields = [
            "name",
            "authorization_grant_type",
            "redirect_uris",
            "scopes",
            "active",
        ]
        widgets = {
            "redirect_uris": forms.Textarea({"rows": 3}),
            "scopes": forms.Textarea({"rows": 2}),
        }
