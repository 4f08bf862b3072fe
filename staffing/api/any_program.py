"""Resources that any program may read, whatever its groups."""

from typing import Any

from canvas_admin.fhir.resources import Resource
from staffing.groups import FIND
from staffing.models import staff_of


class ForAnyProgram(Resource):
    """What any bound service staff may read (DESIGN section 5); people need a group.

    "A person with none of the twelve sees their own account page, nothing else"; whoever
    administers it reads what is to be changed.
    """

    def may(self, account: Any, interaction: str) -> bool:
        if self.permissions[interaction]:
            return super().may(account, interaction)
        staff = staff_of(account)
        return (
            bool(staff and staff.service)
            or account.has_perm(FIND)
            or account.has_perms(self.permissions["update"])
        )
