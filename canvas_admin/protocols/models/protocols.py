"""Classes for the workflow kit as they were uploaded, and their settings."""

import base64
import re
from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from canvas_admin.records.models import Keyed, Versioned
from staffing.models import Application, User

LONGEST_SOURCE = 256 * 2**10
# A name with a dot, of letters: neither an address of the network nor this machine.
HOST = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


class ProtocolQuerySet(models.QuerySet):
    """Questions about protocols."""

    def running(self) -> "ProtocolQuerySet":
        """Those that are switched on and have a version, as programs that are, too."""
        on = Q(active=True, current__isnull=False, application__active=True)
        return self.filter(on).select_related("current", "application__staff__user")


class Protocol(Versioned):
    """A protocol, known by the name of its class (facts 7.6, "module_name").

    It acts as an application of its own, whose auth groups say what it sees and does. One
    that is active runs when a patient's record changes.
    """

    name = models.CharField(_("name"), max_length=90, unique=True, editable=False)
    active = models.BooleanField(
        _("active"),
        default=False,
        help_text=_("It runs when the record of a patient within its reach changes."),
    )
    current = models.ForeignKey(
        "protocols.ProtocolVersion",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        verbose_name=_("version in use"),
    )
    application = models.OneToOneField(
        Application,
        on_delete=models.PROTECT,
        related_name="protocol",
        editable=False,
        verbose_name=_("acts as"),
    )
    hosts = models.TextField(
        _("other hosts"),
        blank=True,
        help_text=_(
            "What it may ask besides this clinic, by https: one name on a line, for example "
            "api.example.org. What it sends there leaves the clinic."
        ),
    )
    show_in_chart = models.BooleanField(
        _("shown in the chart"),
        default=True,
        help_text=_("What it found about a patient is a card in the patient's chart."),
    )
    can_be_snoozed = models.BooleanField(
        _("can be snoozed"),
        default=True,
        help_text=_("A card can be put off for some days."),
    )

    objects = ProtocolQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("protocol")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError for what is no name of a host."""
        self.hosts = "\n".join(self.hosts.lower().split())
        if wrong := [h for h in self.hosts.split() if not HOST.fullmatch(h)]:
            raise ValidationError(
                {
                    "hosts": _(
                        "“%(host)s” is no name of a host, such as api.example.org."
                    )
                    % {"host": wrong[0]}
                }
            )

    def wants(self, change_type: str, chain: Sequence[str]) -> bool:
        """Whether it runs over a change of this type that came about by this chain.

        One that names no change types hears of all; none hears of what it did itself
        (DESIGN section 7).
        """
        types = self.current.change_types
        return self.key not in chain and (not types or change_type in types)

    def values(self) -> dict[str, str]:
        """Its settings, in clear, for a run of it."""
        return {row.name: row.value for row in self.settings.all()}


class ProtocolVersion(Keyed):
    """One text of a protocol. It stays as it was uploaded, for what ran by it."""

    protocol = models.ForeignKey(
        Protocol, on_delete=models.PROTECT, related_name="versions"
    )
    number = models.CharField(_("version"), max_length=64)
    title = models.CharField(_("title"), max_length=255, blank=True)
    description = models.TextField(_("description"), blank=True)
    changelog = models.TextField(_("what is new"), blank=True)
    source = models.TextField(_("source"))
    change_types = models.JSONField(_("runs on changes of"), default=list)
    notification_only = models.BooleanField(
        _("runs on changes alone, never over everybody"), default=False
    )
    # When a text of the same number took its place (facts 7.6, "force").
    replaced = models.DateTimeField(null=True, editable=False)
    uploaded = models.DateTimeField(_("uploaded"), default=clock.now)
    uploaded_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("uploaded by"),
    )

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        verbose_name = _("version of a protocol")
        constraints = [
            models.UniqueConstraint(
                fields=["protocol", "number"],
                condition=Q(replaced__isnull=True),
                name="protocol_version_once",
            )
        ]

    def __str__(self) -> str:
        return self.number


class ProtocolSetting(Keyed):
    """A value that a protocol's runs are given under a name; stored encrypted.

    INSTANCE_NAME is the first part of the kit's addresses; CLIENT_ID and CLIENT_SECRET are
    made for each run. A value is never shown again, only replaced.
    """

    MADE = ("CLIENT_ID", "CLIENT_SECRET")
    LONGEST_VALUE = 4_000

    protocol = models.ForeignKey(
        Protocol, on_delete=models.CASCADE, related_name="settings"
    )
    name = models.CharField(
        _("name"),
        max_length=64,
        validators=[
            RegexValidator(
                r"^[A-Za-z_][A-Za-z0-9_]*\Z",
                _("A name has letters, digits and “_”, and begins with no digit."),
            )
        ],
    )
    encrypted = models.TextField(editable=False)

    class Meta:
        ordering = ["name"]
        default_permissions = ()
        verbose_name = _("setting")
        constraints = [
            models.UniqueConstraint(
                fields=["protocol", "name"], name="protocol_setting_once"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def value(self) -> str:
        """The value in clear; "" where it was encrypted with another SECRET_KEY."""
        try:
            return _cipher().decrypt(self.encrypted.encode()).decode()
        except InvalidToken:
            return ""

    @value.setter
    def value(self, value: str) -> None:
        self.encrypted = _cipher().encrypt(value.encode()).decode()


def _cipher() -> Fernet:
    secret: Any = salted_hmac("protocols.settings", "", algorithm="sha256")
    return Fernet(base64.urlsafe_b64encode(secret.digest()))
