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
    accounts = {each.user_id: each.pk for each in staff if each.user_id and each.active}
    standings = able(Standing.of_each(accounts), permissions)
    users = {each.user for each in standings}
    if patient is not None:
        users = access.who_reaches(standings, patient)
    return {accounts[user] for user in users}


class Assignees:
    """Everybody and every team that work about this patient can be given to.

    People are active staff with an account; `also` are primary keys of others who stay a
    choice, because they have it now. Six queries, however many there are.
    """

    def __init__(
        self,
        patient: Patient | None,
        permissions: Iterable[str],
        also: Iterable[int | None] = (),
    ) -> None:
        usual = Q(active=True, user__isnull=False)
        kept = [pk for pk in also if pk]
        self.people = Staff.objects.people().filter(usual | Q(pk__in=kept))
        self.teams = Team.objects.all()
        self._people = list(self.people)
        self._sees = who_sees(self._people, patient, permissions)
        self._members: dict[int, list[Staff]] = {team.pk: [] for team in self.teams}
        people = {each.pk: each for each in self._people if each.active}
        for team, staff in TeamMember.objects.values_list("team", "staff"):
            if staff in people:
                self._members[team].append(people[staff])

    def sight(self, assignee: Staff | None, team: Team | None) -> Sight:
        """Who would see it: of the person, where there is one, else of the team."""
        people = [assignee] if assignee else self._members[team.pk] if team else []
        seeing = [each for each in people if each.pk in self._sees]
        unable = [each for each in people if each.pk not in self._sees]
        return Sight(tuple(seeing), tuple(unable))
