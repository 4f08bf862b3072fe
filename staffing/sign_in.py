"""The forms behind the sign-in pages that allauth's own do not fit."""

from typing import Any

from allauth.account.forms import LoginForm, UserTokenForm
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from staffing.accounts import mail_link
from staffing.models import User


class SignIn(LoginForm):
    """allauth's, which calls a user name by another word than the rest of the site."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("User name")


class ForgottenPassword(forms.Form):
    """Sends a one-time link to every live person with this address; tells nobody."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """The address typed; the answer is the same whether any account has it."""
        typed = self.cleaned_data["email"]
        for user in User.objects.live().people().filter(email__iexact=typed):
            mail_link(request, user)
        return typed


class LinkForm(UserTokenForm):
    """Finds the account of a one-time link by its key; no address has integer ids."""

    def _get_user(self, uidb36: str) -> User | None:
        return User.objects.filter(key=uidb36).first()
