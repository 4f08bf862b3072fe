"""FHIR CareTeam and our care team memberships."""

from dataclasses import dataclass
from typing import Any

from canvas_admin.fhir import elements
from canvas_admin.fhir.bundles import Rejected
from canvas_admin.fhir.elements import Coding
from canvas_admin.fhir.rows import digest, fit, limited
from patients.models import CareTeamMembership
from staffing.models import CareTeamRole

# Facts 2.2.
LEAD = "http://schemas.canvasmedical.com/fhir/extensions/careteam-lead"

# Of a participant whose role is not said.
UNSAID = Coding("http://snomed.info/sct", "223366009", "Healthcare professional")


@dataclass(frozen=True)
class Participation:
    """One part in the care: who (a reference), in which role, whether as the lead."""

    member: str
    role: Coding
    lead: bool


@dataclass(frozen=True)
class CareTeamRows:
    """What a CareTeam says; `since` orders several teams of one patient."""

    source_id: str
    subject: str
    status: str
    since: str
    participations: tuple[Participation, ...]

    @property
    def digest(self) -> str:
        return digest(self.status, self.participations)


def from_fhir(resource: dict[str, Any], source_id: str) -> CareTeamRows:
    """The parts of a validated CareTeam, one per participant and role.

    Raises Rejected without an id or a known status.
    """
    if not source_id:
        raise Rejected("id: without one the care team cannot be found again")
    status = resource.get("status") or CareTeamMembership.Status.ACTIVE
    fit(
        CareTeamMembership,
        {"source_id": source_id, "status": status},
        "the care team",
    )
    start = (resource.get("period") or {}).get("start") or ""
    participants = limited(resource.get("participant"), "participant")
    return CareTeamRows(
        source_id=source_id,
        subject=(resource.get("subject") or {}).get("reference") or "",
        status=status,
        since=elements.instant(start, "period.start").isoformat() if start else "",
        participations=tuple(
            part
            for index, each in enumerate(participants)
            for part in _participations(each, f"participant[{index}]")
        ),
    )


def _participations(data: dict[str, Any], at: str) -> list[Participation]:
    member = (data.get("member") or {}).get("reference") or ""
    lead = elements.extension(data, LEAD, "valueBoolean") is True
    roles = [_role(each, at) for each in limited(data.get("role"), f"{at}.role")]
    return [
        Participation(member, role, lead) for role in dict.fromkeys(roles or [UNSAID])
    ]


def _role(concept: dict[str, Any], at: str) -> Coding:
    """The role's coding; a code system that we do not list counts as our own codes."""
    role = elements.coding(concept)
    if not role.code:
        return UNSAID
    if role.system not in CareTeamRole.System.values:
        role = role._replace(system=CareTeamRole.System.INTERNAL)
    fit(CareTeamRole, role._asdict(), f"{at}.role")
    return role
