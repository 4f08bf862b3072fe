"""The form that asks for access to a patient out of reach."""

from django import forms
from django.utils.translation import gettext_lazy as _

from patients.forms.fields import ParagraphField
from patients.models import AccessRequest


class AccessRequestForm(forms.ModelForm):
    """Why somebody needs a patient out of reach, and for how long."""

    reason = ParagraphField(
        label=_("Why do you need access?"),
        min_length=10,
        max_length=500,
        help_text=_(
            "One or two sentences for the people who decide, 10 to 500 characters. They "
            "see the patient's name and date of birth."
        ),
    )

    class Meta:
        model = AccessRequest
        fields = ("reason", "wanted_for")
        widgets = {"wanted_for": forms.RadioSelect}
        labels = {"wanted_for": _("For how long?")}
        help_texts = {"wanted_for": _("The time begins when access is granted.")}
