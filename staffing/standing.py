"""What an account holds at this moment, read afresh in one query."""

from dataclasses import dataclass, field
from typing import Any

from staffing import groups
from staffing.models.accounts import User, is_live


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
        rows = list(
            User.objects.filter(pk=user.pk).values_list(
                "is_active",
                "is_superuser",
                "staff__active",
                "groups__pk",
                "groups__managed__code",
            )
        )
        if user.pk is None or not rows or not is_live(*rows[0][:3]):
            return NOTHING
        return cls(
            user=user.pk,
            superuser=rows[0][1],
            everyone=any(row[4] == groups.ALL_PATIENTS for row in rows),
            auth_groups=frozenset(row[3] for row in rows if row[3]),
        )


NOTHING = Standing()
