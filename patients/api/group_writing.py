"""What a FHIR Group that comes in makes of a team or a patient group (facts 1.2, 1.3)."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from canvas_admin.audit import trail
from canvas_admin.fhir import outcomes
from canvas_admin.fhir.bundles import Rejected
from canvas_admin.fhir.references import named, names_nobody, needed_id_in, required
from canvas_admin.fhir.resources import KEY, Json
from canvas_admin.fhir.rows import fit
from patients import gate
from patients.models import LockedMember, Patient, PatientGroup
from staffing.models import Staff, Team, TeamMember, TeamResponsibility

TEAM, PATIENT_GROUP = "practitioner", "person"
# So many members come in at once, that the transaction stays short.
MEMBERS = 1_000

Row = Team | PatientGroup
Entry = tuple[Any, bool]


def create(request: Any, data: Json) -> Row:
    """A new team, or a new patient group, which opens nothing to anybody."""
    kind = data.get("type")
    if kind not in (TEAM, PATIENT_GROUP):
        raise Rejected(f"body -> type — is neither {TEAM} nor {PATIENT_GROUP}")
    row = Team() if kind == TEAM else PatientGroup()
    return _write(request, row, data, "group.create", None)


def update(request: Any, row: Row, data: Json, check: Callable[[Row], None]) -> Row:
    """A team as said; of a patient group, members are added and, if inactive, removed.

    What is not said of members and responsibilities stays (DESIGN section 8).
    """
    kind = TEAM if isinstance(row, Team) else PATIENT_GROUP
    if data.get("type") != kind:
        raise outcomes.against_the_rules(f"This Group is of the type {kind}")
    return _write(request, row, data, "group.change", check)


def _write(
    request: Any,
    row: Row,
    data: Json,
    act: str,
    check: Callable[[Row], None] | None,
) -> Row:
    name = (data.get("name") or "").strip()
    if not name:
        raise required("name")
    fit(type(row), {"name": name}, "body -> name")
    is_team = isinstance(row, Team)
    entries = _staff(data) if is_team else _patients(request, data)
    codes = _responsibilities(data) if is_team else None
    patients = {each.pk: each for each, _out in entries if isinstance(each, Patient)}
    try:
        with transaction.atomic():
            if row.pk:
                row = type(row).objects.select_for_update().get(pk=row.pk)
                check(row) if check else None
            seen = gate.still_open(request, *patients.values())
            row.name = name
            if is_team:
                row.save()
                _make_team(row, data, entries, codes, request.data)
            else:
                row.save(by=request.user)
                _change_members(request, row, entries)
            trail.done(
                request.user,
                act,
                seen,
                request=request,
                subject=f"Group/{row.externally_exposable_id}",
            )
    except gate.Refused as error:
        raise names_nobody("Patient", error.key) from error
    except IntegrityError as error:
        raise outcomes.against_the_rules(
            "A responsibility, or the name, was given to another at this moment"
        ) from error
    return row


def _keys(data: Json, kind: str) -> list[str]:
    """Who is named as a member, one after the other."""
    members = data.get("member") or []
    if len(members) > MEMBERS:
        raise Rejected(f"body -> member — repeats more than {MEMBERS} times")
    return [
        needed_id_in(each.get("entity"), kind, KEY, f"member -> {at} -> entity")
        for at, each in enumerate(members)
    ]


def _entries(data: Json, members: Sequence[Any]) -> list[Entry]:
    """Each member with whether they are inactive."""
    said = data.get("member") or []
    return [
        (member, each.get("inactive") is True)
        for member, each in zip(members, said, strict=True)
    ]


def _staff(data: Json) -> list[Entry]:
    keys = _keys(data, "Practitioner")
    people = {each.key: each for each in Staff.objects.people().filter(key__in=keys)}
    return _entries(data, named("Practitioner", keys, people))


def _patients(request: Any, data: Json) -> list[Entry]:
    """The patients that are named, each within the caller's reach."""
    keys = _keys(data, "Patient")
    within = gate.find_patients(request, keys)
    return _entries(data, named("Patient", keys, within))


def _responsibilities(data: Json) -> set[str]:
    found = set()
    for at, each in enumerate(data.get("characteristic") or []):
        if (each.get("code") or {}).get("text") != "responsibility":
            raise Rejected(
                f"body -> characteristic -> {at} -> code -> text — is 'responsibility'"
            )
        code = (each.get("valueCodeableConcept") or {}).get("text")
        if code not in TeamResponsibility.Code.values:
            raise outcomes.against_the_rules(
                f"There is no responsibility '{code}'"[:120]
            )
        found.add(code)
    return found


def _make_team(
    team: Team,
    data: Json,
    entries: list[Entry],
    codes: set[str] | None,
    sent: Json,
) -> None:
    if "characteristic" in sent:
        _take_on(team, codes or set())
    if "member" not in sent:
        return
    wanted = {staff.pk: staff for staff, out in entries if not out}
    there = set(team.members.values_list("staff", flat=True))
    team.members.exclude(staff__in=wanted).delete()
    for pk, staff in wanted.items():
        if pk not in there:
            if not staff.active:
                raise outcomes.against_the_rules(
                    f"Practitioner/{staff.key} is not active"
                )
            TeamMember.objects.create(team=team, staff=staff)


def _take_on(team: Team, codes: set[str]) -> None:
    """Exactly these responsibilities. Raises Problem where another team has one."""
    taken = TeamResponsibility.objects.filter(code__in=codes).exclude(team=team)
    if others := list(taken.select_related("team").order_by("code")):
        said = ", ".join(f"{each.code} ({each.team})" for each in others)
        raise outcomes.against_the_rules(
            f"Responsibilities are already assigned to another team: {said}"
        )
    team.responsibilities.exclude(code__in=codes).delete()
    for code in codes - set(team.responsibilities.values_list("code", flat=True)):
        TeamResponsibility.objects.create(team=team, code=code)


def _change_members(request: Any, group: PatientGroup, entries: list[Entry]) -> None:
    """Add, or take out whoever is inactive; a locked member stays (facts 6.6)."""
    # In one order, so that two at once never wait for each other's patient.
    for patient, out in sorted(entries, key=lambda entry: entry[0].pk):
        if not out:
            group.add(patient, by=request.user)
            continue
        try:
            group.remove(patient, by=request.user, automatic=True)
        except LockedMember as error:
            said = f"Patient/{patient.key} is locked in"
            raise outcomes.against_the_rules(said) from error
