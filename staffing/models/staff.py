"""Staff, their roles, and the grants of auth groups that follow from both."""

from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from canvas_admin.audit import trail
from canvas_admin.fhir.datatypes import ContactPoint
from canvas_admin.records import clock
from canvas_admin.records.models import Keyed, Versioned
from canvas_admin.records.validators import validate_has_come
from staffing import groups
from staffing.group_keeping import changing_holders
from staffing.models.accounts import User
from staffing.models.grants import GroupChange
from staffing.models.roles import Role

SHELL = trail.Command("shell")


class LastAdministrator(ValidationError):
    """Nobody would be left who can decide what others may do."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "This is the last person with “Staff Permissions” who can sign in. "
                "Give it to somebody else first, so that the clinic is not locked out."
            ),
            code="last_administrator",
        )


class StaffQuerySet(models.QuerySet):
    """Questions about staff."""

    def people(self) -> "StaffQuerySet":
        """Those who are people: what is a choice in a form is chosen among them."""
        return self.filter(service=False)


class Staff(Versioned):
    """Somebody who works here; without an account, somebody who is only named (directory).

    One with `service` is no person: it acts for a program (staffing.models.applications),
    holds auth groups like anybody, has no role, and comes in by tokens alone.

    `active` is the switch: the account's `is_active` follows it, and switching it off
    ends all sessions at once. Auth groups are given and taken by grant() and revoke()
    alone; group_keeping.guard_holders refuses what goes round them.
    """

    user = models.OneToOneField(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("account"),
        help_text=_(
            "With which the person signs in. Empty for people who never do. "
            "Once set it stays."
        ),
    )
    prefix = models.CharField(_("prefix"), max_length=32, blank=True)
    first_name = models.CharField(_("first name"), max_length=100)
    middle_name = models.CharField(_("middle name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100)
    suffix = models.CharField(_("suffix"), max_length=32, blank=True)
    date_of_birth = models.DateField(
        _("date of birth"), null=True, blank=True, validators=[validate_has_come]
    )
    npi = models.CharField(
        _("NPI"),
        max_length=10,
        blank=True,
        db_index=True,
        validators=[RegexValidator(r"^\d{10}$", _("An NPI has exactly 10 digits."))],
        help_text=_("National Provider Identifier, 10 digits."),
    )
    primary_location = models.ForeignKey(
        "staffing.Location",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("primary location"),
    )
    active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_(
            "Switch off when the person leaves: all access ends at once, and the "
            "history stays."
        ),
    )
    service = models.BooleanField(_("program"), default=False, editable=False)
    # What the last import brought, as a fingerprint: the same again changes nothing.
    source_digest = models.CharField(max_length=64, blank=True, editable=False)

    objects = StaffQuerySet.as_manager()

    class Meta:
        ordering = ["last_name", "first_name", "id"]
        verbose_name = _("staff member")
        verbose_name_plural = _("staff")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, by: Any = SHELL, **kwargs: Any) -> None:
        """Save; let the account follow `active`, and a newly linked one inherit.

        `by` is the account or command that acts. Raises LastAdministrator when the clinic
        would be locked out, ValidationError when a linked account would change.
        """
        with transaction.atomic():
            rows = Staff.objects.filter(pk=self.pk)
            if not self.active and rows.filter(active=True).exists():
                lock_administration()
            before = rows.select_for_update().first()
            if before and before.user_id and before.user_id != self.user_id:
                raise ValidationError(_("A linked account cannot be changed."))
            if before and before.service != self.service:
                raise ValidationError(_("A program never becomes a person."))
            if before and before.active and not self.active:
                self._leave_an_administrator()
            super().save(*args, **kwargs)
            if self.user_id:
                self._let_account_follow()
                if not before or not before.user_id:
                    self._inherit_from_roles(by)
            if before and before.active != self.active:
                act = "staff.activate" if self.active else "staff.deactivate"
                trail.done(by, act, subject=f"staff/{self.key}")

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Raises ProtectedError: people who worked here are deactivated, never deleted."""
        raise models.ProtectedError(_("Staff are deactivated, never deleted."), {self})

    def grant(
        self,
        group: Group,
        by: Any = SHELL,
        via: str = GroupChange.Via.HAND,
        role: Role | None = None,
    ) -> bool:
        """Give an auth group; False when the person holds it already.

        Raises ValidationError for somebody without an account.
        """
        with transaction.atomic():
            user = self._locked_account()
            if user.groups.filter(pk=group.pk).exists():
                return False
            with changing_holders():
                user.groups.add(group)
            self._record(group, added=True, by=by, via=via, role=role)
            return True

    def revoke(
        self, group: Group, by: Any = SHELL, via: str = GroupChange.Via.HAND
    ) -> bool:
        """Take an auth group away; False when the person does not hold it.

        Raises LastAdministrator when nobody else could decide who may do what.
        """
        with transaction.atomic():
            administration = groups.managed_group(groups.STAFF_PERMISSIONS)
            if group == administration:
                lock_administration()
            user = self._locked_account()
            if not user.groups.filter(pk=group.pk).exists():
                return False
            if group == administration:
                self._leave_an_administrator()
            with changing_holders():
                user.groups.remove(group)
            self._record(group, added=False, by=by, via=via)
            return True

    @property
    def name(self) -> str:
        """The name as shown in lists: first and last; a program is marked as one."""
        name = f"{self.first_name} {self.last_name}".strip()
        return _("%(name)s (program)") % {"name": name} if self.service else name

    @property
    def credentialed_name(self) -> str:
        """The name with the abbreviation of the top clinical role (facts 6.1)."""
        clinical = [held.role for held in self.staff_roles.all() if held.role.clinical]
        top = max(clinical, key=lambda role: role.domain_privilege_level, default=None)
        abbreviation = top.public_abbreviation if top else ""
        return f"{self.name} {abbreviation}".strip()

    def _locked_account(self) -> User:
        if self.user_id is None:
            raise ValidationError(
                _("%(name)s has no account, so there is nothing to give or take.")
                % {"name": self.name}
            )
        return User.objects.select_for_update().get(pk=self.user_id)

    def _leave_an_administrator(self) -> None:
        """Raise LastAdministrator if this is the last one who can sign in."""
        group = groups.managed_group(groups.STAFF_PERMISSIONS)
        able = User.objects.able_to_sign_in().filter(groups=group, staff__isnull=False)
        if (
            able.filter(pk=self.user_id).exists()
            and not able.exclude(pk=self.user_id).exists()
        ):
            raise LastAdministrator

    def _let_account_follow(self) -> None:
        if self.user.is_active != self.active:
            self.user.is_active = self.active
            self.user.save(update_fields=["is_active"])
            if not self.active:
                self.user.end_sessions()
                if program := getattr(self, "application", None):
                    program.revoke_tokens()

    def _inherit_from_roles(self, by: Any) -> None:
        for held in self.staff_roles.select_related("role"):
            held.give_defaults(by)

    def _record(self, group: Group, *, by: Any, **change: Any) -> None:
        GroupChange.objects.create(
            user_id=self.user_id,
            group=group,
            group_name=group.name,
            by=by.get_username(),
            **change,
        )
        act = "staff.grant" if change["added"] else "staff.revoke"
        trail.done(
            by, act, subject=f"staff/{self.key}", group=group.name, via=change["via"]
        )


