"""What switching a patient group on or off means: who gains or loses how many patients."""

from dataclasses import dataclass

from patients import access, grants
from patients.models import PatientGroup
from staffing.groups import ALL_PATIENTS, managed_group
from staffing.models import User
from staffing.standing import Standing

# Numbers are counted up to here and no further (DESIGN section 6).
MOST = 10_000
MOST_PEOPLE = 100


@dataclass(frozen=True)
class Share:
    """One person, and for how many patients the group is the only way to them."""

    name: str
    patients: int

    @property
    def many(self) -> bool:
        """Whether there are more than were counted."""
        return self.patients > MOST


@dataclass(frozen=True)
class Effect:
    """The people for whom the group's switch decides about patients, most first."""

    shares: list[Share]
    holders: int

    @property
    def people(self) -> int:
        """How many people gain or lose anything."""
        return len(self.shares)

    @property
    def shown(self) -> list[Share]:
        """The first of them, for a page."""
        return self.shares[:MOST_PEOPLE]

    @property
    def not_shown(self) -> int:
        """How many people the page leaves out."""
        return max(0, self.people - MOST_PEOPLE)


def holders_of(group: PatientGroup) -> list[User]:
    """The live accounts that hold the group's auth group, with their staff member."""
    if group.auth_group_id is None:
        return []
    live = User.objects.live().filter(groups=group.auth_group_id)
    return list(live.select_related("staff").order_by("staff__last_name", "username"))


def effect_of(group: PatientGroup) -> Effect:
    """Who reaches patients through this group alone, and how many each (security A9).

    Switched on, that is what they would lose; switched off, what they would gain. One
    count for each different set of other groups that its holders have.
    """
    holders = holders_of(group)
    others = _other_ways(group, holders)
    counts = {ways: _only_here(group, ways) for ways in set(others.values())}
    shares = [
        Share(user.get_full_name(), counts[others[user.pk]])
        for user in holders
        if user.pk in others and counts[others[user.pk]]
    ]
    return Effect(sorted(shares, key=lambda s: (-s.patients, s.name)), len(holders))


def is_small(group: PatientGroup) -> bool:
    """Whether the numbers are had at once, so that a page need not load them later."""
    return len(group.memberships.values("pk")[: 1 + MOST // 10]) <= MOST // 10


def _other_ways(group: PatientGroup, holders: list[User]) -> dict[int, frozenset[int]]:
    """The other auth groups that open patients, for holders who do not reach everyone."""
    held: dict[int, set[int]] = {u.pk: set() for u in holders if not u.is_superuser}
    rows = User.groups.through.objects.filter(user__in=held)
    for user, auth_group in rows.values_list("user_id", "group_id"):
        held[user].add(auth_group)
    everyone = managed_group(ALL_PATIENTS).pk
    opening = grants.opened_by(set().union(*held.values()))
    useful = set(opening.values_list("auth_group_id", flat=True)) - {
        group.auth_group_id
    }
    return {
        user: frozenset(auth_groups & useful)
        for user, auth_groups in held.items()
        if everyone not in auth_groups
    }


def _only_here(group: PatientGroup, other_ways: frozenset[int]) -> int:
    """How many patients the group has now that the other auth groups do not open."""
    otherwise = access.condition(Standing(auth_groups=other_ways), "member")
    members = group.memberships.in_force().exclude(otherwise).order_by()
    return len(members.values("member").distinct()[: MOST + 1])
