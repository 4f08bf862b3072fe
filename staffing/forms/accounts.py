"""What the administration may change about an account: the address, nothing else."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from canvas_admin.records.forms import KeyedForm
from staffing.models import User


class AccountForm(KeyedForm):
    """The e-mail address, and the one it was when the form was made."""

    address_was = forms.CharField(widget=forms.HiddenInput, required=False)
    refusal: ValidationError | None = None

    class Meta:
        model = User
        fields = ["email"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.before = self.initial["address_was"] = self.instance.email

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.refusal:
            raise self.refusal
        rows = User.objects.select_for_update().filter(pk=self.instance.pk)
        current = rows.values_list("email", flat=True).get()
        if cleaned.get("address_was", "") != current:
            self.data = self.data.copy()
            self.data["address_was"] = current
            raise ValidationError(
                _(
                    "Somebody changed the address to “%(theirs)s” while you were "
                    "editing; yours, “%(yours)s”, is not saved yet. Save again to "
                    "replace theirs."
                ),
                params={"theirs": current or "–", "yours": cleaned.get("email") or "–"},
            )
        return cleaned