def lock_administration() -> None:
    """Let two removals of administrators at once be one after the other (DESIGN 5).

    Always the first lock taken, so that they cannot wait for each other in a circle; a
    lock that lets others refer to the row, so that a grant meanwhile does not wait.
    """
    group = groups.managed_group(groups.STAFF_PERMISSIONS)
    Group.objects.select_for_update(no_key=True).get(pk=group.pk)


class StaffRoleQuerySet(models.QuerySet):
    """Role assignments are made one by one, because save() grants."""

    def bulk_create(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("StaffRole.save() grants: create them one by one.")

    def update(self, **kwargs: Any) -> int:
        raise NotImplementedError("StaffRole.save() grants: save them one by one.")


class StaffRole(Keyed):
    """A role of a staff member; its save() is the only writer and grants (DESIGN section 5).

    S2: "If a new role is added to a staff profile, they will be assigned any auth groups
    associated with that role which they do not already have. If a role is removed from a
    staff, no auth groups will be removed." So deleting a row takes nothing away, and
    editing a role's defaults reaches nobody who has it.
    """

    staff = models.ForeignKey(
        Staff, on_delete=models.PROTECT, related_name="staff_roles"
    )
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="staff_roles")
    since = models.DateTimeField(default=clock.now, editable=False)

    objects = StaffRoleQuerySet.as_manager()

    class Meta:
        ordering = ["since", "id"]
        verbose_name = _("role of a staff member")
        constraints = [
            models.UniqueConstraint(
                fields=["staff", "role"], name="role_once_per_staff"
            )
        ]

    def __str__(self) -> str:
        return str(self.role)

    def save(self, *args: Any, by: Any = SHELL, **kwargs: Any) -> None:
        """Assign the role and give its default groups that the person lacks."""
        if not self._state.adding:
            raise NotImplementedError("A role assignment is added or removed.")
        if self.staff.service:
            raise ValidationError(_("A program has no roles."))
        with transaction.atomic():
            super().save(*args, **kwargs)
            trail.done(
                by,
                "staff.role_added",
                subject=f"staff/{self.staff.key}",
                role=self.role.internal_code,
            )
            self.give_defaults(by)

    def delete(self, *args: Any, by: Any = SHELL, **kwargs: Any) -> Any:
        """Remove the role; no auth group goes with it (S2)."""
        with transaction.atomic():
            trail.done(
                by,
                "staff.role_removed",
                subject=f"staff/{self.staff.key}",
                role=self.role.internal_code,
            )
            return super().delete(*args, **kwargs)

    def give_defaults(self, by: Any) -> None:
        """Grant the role's default groups that are missing; directory staff get none."""
        if self.staff.user_id is None:
            return
        for group in self.role.default_auth_groups.order_by("pk"):
            self.staff.grant(group, by, GroupChange.Via.ROLE, self.role)


class StaffContactPoint(ContactPoint):
    """How to reach a staff member."""

    staff = models.ForeignKey(
        Staff, on_delete=models.CASCADE, related_name="contact_points"
    )


class StaffLicense(Keyed):
    """A licence or registration of a staff member (facts 6.8)."""

    class Kind(models.TextChoices):
        CLIA = "CLIA", "CLIA"
        DEA = "DEA", "DEA"
        PTAN = "PTAN", "PTAN"
        STATE = "STATE", _("State licence")
        TAXONOMY = "TAXONOMY", _("Taxonomy")
        SPI = "SPI", "SPI"
        OTHER = "OTHER", _("Other")

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="licenses")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    number = models.CharField(_("number"), max_length=64)
    state = models.CharField(_("state"), max_length=2, blank=True)
    expires = models.DateField(_("expires"), null=True, blank=True)

    class Meta:
        ordering = ["kind", "id"]
        verbose_name = _("licence")

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class StaffPermissions(Staff):
    """The "Staff Permissions" entry of the admin menu (S2): staff, seen by their groups."""

    class Meta:
        proxy = True
        verbose_name = _("staff permissions")
        verbose_name_plural = _("staff permissions")
