"""Sign-in: closed sign-up, one-time links, what a locked-out visitor is told."""

import logging
from threading import Thread
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import EmailMessage
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas_admin.audit import trail
from staffing.models import User

logger = logging.getLogger("canvas_admin.staffing")

# More than any account's name has, and as much as axes' table takes.
LONGEST_NAME = 255


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up; user names are typed in any case; sign-ins are on the trail."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": gettext_lazy(
            "The user name or the password is not correct."
        )
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """The account of these credentials; however a name is typed, it is one name.

        Normalizing can make a text many times longer than what the form lets through.
        """
        name = User.normalize_username(credentials.get("username", "")).lower()
        name = name[:LONGEST_NAME]
        return super().authenticate(request, **(credentials | {"username": name}))

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Record the account, if there is one: other words may be a password."""
        account = User.objects.filter(username=credentials["username"]).first()
        trail.refused(request, "account.sign-in", user=account.key if account else "")

    def login(self, request: HttpRequest, user: User) -> None:
        _record(user, "account.sign-in", request)
        super().login(request, user)

    def logout(self, request: HttpRequest) -> None:
        user = request.user
        super().logout(request)
        _record(user, "account.sign-out", request)

    def set_password(self, user: User, password: str) -> None:
        with transaction.atomic():
            super().set_password(user, password)
            user.end_tokens()
            _record(user, "account.password", self.request)


class LinkTokens(PasswordResetTokenGenerator):
    """Tokens of one-time links: 24 hours, and no longer than account and password live.

    A sign-in or a changed e-mail address kills them too; so does switching the account
    off, for good: switching it on again revives none.
    """

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.session_epoch}"

    def check_token(self, user: User | None, token: str | None) -> bool:
        good = user is not None and user.may_sign_in
        return good and super().check_token(user, token)


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
        kwargs={"uidb36": user.key, "key": LinkTokens().make_token(user)},
    )


def mail_link(request: HttpRequest, user: User) -> None:
    """Send a one-time link to the address that is stored with the account.

    In a thread of its own, so that neither the time that a mail server takes nor its
    being down tells a visitor whether there is an account.
    """
    context = {"user": user, "link": one_time_link(request, user)}
    message = EmailMessage(
        subject=_("Choose a new password"),
        body=render_to_string("account/email/link.txt", context, request),
        to=[user.email],
    )
    Thread(target=_send, args=(message,)).start()


def _record(user: User, action: str, request: HttpRequest) -> None:
    trail.done(user, action, request=request, subject=f"user/{user.key}")


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except OSError:
        logger.exception("a one-time link could not be sent by mail")


def locked_out(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Too many failed sign-ins from one address for one name: wait 15 minutes."""
    return render(request, "account/locked_out.html", status=429)
