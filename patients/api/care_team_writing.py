"""A CareTeam that comes in replaces the active participants (facts 2.3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from canvas_admin.audit import trail
from canvas_admin.fhir import elements, outcomes
from canvas_admin.fhir.bundles import Rejected
from canvas_admin.fhir.references import id_in, names_nobody, required
from canvas_admin.fhir.resources import KEY, Json
from canvas_admin.fhir.rows import limited
from patients import gate
from patients.fhir.care_team import LEAD
from patients.forms.care_team import who_can_care
from patients.models import CareTeamMembership, Patient
from staffing.models import CareTeamRole, Staff

Status = CareTeamMembership.Status


@dataclass(frozen=True)
class Part:
    """One participant: who, in which role; the lead, if that is said (None: it is not)."""

    staff: Staff
    role: CareTeamRole
    lead: bool | None


def replace(
    request: Any, patient: Patient, status: str, data: Json, check: Callable[[], None]
) -> None:
    """Make the active participants those that are said; who is not said becomes inactive.

    Raises Rejected and Problem for what cannot be; nothing is changed then.
    """
    if status != Status.ACTIVE:
        raise outcomes.against_the_rules("Only the active care team is updated")
    subject = id_in(data.get("subject"), "Patient", KEY, "subject")
    if subject is None:
        raise required("subject -> reference")
    if subject != patient.key:
        raise Rejected("body -> subject -> reference — is not the patient of this id")
    parts = _parts(limited(data.get("participant"), "body -> participant"))
    with transaction.atomic():
        Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
        seen = gate.still_open(request, patient)
        check()
        active = list(patient.care_team.filter(status=Status.ACTIVE))
        _refuse_who_cannot(parts, active)
        changed = _write(patient, parts, active)
        trail.done(
            request.user,
            "careteam.replace",
            seen,
            request=request,
            subject=f"CareTeam/{patient.key}",
            changed=changed,
        )


def _parts(participants: Sequence[Json]) -> list[Part]:
    parts = [
        _part(each, f"participant -> {at}") for at, each in enumerate(participants)
    ]
    for names, what in (
        ([part.staff for part in parts], "practitioner"),
        ([part.role for part in parts], "role"),
    ):
        if len(set(names)) != len(names):
            raise outcomes.against_the_rules(
                f"Each {what} can be on the care team once"
            )
    if sum(part.lead is True for part in parts) > 1:
        raise outcomes.against_the_rules("A care team has one lead")
    return parts


def _part(data: Json, at: str) -> Part:
    member = data.get("member")
    if "Organization/" in ((member or {}).get("reference") or ""):
        raise outcomes.against_the_rules(
            "Only practitioners take part in a care team here"
        )
    key = id_in(member, "Practitioner", KEY, f"{at} -> member")
    if key is None:
        raise required(f"{at} -> member -> reference")
    staff = Staff.objects.people().filter(key=key).first()
    if staff is None:
        raise names_nobody("Practitioner", key)
    return Part(staff, _role(data, at), elements.extension(data, LEAD, "valueBoolean"))


def _role(data: Json, at: str) -> CareTeamRole:
    roles = data.get("role") or []
    codings = [coding for role in roles for coding in role.get("coding") or []]
    if len(codings) != 1:
        raise Rejected(f"body -> {at} -> role — has exactly one coding")
    for name in ("system", "code", "display"):
        if not codings[0].get(name):
            raise required(f"{at} -> role -> 0 -> coding -> 0 -> {name}")
    system, code = codings[0]["system"], codings[0]["code"]
    found = CareTeamRole.objects.filter(system=system, code=code).first()
    if found is None:
        raise outcomes.against_the_rules(
            "Care Team Role does not exist with this code and system"
        )
    return found


def _refuse_who_cannot(
    parts: Sequence[Part], active: Sequence[CareTeamMembership]
) -> None:
    """Who is new has to be able to care, in a role that is offered (facts 6.1, 6.5)."""
    there = {(row.staff_id, row.role_id) for row in active}
    new = [part for part in parts if (part.staff.pk, part.role.pk) not in there]
    able = set(
        who_can_care()
        .filter(pk__in=[part.staff.pk for part in new])
        .values_list("pk", flat=True)
    )
    for part in new:
        if part.staff.pk not in able:
            raise outcomes.against_the_rules(
                "A practitioner is not active or has no clinical role: "
                f"Practitioner/{part.staff.key}"
            )
        if not part.role.active:
            raise outcomes.against_the_rules("This Care Team Role is inactive")


def _write(
    patient: Patient, parts: Sequence[Part], active: Sequence[CareTeamMembership]
) -> int:
    """Make it so; returns how many rows were written. First whatever makes room."""
    lead = _lead_of(parts, active)
    wanted = {(part.staff.pk, part.role.pk): part for part in parts}
    written = 0
    kept = {}
    for row in active:
        part = wanted.get((row.staff_id, row.role_id))
        if part is None:
            row.status, row.lead = Status.INACTIVE, False
        elif row.lead and part is not lead:
            kept[row.staff_id, row.role_id], row.lead = row, False
        else:
            kept[row.staff_id, row.role_id] = row
            continue
        row.save()
        written += 1
    for pair, part in wanted.items():
        row = kept.get(pair) or CareTeamMembership(
            patient=patient, staff=part.staff, role=part.role
        )
        if row.pk is None or row.lead != (part is lead):
            row.lead = part is lead
            row.save()
            written += 1
    return written


def _lead_of(
    parts: Sequence[Part], active: Sequence[CareTeamMembership]
) -> Part | None:
    """Who is said to lead; else who leads now, unless it is said that they do not."""
    before = {row.staff_id for row in active if row.lead}
    said = [part for part in parts if part.lead]
    kept = [p for p in parts if p.lead is None and p.staff.pk in before]
    return next(iter([*said, *kept]), None)
