"""What an account holds at this moment, read afresh in one query."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.contrib.auth.models import Group
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
        return next(_read(rows), NOTHING)

    @classmethod
    def of_each(cls, users: Collection[int]) -> "list[Standing]":
        """The standings of the live ones among these accounts (primary keys): one query."""
        return list(_read(HOLDINGS_OF_EACH.tuples(users=users)))


def able(standings: Collection[Standing], permissions: Iterable[str]) -> list[Standing]:
    """Those who have all of these model permissions: one query, however many they are."""
    needed = set(permissions)
    given = _given(frozenset().union(*(each.auth_groups for each in standings)), needed)
    return [
        each
        for each in standings
        if each.superuser
        or needed <= set().union(*(given.get(pk, ()) for pk in each.auth_groups))
    ]


def _given(auth_groups: Collection[int], needed: set[str]) -> dict[int, set[str]]:
    """What each of these auth groups gives of the needed permissions."""
    found: dict[int, set[str]] = {}
    rows = Group.permissions.through.objects.filter(
        group__among=auth_groups,
        permission__codename__in={name.partition(".")[2] for name in needed},
    )
    kind = "permission__content_type__app_label"
    for group, app, codename in rows.values_list("group", kind, "permission__codename"):
        found.setdefault(group, set()).add(f"{app}.{codename}")
    return found


def _read(rows: Iterable[Any]) -> Iterator[Standing]:
    """What the rows of _holdings() say of live accounts."""
    for user, active, superuser, staff_active, all_patients, held in rows:
        if is_live(active, superuser, staff_active):
            groups_held = frozenset(as_keys(held))
            everyone = all_patients in groups_held
            yield Standing(user, bool(superuser), everyone, groups_held)


def _holdings(**which: Slot) -> QuerySet[User]:
    """A row for each account that `which` says, with a slot, and what it holds."""
    all_patients = ManagedGroupLink.objects.filter(code=groups.ALL_PATIENTS)
    held = User.groups.through.objects.filter(user=OuterRef("pk")).values("user")
    return (
        User.objects.filter(**which)
        .order_by()
        .values_list(
            "pk",
            "is_active",
            "is_superuser",
            "staff__active",
            Subquery(all_patients.values("group")[:1]),
            Subquery(held.annotate(listed=Listed("group")).values("listed")),
        )
    )


HOLDINGS = Prepared(partial(_holdings, pk=Slot("user")))
HOLDINGS_OF_EACH = Prepared(partial(_holdings, pk__among=Slot("users")))
NOTHING = Standing()
