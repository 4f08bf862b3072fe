"""The names that other rooms may import."""

from staffing.models.accounts import User, staff_of
from staffing.models.applications import Application
from staffing.models.care_team_roles import CareTeamRole
from staffing.models.grants import GroupChange, ManagedGroupLink
from staffing.models.identifiers import StaffIdentifier
from staffing.models.places import Location, VisitType
from staffing.models.roles import Role
from staffing.models.staff import (
    Staff,
    StaffContactPoint,
    StaffLicense,
    StaffPermissions,
    StaffRole,
)
from staffing.models.teams import Team, TeamContactPoint, TeamMember, TeamResponsibility

__all__ = [
    "Application",
    "CareTeamRole",
    "GroupChange",
    "Location",
    "ManagedGroupLink",
    "Role",
    "Staff",
    "StaffContactPoint",
    "StaffIdentifier",
    "StaffLicense",
    "StaffPermissions",
    "StaffRole",
    "Team",
    "TeamContactPoint",
    "TeamMember",
    "TeamResponsibility",
    "User",
    "VisitType",
    "staff_of",
]
