"""The Staff Permissions form: auth groups, moved between available and chosen."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.core import signing
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from staffing.forms.fields import GroupChoices
from staffing.models import StaffPermissions, User
from staffing.permissions import ChangedMeanwhile, Difference, apply, compare, lock


class PermissionsForm(forms.ModelForm):
    """Applies only the difference from the list that it was made from.

    That list is in the form, signed for this person and this administrator. A group of
    the difference that somebody changed meanwhile refuses the whole form; the refusal
    names it and shows their list with these changes made to it (DESIGN section 5).
    """

    actor: User
    refusal: ValidationError | None = None

    groups = GroupChoices(
        required=False,
        help_text=gettext_lazy("What each group means is said below."),
    )
    made_from = forms.CharField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = StaffPermissions
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        user = self.instance.user
        self.initial["groups"] = list(user.groups.all()) if user else []
        self.initial["made_from"] = self._sign(g.name for g in self.initial["groups"])

    @property
    def changed_data(self) -> list[str]:
        return ["groups"] if "groups" in super().changed_data else []

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.refusal:
            raise self.refusal
        if "groups" not in cleaned:
            return cleaned
        before = self._list_it_was_made_from(cleaned.get("made_from", ""))
        chosen = {group.name for group in cleaned["groups"]}
        self.difference = Difference.between(before, chosen)
        held = lock(self.instance, self.difference)
        try:
            compare(self.instance, self.difference, held)
        except ChangedMeanwhile:
            self._start_again(held, self.difference.onto(held))
            raise
        return cleaned

    def added_groups(self) -> list[Group]:
        """The groups that saving gives."""
        return [
            g for g in self.cleaned_data["groups"] if g.name in self.difference.added
        ]

    def apply(self) -> None:
        """Give and take what the form says. Raises LastAdministrator."""
        apply(self.instance, self.difference, self.actor)

    def _signer(self) -> signing.Signer:
        about = f"{self.instance.key}.{self.actor.key}"
        return signing.Signer(salt=f"staffing.permissions.{about}")

    def _sign(self, names: Any) -> str:
        return self._signer().sign_object(sorted(names))

    def _list_it_was_made_from(self, signed: str) -> list[str]:
        try:
            return self._signer().unsign_object(signed)
        except (signing.BadSignature, ValueError) as error:
            held = {group.name for group in self.initial["groups"]}
            self._start_again(held, held)
            raise ValidationError(
                _("This form was not made here. Below are the groups as they are now.")
            ) from error

    def _start_again(self, made_from: Any, chosen: Any) -> None:
        """Show other lists than those that were posted."""
        self.data = self.data.copy()
        self.data["made_from"] = self._sign(made_from)
        self.data.setlist("groups", sorted(chosen))
