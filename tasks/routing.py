"""To whom an automated task goes (S1; DESIGN section 7).

S1: "By assigning responsibilities to teams, you can drive how automated tasks in Canvas
are assigned."
"""

from staffing.models import Team
from tasks.origins import RESPONSIBLE


def team_for(origin: str, named: str = "") -> Team | None:
    """The team that holds the named responsibility, else that of this origin.

    None where nobody does.
    """
    if not (code := named or RESPONSIBLE.get(origin)):
        return None
    return Team.objects.filter(responsibilities__code=code).first()
