"""What an account holds at this moment, read afresh in one query."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from canvas_admin.records.lookups import Listed, Prepared, Slot, as_keys
from staffing import groups
from staffing.models.accounts import User, is_live
from staffing.models.grants import ManagedGroupLink


@dataclass(frozen=True)
class Standing:
    """An account's holdings now: never kept beyond the question that needed them.

    `auth_groups` are primary keys of auth groups. An account that is not live, and nobody
    at all, stands with nothing.
    """

    user: int | None = None
    superuser: bool = False
    everyone: bool = False
    auth_groups: frozenset[int] = field(default_factory=frozenset)

    @classmethod
    def of(cls, user: Any) -> "Standing":
        """The standing of an account, or of an anonymous visitor: one query.

        Raises TypeError for any other object with an id, a staff member say: the
        account that happens to have the same id would answer for it.
        """
        if user.pk is not None and not isinstance(user, User):
            raise TypeError(f"An account is asked for, not a {type(user).__name__}.")
        rows = HOLDINGS.tuples(user=user.pk) if user.pk is not None else ()
        for active, superuser, staff_active, all_patients, held in rows:
            if is_live(active, superuser, staff_active):
                groups_held = frozenset(as_keys(held))
                everyone = all_patients in groups_held
                return cls(user.pk, bool(superuser), everyone, groups_held)
        return NOTHING


def _holdings() -> QuerySet[User]:
    """Standing.of() in one row, or none, with a slot for the account."""
    all_patients = ManagedGroupLink.objects.filter(code=groups.ALL_PATIENTS)
    held = User.groups.through.objects.filter(user=OuterRef("pk")).values("user")
    return (
        User.objects.filter(pk=Slot("user"))
        .order_by()
        .values_list(
            "is_active",
            "is_superuser",
            "staff__active",
            Subquery(all_patients.values("group")[:1]),
            Subquery(held.annotate(listed=Listed("group")).values("listed")),
        )
    )


HOLDINGS = Prepared(_holdings)
NOTHING = Standing()
