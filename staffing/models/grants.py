"""Which managed group is which row, and the record of every grant and revocation."""

from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext_lazy as _

from canvas_admin.records import clock
from canvas_admin.records.models import Keyed


class ManagedGroupLink(models.Model):
    """Ties a declared group to its auth.Group row by primary key; see staffing.groups."""

    code = models.CharField(max_length=40, unique=True)
    group = models.OneToOneField(
        Group, on_delete=models.PROTECT, related_name="managed"
    )

    def __str__(self) -> str:
        return self.code


class GroupChange(Keyed):
    """One grant or revocation of an auth group: to whom, by what, by whom, when.

    Written by Staff.grant() and Staff.revoke() alone. The group's name is copied, so that
    the record outlives a retired patient group.
    """

    class Via(models.TextChoices):
        ROLE = "role", _("by a role")
        HAND = "hand", _("by hand")
        COMMAND = "command", _("at the operator's shell")
        RETIRED = "retired", _("the patient group was deleted")

    user = models.ForeignKey(
        "staffing.User", on_delete=models.PROTECT, related_name="group_changes"
    )
    group = models.ForeignKey(
        Group, on_delete=models.SET_NULL, null=True, related_name="changes"
    )
    group_name = models.CharField(_("group"), max_length=150)
    added = models.BooleanField(_("given"))
    via = models.CharField(_("how"), max_length=8, choices=Via)
    role = models.ForeignKey(
        "staffing.Role", on_delete=models.PROTECT, null=True, related_name="+"
    )
    by = models.CharField(_("by"), max_length=150)
    when = models.DateTimeField(_("when"), default=clock.now)

    class Meta:
        verbose_name = _("permission change")
        ordering = ["-when", "-id"]
        indexes = [models.Index(fields=["user", "group", "-when"])]

    def __str__(self) -> str:
        return f"{'+' if self.added else '-'} {self.group_name}"
