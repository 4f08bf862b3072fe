"""Giving and taking auth groups by hand: only the difference, and only what was seen."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from staffing import groups
from staffing.explanations import origin
from staffing.models import GroupChange, Staff, User
from staffing.models.staff import lock_administration


def grantable() -> QuerySet[Group]:
    """The auth groups there are: the managed ones first, then those of patient groups."""
    return (
        Group.objects.filter(Q(managed__isnull=False) | Q(patient_group__isnull=False))
        .select_related("managed", "patient_group")
        .order_by(F("managed__pk").asc(nulls_last=True), "name")
    )


def meaning(group: Group) -> str:
    """One sentence: what holding this auth group means."""
    if declared := groups.describe(group):
        return str(declared.meaning)
    name = {"name": group.patient_group.name}
    if group.patient_group.use_for_permissions:
        return _("Reaches the patients who are in “%(name)s” at the time.") % name
    return (
        _(
            "Opens nothing: the patient group “%(name)s” is not used for permissions now."
        )
        % name
    )


def powerful(chosen: Iterable[Group]) -> list[Group]:
    """Those of the groups whose grant asks for a confirmation (DESIGN section 5)."""
    return [
        group
        for group in chosen
        if (declared := groups.describe(group))
        and declared.kind is not groups.Kind.AREA
    ]


@dataclass(frozen=True)
class Difference:
    """What a form asks for, by names of auth groups."""

    added: frozenset[str]
    removed: frozenset[str]

    @classmethod
    def between(cls, before: Iterable[str], after: Iterable[str]) -> "Difference":
        """What leads from one list to another."""
        before, after = frozenset(before), frozenset(after)
        return cls(after - before, before - after)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)

    def __iter__(self) -> Any:
        """The difference as text, in an order of its own: +given, -taken."""
        yield from sorted(f"+{name}" for name in self.added)
        yield from sorted(f"-{name}" for name in self.removed)

    def onto(self, names: Iterable[str]) -> frozenset[str]:
        """Another list, with this difference made to it."""
        return (frozenset(names) | self.added) - self.removed


class ChangedMeanwhile(ValidationError):
    """A group in the difference was given or taken by somebody else meanwhile."""


def lock(staff: Staff, difference: Difference) -> frozenset[str]:
    """Lock the account, and return the names of the groups that it holds now.

    Call it inside a transaction. The administrators' lock comes first, as in
    Staff.revoke(), so that two people cannot wait for each other.
    """
    if groups.BY_CODE[groups.STAFF_PERMISSIONS].name in difference.removed:
        lock_administration()
    user = User.objects.select_for_update().get(pk=staff.user_id)
    return frozenset(user.groups.values_list("name", flat=True))


def compare(staff: Staff, difference: Difference, held: frozenset[str]) -> None:
    """Raise ChangedMeanwhile unless every group of the difference is as it was seen."""
    sentences = [
        _("You give “%(group)s”; meanwhile it was given %(how)s.")
        % {"group": name, "how": _last(staff, name)}
        for name in sorted(difference.added & held)
    ] + [
        _("You take “%(group)s” away; meanwhile it was taken %(how)s.")
        % {"group": name, "how": _last(staff, name)}
        for name in sorted(difference.removed - held)
    ]
    if sentences:
        raise ChangedMeanwhile(
            [
                _(
                    "Somebody changed these permissions while you were editing. "
                    "Nothing of yours is saved yet. The list below is theirs with "
                    "your changes made to it; look, and save again."
                ),
                *sentences,
            ]
        )


def apply(staff: Staff, difference: Difference, by: Any) -> None:
    """Give and take, each on the record. Raises LastAdministrator."""
    named = {group.name: group for group in grantable()}
    for name in sorted(difference.removed):
        staff.revoke(named[name], by)
    for name in sorted(difference.added):
        staff.grant(named[name], by)


def _last(staff: Staff, name: str) -> str:
    changes = GroupChange.objects.filter(user=staff.user_id, group_name=name)
    return origin(changes.select_related("role").order_by("when", "id").last())
