"""Roles: what a person is here, and the auth groups that the role starts them with."""

from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.records.models import Versioned


class Role(Versioned):
    """A role of staff (facts 6.1).

    S2: "When configuring roles, you can set default auth groups. Every time a new staff
    is created with that role, they will automatically inherit these auth groups." Editing
    the defaults changes nobody; see StaffRole for the other rules.
    """

    class Domain(models.TextChoices):
        CLINICAL = "CLI", _("Clinical")
        ADMINISTRATIVE = "ADM", _("Administrative")
        HYBRID = "HYB", _("Hybrid")

    CLINICAL = (Domain.CLINICAL, Domain.HYBRID)

    class Type(models.TextChoices):
        NON_LICENSED = "NON-LICENSED", _("Not licensed")
        LICENSED = "LICENSED", _("Licensed")
        PROVIDER = "PROVIDER", _("Provider")

    internal_code = models.CharField(
        _("internal code"),
        max_length=10,
        unique=True,
        help_text=_("Short and unique, for example MD or RN."),
    )
    public_abbreviation = models.CharField(
        _("public abbreviation"),
        max_length=10,
        blank=True,
        help_text=_("Shown behind a clinician's name, for example “Nora Vega RN”."),
    )
    name = models.CharField(_("name"), max_length=128)
    domain = models.CharField(
        _("domain"),
        max_length=3,
        choices=Domain,
        help_text=_(
            "People with administrative roles only are not offered for care teams."
        ),
    )
    domain_privilege_level = models.IntegerField(
        _("domain privilege level"),
        default=0,
        help_text=_(
            "Of a person's clinical roles, the one with the highest level is shown "
            "behind the name."
        ),
    )
    role_type = models.CharField(
        _("role type"), max_length=12, choices=Type, default=Type.NON_LICENSED
    )
    default_auth_groups = models.ManyToManyField(
        Group,
        verbose_name=_("default auth groups"),
        blank=True,
        related_name="default_of_roles",
        help_text=_(
            "Given to people when they get this role. Changing this list changes "
            "nobody who has the role already."
        ),
    )

    class Meta:
        ordering = ["name", "internal_code"]
        verbose_name = _("role")

    def __str__(self) -> str:
        return self.name

    @property
    def clinical(self) -> bool:
        """Whether the role's domain is clinical or hybrid."""
        return self.domain in self.CLINICAL
