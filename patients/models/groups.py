"""Patient groups: who belongs to one, and the auth group that opens its patients."""

import uuid
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from guardian.models import GroupObjectPermissionBase

from canvas_admin.audit import trail
from canvas_admin.records import clock
from canvas_admin.records.models import Keyed, Versioned
from patients import grants
from patients.models.patients import Patient
from patients.querysets import MemberQuerySet
from patients.search import stream_keys
from staffing import groups
from staffing.group_keeping import changing_auth_groups
from staffing.models import GroupChange
from staffing.models.staff import SHELL


class LockedMember(Exception):
    """Automation cannot take this member out of the group."""


class PatientGroup(Versioned):
    """A named set of patients; used for permissions, it opens them to its holders.

    S2: "When creating them, there is an option to use them for permissions. Selecting
    yes will automatically create object-based auth groups." The auth group is created,
    never looked up by name, and stays when the switch goes off, so that on again
    restores. A retired group keeps its rows as history and opens nothing.
    """

    externally_exposable_id = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False
    )
    name = models.CharField(
        _("name"),
        max_length=130,
        help_text=_("For example “North clinic”. People who hold it see this name."),
    )
    use_for_permissions = models.BooleanField(
        _("use for permissions"),
        default=False,
        help_text=_(
            "Makes an auth group of the same name. Whoever holds it may open the "
            "members' charts."
        ),
    )
    auth_group = models.OneToOneField(
        Group,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="patient_group",
    )
    retired = models.DateTimeField(null=True, editable=False)

    AUTH_GROUP_PREFIX = "Patients: "
    public_field = "externally_exposable_id"

    class Meta:
        ordering = ["name"]
        verbose_name = _("patient group")
        permissions = [(grants.CODENAME, "Can access the patients of this group")]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                condition=Q(retired__isnull=True),
                name="patient_group_name",
                violation_error_message=_("A patient group with this name exists."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Leave single spaces in the name; refuse a managed or taken one."""
        self.name = " ".join(self.name.split())
        if groups.is_managed_name(self.name):
            raise ValidationError(
                {"name": _("This is the name of a managed auth group.")}
            )
        others = PatientGroup.objects.exclude(pk=self.pk).filter(retired__isnull=True)
        if self.retired is None and others.filter(name__iexact=self.name).exists():
            raise ValidationError({"name": _("A patient group with this name exists.")})

    def save(self, *args: Any, by: Any = SHELL, **kwargs: Any) -> None:
        """Save, and make the auth group and the grant what the switch says.

        Writes a constant number of rows, whatever the group's size. Raises
        ValidationError for the name of a managed group or of another patient group, and
        for a deleted group that would come back.
        """
        self.clean()
        with transaction.atomic():
            before = self._locked_row()
            if before:
                self._stay_with(before)
            if self.use_for_permissions and self.auth_group is None:
                with changing_auth_groups():
                    self.auth_group = Group.objects.create(name=self.auth_group_name)
            super().save(*args, **kwargs)
            if self.auth_group and self.auth_group.name != self.auth_group_name:
                self.auth_group.name = self.auth_group_name
                with changing_auth_groups():
                    self.auth_group.save()
            if self.use_for_permissions:
                grants.give(self)
            elif self.auth_group:
                grants.withdraw(self)
            self._record(before, by)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Raises ProtectedError: retire() deletes as far as anyone can see."""
        raise models.ProtectedError(
            _("Patient groups are retired, never deleted."), {self}
        )

    @transaction.atomic
    def retire(self, by: Any = SHELL) -> None:
        """Delete as far as anyone can see: holders lose it, rows stay as history."""
        auth_group, self.auth_group = self._locked_row().auth_group, None
        self.use_for_permissions, self.retired = False, clock.now()
        if auth_group:
            for user in auth_group.user_set.filter(staff__isnull=False).order_by("pk"):
                user.staff.revoke(auth_group, by, GroupChange.Via.RETIRED)
            grants.withdraw_all(auth_group)
        self.save(by=by)
        if auth_group:
            with changing_auth_groups():
                auth_group.delete()

    def add(
        self, patient: Patient, by: Any = SHELL, until: datetime | None = None
    ) -> "PatientGroupMember":
        """Put a patient in, from now on; who is in stays so, an open row to come begins.

        With an end, `until`, a row to come stays as it is and begins when it would.
        Raises ValidationError for an excluded patient.
        """
        with transaction.atomic():
            PatientGroup.objects.select_for_update().get(pk=self.pk)
            rows = self.memberships.filter(member=patient)
            if in_force := rows.in_force().first():
                return in_force
            row = PatientGroupMember(patient_group=self, member=patient)
            if until is None:
                row = rows.filter(end_date__isnull=True).first() or row
            row.start_date, row.end_date = clock.now(), until
            row.save(by=by)
            return row

    def remove(
        self, patient: Patient, by: Any = SHELL, *, automatic: bool = False
    ) -> int:
        """Take a patient out, as of now; returns how many memberships ended.

        Raises LockedMember, and takes nobody out, where it is `automatic`, a protocol's or a
        program's, and the member is locked (facts 6.6).
        """
        with transaction.atomic():
            rows = list(
                self.memberships.select_for_update()
                .filter(member=patient)
                .filter(Q(end_date__isnull=True) | Q(end_date__gt=clock.now()))
            )
            if automatic and any(row.locked for row in rows):
                raise LockedMember
            for row in rows:
                row.end(by=by)
            return len(rows)

    @property
    def auth_group_name(self) -> str:
        """The name of the auth group: it follows the patient group's."""
        return f"{self.AUTH_GROUP_PREFIX}{self.name}"

    def _locked_row(self) -> "PatientGroup | None":
        """The row as it is now, with its auth group, locked until the end."""
        rows = PatientGroup.objects.select_for_update(of=("self",))
        return rows.select_related("auth_group").filter(pk=self.pk).first()

    def _stay_with(self, before: "PatientGroup") -> None:
        """Keep what a save from an older copy must not undo: deletion, the auth group."""
        if before.retired and (self.use_for_permissions or not self.retired):
            raise ValidationError(_("This patient group was deleted meanwhile."))
        if not self.retired:
            self.auth_group = before.auth_group

    def _record(self, before: "PatientGroup | None", by: Any) -> None:
        fields = ("name", "use_for_permissions", "retired")
        changed = {
            field: str(getattr(self, field))
            for field in fields
            if not before or getattr(before, field) != getattr(self, field)
        }
        trail.done(
            by,
            "patient_group.changed" if before else "patient_group.created",
            subject=f"patient_group/{self.externally_exposable_id}",
            **changed,
        )


class PatientGroupAccess(GroupObjectPermissionBase):
    """guardian's row: this auth group may access the patients of this patient group."""

    content_object = models.ForeignKey(PatientGroup, on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        pass

    def __str__(self) -> str:
        return f"access to {self.content_object_id}"


class PatientGroupMember(Versioned):
    """A patient's time in a group; rows are history, removal sets the end.

    In force while start_date <= now < end_date. At most one open row per group and
    patient. `locked`: automation cannot remove it (facts 6.6).
    """

    patient_group = models.ForeignKey(
        PatientGroup,
        on_delete=models.PROTECT,
        related_name="memberships",
        verbose_name=_("patient group"),
        # The index of ends begins with it.
        db_index=False,
    )
    member = models.ForeignKey(
        Patient,
        on_delete=models.PROTECT,
        related_name="group_memberships",
        verbose_name=_("patient"),
    )
    start_date = models.DateTimeField(_("from"), default=clock.now)
    end_date = models.DateTimeField(
        _("until"), null=True, blank=True, help_text=_("Empty: until further notice.")
    )
    locked = models.BooleanField(
        _("locked"),
        default=False,
        help_text=_("Protocols and programs cannot take this patient out."),
    )

    objects = MemberQuerySet.as_manager()

    class Meta:
        ordering = ["-start_date", "-id"]
        verbose_name = _("member of a patient group")
        verbose_name_plural = _("members of patient groups")
        constraints = [
            models.UniqueConstraint(
                fields=["patient_group", "member"],
                condition=Q(end_date__isnull=True),
                name="one_open_membership",
                violation_error_message=_("This patient is in the group already."),
            ),
            models.CheckConstraint(
                condition=Q(end_date__isnull=True) | Q(end_date__gte=F("start_date")),
                name="membership_ends_after_start",
                violation_error_message=_("The end cannot lie before the start."),
            ),
        ]
        indexes = [
            models.Index(
                fields=["member", "patient_group"], name="membership_by_patient"
            ),
            models.Index(
                fields=["patient_group", "end_date"], name="membership_by_end"
            ),
        ]

    def __str__(self) -> str:
        return f"membership {self.key[:8]}"

    def clean(self) -> None:
        excluded = PatientGroupExclusion.objects.filter(
            patient_group=self.patient_group_id, patient=self.member_id
        )
        counts_from = max(clock.now(), self.start_date)
        reaches_on = self.end_date is None or self.end_date > counts_from
        if reaches_on and excluded.exists():
            raise ValidationError(
                _("This patient is excluded from the group; lift the exclusion first.")
            )

    def save(self, *args: Any, by: Any = SHELL, **kwargs: Any) -> None:
        """Save; raises ValidationError when the patient is excluded from the group."""
        self.clean()
        with transaction.atomic():
            created = self._state.adding
            super().save(*args, **kwargs)
            stream_keys.refresh([self.member_id])
            trail.done(
                by,
                "patient_group.member_added"
                if created
                else "patient_group.member_changed",
                [(self.member.key, "")],
                subject=f"patient_group/{self.patient_group.externally_exposable_id}",
                start=self.start_date.isoformat(),
                end=self.end_date.isoformat() if self.end_date else None,
            )

    @property
    def goes_on(self) -> bool:
        """Whether the membership counts now or will; one of no length never does."""
        return self.end_date is None or self.end_date > max(
            clock.now(), self.start_date
        )

    def end(self, by: Any = SHELL) -> None:
        """End the membership now; one that has not begun ends at its start.

        One that has ended stays as it was: rows are history.
        """
        end = max(clock.now(), self.start_date)
        if self.end_date is None or self.end_date > end:
            self.end_date = end
            self.save(by=by)


class PatientGroupExclusion(Keyed):
    """Keeps a patient out of a group (facts 6.6).

    Saving one ends the open memberships; while it stands the patient does not count as
    a member, whatever rows exist, and cannot be added. Deleting one restores nothing.
    """

    patient_group = models.ForeignKey(
        PatientGroup,
        on_delete=models.PROTECT,
        related_name="exclusions",
        verbose_name=_("patient group"),
    )
    patient = models.ForeignKey(
        Patient,
        on_delete=models.PROTECT,
        related_name="group_exclusions",
        verbose_name=_("patient"),
    )
    reason = models.CharField(_("reason"), max_length=255)
    created = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        ordering = ["-created", "-id"]
        verbose_name = _("exclusion from a patient group")
        verbose_name_plural = _("exclusions from patient groups")
        constraints = [
            models.UniqueConstraint(
                fields=["patient_group", "patient"],
                name="one_exclusion",
                violation_error_message=_("This patient is excluded already."),
            )
        ]

    def __str__(self) -> str:
        return f"exclusion {self.key[:8]}"

    def save(self, *args: Any, by: Any = SHELL, **kwargs: Any) -> None:
        """Save, and end the patient's memberships of the group."""
        with transaction.atomic():
            super().save(*args, **kwargs)
            self._record(by, "patient_group.excluded")
            self.patient_group.remove(self.patient, by=by)

    def delete(self, *args: Any, by: Any = SHELL, **kwargs: Any) -> Any:
        """Lift the exclusion; the patient is not a member again by that."""
        with transaction.atomic():
            self._record(by, "patient_group.exclusion_lifted")
            return super().delete(*args, **kwargs)

    def _record(self, by: Any, action: str) -> None:
        trail.done(
            by,
            action,
            [(self.patient.key, "")],
            subject=f"patient_group/{self.patient_group.externally_exposable_id}",
            reason=self.reason,
        )
