"""The fields with which any form hands work about a patient to a person or a team."""

from typing import Any

from django import forms
from django.core.signing import Signer
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from patients.work.assigning import Assignees, Sight
from staffing.models import Staff, Team

NOBODY = ("", gettext_lazy("Nobody"))


class AssigningForm(forms.Form):
    """Beside each choice stands how many of the people will see it (S2).

    For a form whose instance has `patient`, `assignee` and `team`; it sets `actor`, and
    calls offer() when the patient is known. A choice of people of whom not all will see
    the work is saved only with `confirmation`, which _assigning.html asks for.
    """

    assignee = forms.ModelChoiceField(
        Staff.objects.none(),
        to_field_name="key",
        required=False,
        label=gettext_lazy("Person"),
    )
    team = forms.ModelChoiceField(
        Team.objects.none(),
        to_field_name="key",
        required=False,
        label=gettext_lazy("Team"),
        help_text=gettext_lazy(
            "With a person as well, it is the person's; without, any member may take it."
        ),
    )
    actor: Any
    # The model permissions without which nobody sees this kind of work.
    seen_with: tuple[str, ...] = ()

    def offer(self) -> None:
        """Fill in the choices, for the patient of the instance."""
        row = self.instance
        self.before = (row.assignee_id, row.team_id)
        self.offer_to(Assignees(row.patient, self.seen_with, [row.assignee_id]))

    def offer_to(self, assignees: Assignees) -> None:
        """Fill in the choices: these."""
        self.assignees = assignees
        person, team = self.fields["assignee"], self.fields["team"]
        person.queryset, team.queryset = self.assignees.people, self.assignees.teams
        person.choices = [NOBODY, *self._people()]
        team.choices = [
            ("", gettext_lazy("No team")),
            *((each.key, self._team(each)) for each in team.queryset),
        ]

    def _people(self) -> list[Any]:
        groups: dict[bool, list[Any]] = {True: [], False: []}
        for each in self.assignees.people:
            sees = bool(self.assignees.sight(each, None).able)
            groups[sees].append((each.key, each.name))
        titles = {True: _("Will see it"), False: _("Will not see it")}
        return [(titles[sees], people) for sees, people in groups.items() if people]

    def _team(self, team: Team) -> str:
        sight = self.assignees.sight(None, team)
        words = {"team": team.name, "able": len(sight.able), "total": sight.total}
        return _("%(team)s (%(able)s of %(total)s will see it)") % words

    @property
    def sight(self) -> Sight:
        """Who of those chosen will see it."""
        data = self.cleaned_data
        return self.assignees.sight(data.get("assignee"), data.get("team"))

    @property
    def chosen(self) -> Staff | Team | None:
        """Whose it will be."""
        return self.cleaned_data.get("assignee") or self.cleaned_data.get("team")

    @property
    def reassigned(self) -> bool:
        """Whether it goes to others than those who have it."""
        data = self.cleaned_data
        after = (data.get("assignee"), data.get("team"))
        return self.before != tuple(each and each.pk for each in after)

    @property
    def unconfirmed(self) -> bool:
        """Whether the person has still to be told that not all of them will see it."""
        if not (self.chosen and self.reassigned) or self.sight.complete:
            return False
        return not constant_time_compare(
            self.data.get("confirmation", ""), self.confirmation
        )

    @property
    def about(self) -> tuple[str, ...]:
        """What is handed over, and in which version."""
        return (self.instance.key, str(self.instance.version))

    @property
    def confirmation(self) -> str:
        """What the confirming button sends: good for these people and this version alone."""
        about = (self.actor.key, *self.about)
        chosen = (self.cleaned_data.get("assignee"), self.cleaned_data.get("team"))
        keys = [each.key if each else "" for each in (*chosen, *self.sight.unable)]
        return Signer(salt="patients.work.assigning").signature(
            "|".join((*about, *keys))
        )
