"""The rows that a bundle brought. Runs in the transaction of patients.importing.bundle."""

from collections import Counter

from django.db.models import Q

from canvas_admin.fhir.bundles import Rejected
from canvas_admin.fhir.elements import Coding
from canvas_admin.fhir.rows import bring, take
from patients.fhir.care_team import CareTeamRows, Participation
from patients.fhir.patient import PatientRows
from patients.models import (
    CareTeamMembership,
    Patient,
    PatientIdentifier,
)
from staffing.models import CareTeamRole, Staff

Counts = Counter[tuple[str, str]]
Team = tuple[CareTeamRows, list[tuple[Participation, Staff]]]

ACTIVE = CareTeamMembership.Status.ACTIVE
INACTIVE = CareTeamMembership.Status.INACTIVE


def find_patient(rows: PatientRows) -> Patient | None:
    """The patient whom the identifiers name; a merged one's survivor.

    Raises Rejected when they name different patients.
    """
    wanted = Q(pk__in=())
    for system, value in rows.recognised_by:
        wanted |= Q(system=system, value=value)
    known = PatientIdentifier.objects.filter(wanted, entered_in_error=False)
    found = {_survivor(row.patient) for row in known.select_related("patient")}
    if len(found) > 1:
        keys = ", ".join(sorted(each.key for each in found))
        raise Rejected(f"identifier: the identifiers belong to two patients: {keys}")
    return found.pop() if found else None


def write_patient(rows: PatientRows) -> tuple[Patient, str]:
    """The patient of these rows, and "created", "updated" or "unchanged"."""
    patient = find_patient(rows)
    if patient is None:
        patient = Patient(**rows.fields, source_digest=rows.digest)
        patient.save()
        _write_belongings(patient, rows)
        return patient, "created"
    if patient.source_digest == rows.digest:
        return patient, "unchanged"
    changed = take(patient, rows.fields)
    if changed:
        patient.save()
    Patient.objects.filter(pk=patient.pk).update(source_digest=rows.digest)
    changed = _write_belongings(patient, rows) or changed
    return patient, "updated" if changed else "unchanged"


def write_care(patient: Patient, teams: list[Team]) -> tuple[Counts, int]:
    """Make the patient's care team hold these, and how many had to be set aside.

    Among active memberships there is one role per person, one person per role and one
    lead. Who is active already stays; of those who come, the latest team's win; the
    extra ones become inactive. A team's members whom its source no longer names do too.
    """
    there = list(patient.care_team.all())
    active = [row for row in there if row.status == ACTIVE]
    counts, set_aside = Counter(), 0
    changed = []
    for rows, parts in sorted(teams, key=lambda team: team[0].since, reverse=True):
        before = [row for row in there if row.source_id == rows.source_id]
        if before and all(row.source_digest == rows.digest for row in before):
            counts["CareTeam", "unchanged"] += len(before)
            continue
        changed.append((rows, parts, before))
        active = [row for row in active if row not in before]
    for rows, parts, before in changed:
        found, extra = _write_team(patient, rows, parts, before, active)
        counts += found
        set_aside += extra
    return counts, set_aside


def _write_team(
    patient: Patient,
    rows: CareTeamRows,
    parts: list[tuple[Participation, Staff]],
    before: list[CareTeamMembership],
    active: list[CareTeamMembership],
) -> tuple[Counts, int]:
    """Write one care team; `active` collects the patient's active memberships."""
    counts, set_aside = Counter(), 0
    left = {(row.staff_id, row.role_id): row for row in before}
    # Those who go make room first, or the database refuses those who come.
    for row in before:
        _set_status(row, INACTIVE if row.status == ACTIVE else row.status)
    for part, staff in parts:
        role = _role(part.role)
        row = left.pop((staff.pk, role.pk), None)
        outcome = "updated" if row else "created"
        row = row or CareTeamMembership(patient=patient, staff=staff, role=role)
        row.lead, row.status = part.lead, rows.status
        row.source_id, row.source_digest = rows.source_id, rows.digest
        if row.status == ACTIVE and any(_clash(row, other) for other in active):
            row.status = INACTIVE
            set_aside += 1
        if row.status == ACTIVE:
            active.append(row)
        row.save()
        counts["CareTeam", outcome] += 1
    for row in left.values():
        row.source_digest = rows.digest
        row.save()
        counts["CareTeam", "updated"] += 1
    return counts, set_aside


def _set_status(row: CareTeamMembership, status: str) -> None:
    if row.status != status:
        row.status = status
        row.save()


def _clash(one: CareTeamMembership, other: CareTeamMembership) -> bool:
    """Whether these two cannot both be active."""
    return (
        one.staff_id == other.staff_id
        or one.role_id == other.role_id
        or (one.lead and other.lead)
    )


def _role(coding: Coding) -> CareTeamRole:
    """The care team role of this code, which is unique whatever its system (facts 6.5)."""
    role, _created = CareTeamRole.objects.get_or_create(
        code=coding.code,
        defaults={"system": coding.system, "display": coding.display},
    )
    return role


def _write_belongings(patient: Patient, rows: PatientRows) -> bool:
    written = [
        bring(patient.names, rows.names, ("use",)),
        bring(patient.identifiers, rows.identifiers, ("system", "value")),
        bring(patient.addresses, rows.addresses, ("use",)),
        bring(patient.contact_points, rows.contact_points, ("system", "use")),
    ]
    return any(written)


def _survivor(patient: Patient) -> Patient:
    while patient.merged_into:
        patient = patient.merged_into
    return patient
