"""Programs that use the API, each bound to a service staff of its own (DESIGN section 5)."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import AbstractApplication

from canvas_admin.audit import trail
from canvas_admin.records.models import Versioned
from staffing.models.accounts import User
from staffing.models.staff import SHELL, Staff
from staffing.scopes import Scopes

# https, a host as it is written in a policy of the browser, and then anything but
# fragment, wildcard, credentials and what browsers take for a slash.
_ADDRESS = re.compile(
    r"https://[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?(:[0-9]{1,5})?"
    r"([/?][!\"$-)+-?A-\[\]-~]*)?"
)


class Application(Versioned, AbstractApplication):
    """A program with a secret, and the service staff whose auth groups are its rights.

    It gets tokens by client credentials, and acts as its service staff; or by
    authorization code with PKCE, and acts as the person who consented. The secret is
    stored as a password is. Saving it under another name names the service staff, too;
    saving it switched off ends its tokens, so that switching it on revives none.
    """

    class Grant(models.TextChoices):
        CREDENTIALS = (
            AbstractApplication.GRANT_CLIENT_CREDENTIALS,
            gettext_lazy("For itself (client credentials)"),
        )
        CODE = (
            AbstractApplication.GRANT_AUTHORIZATION_CODE,
            gettext_lazy("For a person who consents (authorization code)"),
        )

    # The library's owner: nobody owns a program, its service staff acts for it.
    user = None

    name = models.CharField(
        gettext_lazy("name"),
        max_length=100,
        unique=True,
        error_messages={
            "unique": gettext_lazy("An application with this name exists already.")
        },
    )
    staff = models.OneToOneField(
        Staff,
        on_delete=models.PROTECT,
        related_name="application",
        editable=False,
        verbose_name=gettext_lazy("service staff"),
    )
    active = models.BooleanField(
        gettext_lazy("active"),
        default=True,
        help_text=gettext_lazy(
            "Switched off, it gets no tokens, and those that it has are refused."
        ),
    )
    client_type = models.CharField(
        max_length=32, default=AbstractApplication.CLIENT_CONFIDENTIAL, editable=False
    )
    authorization_grant_type = models.CharField(
        gettext_lazy("acts"),
        max_length=44,
        choices=Grant,
        default=Grant.CREDENTIALS,
        help_text=gettext_lazy(
            "For itself, with the groups of its service staff; or for whoever consents, "
            "with the rights of that person. This stays as it is chosen now."
        ),
    )
    redirect_uris = models.TextField(
        gettext_lazy("redirect addresses"),
        blank=True,
        help_text=gettext_lazy(
            "Where people are sent back to after they consented, one address on a line, "
            "each with https."
        ),
    )
    scopes = models.TextField(
        gettext_lazy("scopes"),
        blank=True,
        help_text=gettext_lazy(
            "What it may do at most, for example “system/Patient.rs system/Task.*”. "
            "Empty: as much as the groups allow."
        ),
    )
    last_token = models.DateTimeField(
        gettext_lazy("last token"), null=True, editable=False
    )

    class Meta:
        ordering = ["name", "id"]
        verbose_name = gettext_lazy("application")
        verbose_name_plural = gettext_lazy("applications")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError for redirect addresses and scopes that cannot work."""
        self.redirect_uris = "\n".join(self.redirect_uris.split())
        self.scopes = " ".join(self.scopes.split())
        wrong = {"redirect_uris": self._wrong_addresses(), "scopes": []}
        try:
            Scopes.read(self.scopes)
        except ValueError as error:
            wrong["scopes"] = [
                _("“%(scope)s” is no scope. Write “system/Patient.rs”, for example.")
                % {"scope": error}
            ]
        if found := {field: errors for field, errors in wrong.items() if errors}:
            raise ValidationError(found)

    @transaction.atomic
    def save(self, *args: Any, by: Any = SHELL, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        if not self.active:
            self.revoke_tokens()
        if self.staff.last_name != self.name:
            self.staff.last_name = self.name
            self.staff.save(by=by)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Raises ProtectedError: the trail names applications; they are switched off."""
        raise models.ProtectedError(_("Applications are switched off."), {self})

    @transaction.atomic
    def begin(self, by: Any = SHELL) -> str:
        """Save a new application with a service staff of its own, who holds no group.

        Returns the secret, which nothing can show again. `by` is the account or command
        that acts.
        """
        account = User.objects.create_user(self._user_name())
        self.staff = Staff(user=account, last_name=self.name, service=True)
        self.staff.save(by=by)
        trail.done(
            by, "account.made", subject=f"user/{account.key}", staff=self.staff.key
        )
        return self.renew_secret()

    def renew_secret(self) -> str:
        """A new secret in the place of the old one, which is good for nothing from now on."""
        secret = generate_client_secret()
        self.client_secret = secret
        self.save()
        return secret

    @transaction.atomic
    def revoke_tokens(self) -> int:
        """End every token, refresh token and code; returns how many tokens there were."""
        self.grant_set.all().delete()
        self.refreshtoken_set.all().delete()
        count, _rows = self.accesstoken_set.all().delete()
        return count

    def redirect_uri_allowed(self, uri: str) -> bool:
        """Whether this is one of the addresses, letter by letter (RFC 9700, 4.1.3)."""
        return uri in self.redirect_uris.split()

    def is_usable(self, request: Any) -> bool:
        """Whether it may get tokens: it and its service staff are switched on."""
        return self.active and self.staff.user.live

    def _user_name(self) -> str:
        """A name for the account, by which the trail says who acted."""
        wanted = f"program-{slugify(self.name)[:60]}".rstrip("-")
        if User.objects.filter(username=wanted).exists():
            return f"{wanted}-{self.key[:8]}"
        return wanted

    def _wrong_addresses(self) -> list[str]:
        found = self.redirect_uris.split()
        if not found and self.authorization_grant_type == self.Grant.CODE:
            return [_("A program that acts for people needs a redirect address.")]
        sentence = _(
            "“%(address)s” cannot be used. An address begins with https://, names one "
            "host, and has no “#”, no “*” and no name or password."
        )
        return [sentence % {"address": a} for a in found if not is_redirect_address(a)]


def is_redirect_address(address: str) -> bool:
    """Whether people may be sent back there: https, one host, no fragment (RFC 9700)."""
    return len(address) <= 1000 and bool(_ADDRESS.fullmatch(address))
