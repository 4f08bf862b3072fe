"""Making and changing staff: person, account and roles in one act."""

from collections.abc import Collection
from typing import Any

from canvas_admin.audit import trail
from staffing.models import Role, Staff, StaffRole, User


def save_staff(
    staff: Staff,
    roles: Collection[Role],
    by: Any,
    *,
    username: str = "",
    email: str = "",
    request: Any = None,
) -> User | None:
    """Save a person who has these roles and no others; with a user name, a new account too.

    Returns that account, which has no password until its person uses a one-time link. Call
    it in a transaction. Removed roles go first: what a new account inherits is of those that
    stay.
    """
    is_new = staff.pk is None
    held = [] if is_new else list(staff.staff_roles.select_related("role"))
    for row in held:
        if row.role not in roles:
            row.delete(by=by)
    made = None
    if username:
        made = staff.user = User.objects.create_user(username, email)
        trail.done(
            by,
            "account.made",
            request=request,
            subject=f"user/{made.key}",
            staff=staff.key,
        )
    staff.save(by=by)
    there = [row.role for row in held]
    for role in roles:
        if role not in there:
            StaffRole(staff=staff, role=role).save(by=by)
    return made
