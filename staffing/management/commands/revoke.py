"""manage.py revoke STAFF GROUP"""

from django.contrib.auth.models import Group

from canvas_admin.audit import trail
from staffing.management.commands import grant
from staffing.models import GroupChange, Staff


class Command(grant.Command):
    """Takes what grant gives."""

    help = "Takes an auth group away from a staff member, on the record."
    name = "revoke"
    changed, unchanged = "has no longer", "did not have"

    def change(self, staff: Staff, group: Group, by: trail.Command) -> bool:
        return staff.revoke(group, by, GroupChange.Via.COMMAND)
