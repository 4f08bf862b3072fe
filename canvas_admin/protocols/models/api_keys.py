"""Keys by which a person's programs use the addresses of the workflow kit (facts 7.6)."""

import hashlib
import secrets
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from canvas_admin.records.models import Keyed
from staffing.models import User

LONGEST_SECRET = 100


class ApiKey(Keyed):
    """A secret that stands for a person: their rights and their reach, and no more.

    It is shown once; kept is what it is known by. A revoked one stays, for the record.
    """

    user = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="api_keys",
        editable=False,
        verbose_name=_("acts as"),
    )
    name = models.CharField(
        _("name"),
        max_length=100,
        help_text=_("Where it is used, for example “laptop” or “build server”."),
    )
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(_("made"), default=clock.now, editable=False)
    last_used = models.DateTimeField(_("last used"), null=True, editable=False)
    revoked = models.DateTimeField(_("revoked"), null=True, editable=False)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("API key")

    def __str__(self) -> str:
        return self.name

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Raises ProtectedError: the trail tells of keys; they are revoked."""
        raise models.ProtectedError(_("API keys are revoked."), {self})

    def begin(self) -> str:
        """Save a new key; returns its secret, which nothing can show again."""
        secret = secrets.token_urlsafe(32)
        self.digest = _digest(secret)
        self.save()
        return secret

    def revoke(self) -> None:
        """Let it be good for nothing from now on."""
        self.revoked = self.revoked or clock.now()
        self.save()

    @classmethod
    def account(cls, secret: str) -> User | None:
        """The account that a secret stands for; None for any other text, a revoked key,
        and an account that may not sign in."""
        if not 0 < len(secret) <= LONGEST_SECRET:
            return None
        keys = cls.objects.filter(digest=_digest(secret), revoked__isnull=True)
        row = keys.select_related("user").first()
        if row is None or not row.user.live:
            return None
        keys.update(last_used=clock.now())
        return row.user


def _digest(secret: str) -> str:
    # It has 256 bits of its own: there is nothing to guess, and so nothing to slow down.
    return hashlib.sha256(secret.encode()).hexdigest()
