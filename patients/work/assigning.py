"""Handing work about a patient to people: who of them will see it.

S2: "Items assigned to staff will not be visible to them if they do not have access to the
patient. It is critical to ensure that important clinical data like new lab results are
not assigned to staff who do not have access to the patient."
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from patients import access
from patients.models import Patient
from staffing.models import Staff, Team, TeamMember
from staffing.standing import Standing, able


@dataclass(frozen=True)
class Sight:
    """Some people who are given work, and who of them will see it."""

    able: tuple[Staff, ...] = ()
    unable: tuple[Staff, ...] = ()

    @property
    def total(self) -> int:
        """How many people they are."""
        return len(self.able) + len(self.unable)

    @property
    def complete(self) -> bool:
        """Whether there is somebody, and each of them will see it."""
        return bool(self.able) and not self.unable


def who_sees(
    staff: Iterable[Staff], patient: Patient | None, permissions: Iterable[str]
) -> set[int]:
    """Those of these people (primary keys) who will see work about this patient.

    They sign in, have these model permissions, and reach the patient; work about no
    patient asks for no reach. Three queries, however many they are.
    """
    about = patient and patient.pk
    return who_sees_each(staff, [about], permissions)[about]


def who_sees_each(
    staff: Iterable[Staff],
    patients: Iterable[int | None],
    permissions: Iterable[str],
) -> dict[int | None, set[int]]:
    """who_sees() for each of these patients (primary keys): three queries for them all."""
    accounts = {each.user_id: each.pk for each in staff if each.user_id and each.active}
    standings = able(Standing.of_each(accounts), permissions)
    about = set(patients)
    some = about - {None}
    users = access.who_reaches_each(standings, some) if some else {}
    if None in about:
        users[None] = {each.user for each in standings}
    return {pk: {accounts[user] for user in found} for pk, found in users.items()}


class Assignees:
    """Everybody and every team that work about this patient can be given to.

    Where work about `others` is handed over with it, whoever sees it sees all of that.
    People are active staff with an account; `also` are primary keys of others who stay a
    choice, because they have it now. Six queries, however many there are.
    """

    def __init__(
        self,
        patient: Patient | None,
        permissions: Iterable[str],
        also: Iterable[int | None] = (),
        others: Iterable[Patient | None] = (),
    ) -> None:
        usual = Q(active=True, user__isnull=False)
        kept = [pk for pk in also if pk]
        self.people = Staff.objects.people().filter(usual | Q(pk__in=kept))
        self.teams = Team.objects.all()
        self._people = list(self.people)
        about = {each and each.pk for each in (patient, *others)}
        self._sees = who_sees_each(self._people, about, permissions)
        self._all = set.intersection(*self._sees.values())
        self._members: dict[int, list[Staff]] = {team.pk: [] for team in self.teams}
        people = {each.pk: each for each in self._people if each.active}
        for team, staff in TeamMember.objects.values_list("team", "staff"):
            if staff in people:
                self._members[team].append(people[staff])

    def sight(self, assignee: Staff | None, team: Team | None) -> Sight:
        """Who would see it: of the person, where there is one, else of the team."""
        return self._sight(self._all, assignee, team)

    def sight_of(
        self, patient: int | None, assignee: Staff | None, team: Team | None
    ) -> Sight:
        """Who would see what is about this one of the patients (a primary key)."""
        return self._sight(self._sees[patient], assignee, team)

    def _sight(
        self, seers: set[int], assignee: Staff | None, team: Team | None
    ) -> Sight:
        people = [assignee] if assignee else self._members[team.pk] if team else []
        seeing = [each for each in people if each.pk in seers]
        unable = [each for each in people if each.pk not in seers]
        return Sight(tuple(seeing), tuple(unable))
