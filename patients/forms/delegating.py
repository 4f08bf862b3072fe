"""Who gets a task that an act raises, as a form says before it is done (S2)."""

from typing import Any

from django.utils.translation import gettext as _

from patients import areas
from patients.models import Patient
from patients.work.assigning import Assignees
from staffing.models import Team


def whose_task(patient: Patient, responsibility: str) -> Any:
    """The team that holds this responsibility, and how many of it will see the task."""
    team = Team.objects.filter(responsibilities__code=responsibility).first()
    if team is None:
        return _("No team is responsible: the task waits for who takes it.")
    sight = Assignees(patient, areas.SEE_TASKS).sight(None, team)
    words = {"team": team.name, "able": len(sight.able), "total": sight.total}
    return (
        _("A task is made for “%(team)s” (%(able)s of %(total)s will see it).") % words
    )
