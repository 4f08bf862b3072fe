"""The administration of people and of what they may do."""

from staffing.admin import (  # noqa: F401
    accounts,
    applications,
    groups,
    permissions,
    places,
    roles,
    staff,
    teams,
)
