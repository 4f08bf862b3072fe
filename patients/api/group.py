"""FHIR Group over teams (practitioner) and patient groups (person); facts 1."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from canvas_admin.audit import trail
from canvas_admin.fhir.answers import SUBSETTED
from canvas_admin.fhir.parameters import NOTHING, LogicalId, Parameter, Token
from canvas_admin.fhir.resources import UUID, Json, filled, once, reference
from canvas_admin.fhir.searching import Asked, Parts, Rows, Search
from patients import access, grants
from patients.api import group_writing
from patients.api.group_writing import PATIENT_GROUP, TEAM
from patients.gate import reach
from patients.models import Patient, PatientGroup, PatientGroupMember
from staffing.api.any_program import ForAnyProgram
from staffing.groups import FIND
from staffing.models import Team, TeamMember

# So many members of a patient group are listed, and so many are counted (DESIGN 8).
LISTED, COUNTED = 1_000, 10_000
# Both come with "Staff Permissions" (DESIGN section 5).
ADMINISTER_TEAMS = ("staffing.add_team", "staffing.change_team")
ADMINISTER_GROUPS = (
    "patients.change_patientgroup",
    "patients.add_patientgroupmember",
    "patients.change_patientgroupmember",
)
LIMITED = "urn:canvas-admin:fhir:group-members-limited"


def readable(account: Any, own: access.Reach) -> QuerySet:
    """The patient groups that an account may read: those it opens, or all if it keeps them."""
    groups = PatientGroup.objects.filter(retired__isnull=True)
    if account.has_perm("patients.view_patientgroup"):
        return groups
    held = grants.opened_by(own.standing.auth_groups)
    return groups.filter(pk__in=held.order_by().values("pk"))


class GroupResource(ForAnyProgram):
    """Teams for any caller; patient groups that the caller holds, or administers.

    The members of a patient group are those within the caller's reach, in a read alone: a
    search tells which groups there are.
    """

    type = "Group"
    public_field, id_pattern = "externally_exposable_id", UUID
    permissions = {
        "read": (),
        "search": (),
        "create": (*ADMINISTER_TEAMS, *ADMINISTER_GROUPS),
        "update": (*ADMINISTER_TEAMS, *ADMINISTER_GROUPS),
    }

    def __init__(self) -> None:
        self.parameters = {
            "_id": LogicalId("externally_exposable_id", "Group", UUID),
            "type": Token("type"),
        }

    def rows(self, request: Any) -> QuerySet:
        """The patient groups; teams() are the others."""
        return readable(request.user, reach(request))

    def teams(self) -> QuerySet:
        """Every team, with its members and responsibilities."""
        members = TeamMember.objects.select_related("staff").order_by("pk")
        return Team.objects.prefetch_related(
            Prefetch("members", members), "responsibilities"
        )

    def find(self, request: Any, logical_id: str) -> Any:
        if not self.id_pattern.fullmatch(logical_id):
            return None
        wanted = {"externally_exposable_id": logical_id}
        team = self.teams().filter(**wanted).first()
        return team or self.rows(request).filter(**wanted).first()

    def matches(self, request: Any, search: Search) -> Parts:
        return Parts(
            (
                self._narrowed(request, self.teams(), search, TEAM),
                self._narrowed(request, self.rows(request), search, PATIENT_GROUP),
            )
        )

    def _narrowed(
        self, request: Any, rows: QuerySet, search: Search, kind: str
    ) -> Rows:
        found = Q()
        for asked in search.asked:
            if asked.name == "type":
                found &= Q() if _says(asked, kind) else NOTHING
            else:
                found &= asked.condition(request)
        return Rows(rows.filter(found), self.usual_order)

    def to_fhir(self, request: Any, rows: Sequence[Any]) -> list[Json]:
        return [
            _team(row) if isinstance(row, Team) else _patient_group(row, None)
            for row in rows
        ]

    def read(self, request: Any, row: Any) -> Json:
        if isinstance(row, Team):
            return _team(row)
        return _patient_group(row, self.members(request, row))

    def seen_in_read(self, request: Any, row: Any) -> trail.Seen:
        if isinstance(row, Team):
            return ()
        return access.paths_to(reach(request), self.members(request, row).listed)

    def create(self, request: Any, data: Json) -> Any:
        return group_writing.create(request, data)

    def update(
        self, request: Any, row: Any, data: Json, check: Callable[[Any], None]
    ) -> Any:
        return group_writing.update(request, row, data, check)

    def members(self, request: Any, group: PatientGroup) -> "Members":
        """Who is in it now and within reach, to a caller who may find patients."""

        def ask() -> Members:
            may = request.user.has_perm(FIND)
            return Members.of(reach(request), group) if may else Members()

        return once(request, ("Group", group.pk), ask)


@dataclass(frozen=True)
class InGroup(Parameter):
    """Members now of a patient group that the caller may read: `_has:Group:member:_id`."""

    groups: Any = None
    kind = "token"

    def bound(self, request: Any) -> "InGroup":
        return InGroup(groups=GroupResource().rows(request))

    def condition(self, value: str, modifier: str = "") -> Q:
        found = LogicalId("externally_exposable_id", "Group", UUID).condition(value)
        members = PatientGroupMember.objects
        rows = members.in_force(
            patient_group__in=self.groups.filter(found).values("pk")
        )
        if rows.order_by()[: COUNTED + 1].count() > COUNTED:
            return Q(Exists(rows.filter(member=OuterRef("pk"))))
        return Q(pk__in=rows.order_by().values("member"))


@dataclass(frozen=True)
class Members:
    """The first members by key, and how many there are; None above what is counted."""

    listed: list[Patient] = field(default_factory=list)
    number: int | None = 0

    @classmethod
    def of(cls, of: access.Reach, group: PatientGroup) -> "Members":
        """The members of a group within a reach."""
        rows = PatientGroupMember.objects.in_force(patient_group=group)
        within = Patient.objects.accessible_to(of)
        if rows.order_by()[: COUNTED + 1].count() > COUNTED:
            inside = rows.filter(member=OuterRef("pk"))
            # Of so many, going through all patients by key finds the first soon.
            listed = list(within.filter(Exists(inside)).order_by("key")[:LISTED])
            return cls(listed, None if len(listed) == LISTED else len(listed))
        found = within.filter(pk__in=rows.order_by().values("member"))
        return cls(list(found.order_by("key")[:LISTED]), found.order_by().count())


def _says(asked: Asked, kind: str) -> bool:
    """Whether a search for a type asks for groups of this kind."""
    codes = [value.rpartition("|")[2] for value in asked.values]
    return (kind in codes) != (asked.modifier == "not")


def _team(team: Team) -> Json:
    members = [held.staff for held in team.members.all()]
    return filled(
        resourceType="Group",
        id=str(team.externally_exposable_id),
        type=TEAM,
        actual=True,
        name=team.name,
        quantity=len(members) or None,
        characteristic=[
            {
                "code": {"text": "responsibility"},
                "valueCodeableConcept": {"text": held.code},
                "exclude": False,
            }
            for held in sorted(team.responsibilities.all(), key=lambda r: r.code)
        ],
        member=[
            {"entity": reference("Practitioner", staff.key, staff.name)}
            for staff in members
        ],
    )


def _patient_group(group: PatientGroup, members: Members | None) -> Json:
    found = filled(
        resourceType="Group",
        id=str(group.externally_exposable_id),
        type=PATIENT_GROUP,
        actual=True,
        name=group.name,
    )
    if members is None:
        return found | {"meta": {"tag": [SUBSETTED]}}
    if members.number != len(members.listed):
        limit = {"url": LIMITED, "valueInteger": LISTED}
        found |= {"extension": [limit], "meta": {"tag": [SUBSETTED]}}
    return found | filled(
        quantity=members.number or None,
        member=[
            {"entity": reference("Patient", patient.key, patient.name)}
            for patient in members.listed
        ],
    )
