"""Sign-in: closed sign-up, one-time links, what a locked-out visitor is told."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from canvas_admin.audit import trail
from staffing.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up: administrators make accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def one_time_link(request: HttpRequest, user: User) -> str:
    """An absolute address where this person, once and within 24 hours, sets a password.

    The token dies when the password changes. Written to the audit trail by the account
    that asked for it.
    """
    trail.done(
        request.user, "account.link", request=request, subject=f"user/{user.key}"
    )
    return request.build_absolute_uri(one_time_path(user))


def one_time_path(user: User) -> str:
    """The path of a one-time link; see one_time_link."""
    return reverse(
        "account_reset_password_from_key",
        kwargs={
            "uidb36": user_pk_to_url_str(user),
            "key": default_token_generator.make_token(user),
        },
    )


def locked_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Too many failed sign-ins from one address for one name: wait 15 minutes."""
    return render(request, "account/locked_out.html", status=429)
