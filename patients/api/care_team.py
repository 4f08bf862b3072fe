"""FHIR CareTeam: the care team of one patient, whose id it has (facts 2)."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from canvas_admin.audit import trail
from canvas_admin.fhir.parameters import Parameter, Reference, Token
from canvas_admin.fhir.resources import KEY, Json, Resource, filled, reference
from canvas_admin.fhir.searching import Search
from patients import access, areas
from patients.api import care_team_writing
from patients.api.of_patient import within
from patients.fhir.care_team import LEAD
from patients.gate import find_patient, find_patients, reach
from patients.models import CareTeamMembership, Patient

Status = CareTeamMembership.Status


@dataclass(frozen=True)
class CareTeam:
    """The participants of one status in a patient's care; most often the active ones."""

    patient: Patient
    status: str
    members: tuple[CareTeamMembership, ...]
    modified: datetime

    @property
    def id(self) -> str:
        """The patient's key; of another status than active with that behind it."""
        key = self.patient.key
        return key if self.status == Status.ACTIVE else f"{key}.{self.status}"

    @property
    def pk(self) -> int:
        return self.patient.pk


class CareTeamResource(Resource):
    """The care teams of patients within reach; every patient has one (facts 2.1)."""

    type = "CareTeam"
    permissions = {
        "read": areas.OPEN_PROFILE,
        "search": areas.OPEN_PROFILE,
        "update": areas.EDIT_PROFILE,
    }
    id_pattern = re.compile(rf"({KEY.pattern})(?:\.({'|'.join(Status.values)}))?")

    def __init__(self) -> None:
        self.parameters: dict[str, Parameter] = {
            "participant": Reference("staff__key", "Practitioner", KEY),
            "patient": Reference("patient__key", "Patient", KEY),
            "status": Token("status", {each: each for each in Status.values}),
        }

    def rows(self, request: Any) -> QuerySet:
        """The memberships, of which the teams consist."""
        return within(request, CareTeamMembership.objects.all())

    def find(self, request: Any, logical_id: str) -> CareTeam | None:
        named = self.id_pattern.fullmatch(logical_id)
        patient = find_patient(request, named[1]) if named else None
        if named is None or patient is None:
            return None
        (found,) = teams([(patient, named[2] or Status.ACTIVE)])
        return found

    def matches(self, request: Any, search: Search) -> "Teams":
        found = self.rows(request)
        for asked in search.asked:
            # Each may be met by another member of the same team.
            of_team = CareTeamMembership.objects.filter(
                asked.condition(request),
                patient=OuterRef("patient"),
                status=OuterRef("status"),
            )
            found = found.filter(Exists(of_team))
        return Teams(found, self._without_members(request, search))

    def _without_members(self, request: Any, search: Search) -> list[Patient]:
        """The patients who were asked for by name and have nobody in their care team."""
        if len(search.asked) != 1 or not (asked := search.given("patient")):
            return []
        keys = [value.rpartition("/")[2] for value in asked[0].values]
        within = find_patients(request, keys)
        rows = CareTeamMembership.objects.filter(
            status=Status.ACTIVE, patient__in=within.values()
        )
        with_members = set(rows.values_list("patient", flat=True))
        return [
            within[key]
            for key in dict.fromkeys(keys)
            if key in within and within[key].pk not in with_members
        ]

    def to_fhir(self, request: Any, rows: Sequence[CareTeam]) -> list[Json]:
        return [to_fhir(team) for team in rows]

    def seen(self, request: Any, rows: Sequence[CareTeam]) -> trail.Seen:
        patients = {team.patient.pk: team.patient for team in rows}
        return access.paths_to(reach(request), list(patients.values()))

    def id_of(self, row: CareTeam) -> str:
        return row.id

    def update(
        self,
        request: Any,
        row: CareTeam,
        data: Json,
        check: Callable[[CareTeam], None],
    ) -> CareTeam:
        def check_now() -> None:
            (now,) = teams([(row.patient, row.status)])
            check(now)

        care_team_writing.replace(request, row.patient, row.status, data, check_now)
        (found,) = teams([(row.patient, row.status)])
        return found


class Teams:
    """Teams of which a membership matches, by patient and status; then those of nobody."""

    def __init__(self, memberships: QuerySet, empty: list[Patient]) -> None:
        pairs = memberships.order_by("patient_id", "status")
        self.pairs = pairs.values_list("patient_id", "status").distinct()
        self.empty = empty

    def page(self, offset: int, last: CareTeam | None, size: int) -> list[CareTeam]:
        """So many teams, behind a number of others or behind one."""
        pairs = self.pairs
        if last is not None:
            same = Q(patient=last.patient, status__gt=last.status)
            pairs, offset = pairs.filter(same | Q(patient__gt=last.patient)), 0
        found = list(pairs[offset : offset + size])
        patients = Patient.objects.in_bulk({patient for patient, _status in found})
        named = [(patients[patient], status) for patient, status in found]
        if len(found) < size and self.empty:
            begin = max(0, offset - self.pairs.count())
            empty = self.empty[begin : begin + size - len(found)]
            named += [(patient, Status.ACTIVE) for patient in empty]
        return teams(named)

    def count(self, most: int | None) -> int:
        """How many there are, up to a number or all of them."""
        return self.pairs[:most].count() + len(self.empty)


def teams(named: Sequence[tuple[Patient, str]]) -> list[CareTeam]:
    """The teams of these patients and statuses, in three queries at most."""
    rows = CareTeamMembership.objects.filter(patient__in={p.pk for p, _s in named})
    by_pair: dict[tuple[int, str], list[CareTeamMembership]] = defaultdict(list)
    changed: dict[int, list[datetime]] = defaultdict(list)
    for row in rows.select_related("staff").order_by("-lead", "pk"):
        by_pair[row.patient_id, row.status].append(row)
        changed[row.patient_id].append(row.modified)
    return [
        CareTeam(
            patient,
            status,
            tuple(by_pair[patient.pk, status]),
            max(changed[patient.pk], default=patient.modified),
        )
        for patient, status in named
    ]


def to_fhir(team: CareTeam) -> Json:
    """A care team as facts 2.2 have it."""
    name = team.patient.name
    return filled(
        resourceType="CareTeam",
        id=team.id,
        status=team.status,
        name=f"Care Team for {name}",
        subject=reference("Patient", team.patient.key, name),
        participant=[_participant(row) for row in team.members],
    )


def _participant(row: CareTeamMembership) -> Json:
    """With these three in the coding and nothing else (facts 2.2)."""
    coding = {
        "system": row.role_system,
        "code": row.role_code,
        "display": row.role_display,
    }
    return {
        "extension": [{"url": LEAD, "valueBoolean": row.lead}],
        "role": [{"coding": [coding]}],
        "member": reference("Practitioner", row.staff.key, row.staff.name),
    }
