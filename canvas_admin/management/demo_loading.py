"""Makes the demo clinic, piece by piece, through the same methods as the pages.

Each piece is made whole or not at all, and left alone once it is there: what a visitor
changed stays, and an interrupted run is mended by the next.
"""

import json
import secrets
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import transaction

from canvas_admin.audit import trail
from canvas_admin.management import demo_clinic
from canvas_admin.management.demo_claims import make_claims
from canvas_admin.management.demo_clinic import (
    CAMPAIGN,
    NORTH,
    SOUTH,
    DemoTeam,
    Person,
    Program,
)
from canvas_admin.management.demo_files import write_private
from canvas_admin.management.demo_inbox import make_inbox
from canvas_admin.management.demo_notes import make_notes, place_imported_notes
from canvas_admin.management.demo_protocols import make_protocol
from canvas_admin.management.demo_results import make_results
from canvas_admin.management.demo_schedule import make_schedule
from canvas_admin.management.demo_tasks import make_tasks
from canvas_admin.records import clock
from patients.models import (
    Patient,
    PatientGroup,
    PatientGroupExclusion,
    PatientGroupMember,
)
from staffing.groups import BY_NAME, managed_group
from staffing.models import (
    Application,
    Location,
    Role,
    Staff,
    StaffRole,
    Team,
    TeamContactPoint,
    TeamMember,
    TeamResponsibility,
    User,
)

ACTOR = trail.Command("load_demo")

# Who goes where: the imported patients in order of their names, six by six.
PATTERN = ((NORTH,), (SOUTH,), (NORTH,), (SOUTH,), (NORTH, SOUTH), ())


def load() -> None:
    """Make the whole clinic. Raises CommandError when a bundle cannot be imported."""
    make_staff()
    call_command("import_fhir", str(demo_clinic.BUNDLES), stdout=StringIO())
    place_patients()
    by_place = {"North office": _living(NORTH), "South office": _living(SOUTH)}
    place_imported_notes(by_place)
    make_schedule(by_place)
    ada, ben, _cyn = _known_patients()
    staff = Staff.objects.select_related("user", "primary_location")
    make_tasks({name: _living(name) for name in (NORTH, SOUTH)})
    make_claims(ada)
    make_notes(
        {
            ada: staff.get(user__username="nora"),
            ben: staff.get(user__username="sam"),
        }
    )
    make_inbox({"nora": ada, "sam": ben, "olga": ada})
    make_results({"nora": _living(NORTH), "sam": _living(SOUTH)})
    make_protocol()
    give_passwords(passwords_file())


def make_staff() -> None:
    """Roles, locations, patient groups without patients, the cast, and their teams."""
    for role in demo_clinic.ROLES:
        make_role(*role)
    for name, time_zone in demo_clinic.LOCATIONS:
        Location.objects.get_or_create(name=name, defaults={"time_zone": time_zone})
    for name in (NORTH, SOUTH, CAMPAIGN):
        make_group(name)
    for person in demo_clinic.CAST:
        make_person(person)
    for team in demo_clinic.TEAMS:
        make_team(team)
    for program in demo_clinic.PROGRAMS:
        make_program(program)


@transaction.atomic
def make_role(
    code: str, name: str, domain: str, kind: str, level: int, groups: tuple[str, ...]
) -> None:
    """A role with its default auth groups."""
    if Role.objects.filter(internal_code=code).exists():
        return
    role = Role.objects.create(
        internal_code=code,
        public_abbreviation=code if domain != Role.Domain.ADMINISTRATIVE else "",
        name=name,
        domain=domain,
        role_type=kind,
        domain_privilege_level=level,
    )
    role.default_auth_groups.set(managed_group(BY_NAME[g].code) for g in groups)


def make_group(name: str) -> None:
    """A patient group, still empty; all but the campaign open their patients."""
    if not _group(name):
        PatientGroup(name=name, use_for_permissions=name != CAMPAIGN).save(by=ACTOR)


@transaction.atomic
def make_person(person: Person) -> None:
    """One of the cast: account, staff member, role, groups. No password yet."""
    if User.objects.filter(username=person.username).exists():
        return
    staff = Staff(
        user=User.objects.create_user(person.username),
        first_name=person.first_name,
        last_name=person.last_name,
        npi=person.npi,
        primary_location=Location.objects.filter(name=person.location).first(),
    )
    staff.save(by=ACTOR)
    role = Role.objects.get(internal_code=person.role)
    StaffRole(staff=staff, role=role).save(by=ACTOR)
    give_groups(staff, person)
    if not person.active:
        staff.active = False
        staff.save(by=ACTOR)


def give_groups(staff: Staff, plan: Person | Program) -> None:
    """What is given by hand."""
    for name in plan.groups:
        staff.grant(managed_group(BY_NAME[name].code), by=ACTOR)
    for name in plan.patient_groups:
        staff.grant(_group(name).auth_group, by=ACTOR)


@transaction.atomic
def make_program(plan: Program) -> None:
    """An application with its service staff; to use it, somebody makes a new secret."""
    if Application.objects.filter(name=plan.name).exists():
        return
    application = Application(name=plan.name, scopes=plan.scopes)
    if plan.redirect:
        application.authorization_grant_type = Application.Grant.CODE
        application.redirect_uris = plan.redirect
    application.begin(ACTOR)
    give_groups(application.staff, plan)


@transaction.atomic
def make_team(plan: DemoTeam) -> None:
    """A team with members, contact points and the responsibilities nobody holds yet."""
    if Team.objects.filter(name=plan.name).exists():
        return
    team = Team.objects.create(name=plan.name)
    for staff in Staff.objects.filter(user__username__in=plan.members):
        TeamMember.objects.create(team=team, staff=staff)
    for code in plan.responsibilities:
        TeamResponsibility.objects.get_or_create(code=code, defaults={"team": team})
    TeamContactPoint.objects.create(team=team, system="phone", value=plan.phone)
    TeamContactPoint.objects.create(team=team, system="email", value=plan.email, rank=2)


def place_patients() -> None:
    """Patients into their groups, with every kind of membership; one made inactive."""
    ada, ben, cyn = _known_patients()
    others = Patient.objects.exclude(pk__in=[ada.pk, ben.pk, cyn.pk]).filter(
        identifiers__system__contains="synthea"
    )
    imported = list(others.order_by("sort_name"))
    placed = {NORTH: [ada], SOUTH: [ben], CAMPAIGN: [cyn, *imported[::3]]}
    for index, patient in enumerate(imported):
        for name in PATTERN[index % len(PATTERN)]:
            placed[name].append(patient)
    ended, coming, _nowhere, excluded = imported[len(PATTERN) - 1 :: len(PATTERN)][:4]
    now = clock.now()
    special = {
        NORTH: [
            _membership(ended, now - timedelta(days=120), now - timedelta(days=30)),
            _membership(coming, now + timedelta(days=30), None),
        ],
        SOUTH: [
            PatientGroupExclusion(
                patient_group=_group(SOUTH),
                patient=excluded,
                reason=demo_clinic.EXCLUSION,
            )
        ],
    }
    for name, patients in placed.items():
        fill(_group(name), patients, special.get(name, []))
    make_one_inactive(placed[NORTH])


@transaction.atomic
def fill(
    group: PatientGroup,
    patients: list[Patient],
    special: list[PatientGroupMember | PatientGroupExclusion],
) -> None:
    """Put patients and these further rows into a group that never had a member."""
    if not group.memberships.exists():
        for patient in patients:
            group.add(patient, by=ACTOR)
        for row in special:
            row.save(by=ACTOR)


@transaction.atomic
def make_one_inactive(patients: list[Patient]) -> None:
    """The last living one of these, unless somebody living is inactive already."""
    if not Patient.objects.filter(active=False, deceased=False).exists():
        patient = [each for each in patients if not each.deceased][-1]
        patient.active = False
        patient.save()


def give_passwords(file: Path) -> None:
    """A password for each of the cast whose password the file does not know.

    The account first, then the file: an interruption between them is mended by the next
    run, which gives another one.
    """
    known = read_passwords(file)
    for person in demo_clinic.CAST:
        if person.username in known:
            continue
        password = new_password()
        User.objects.filter(username=person.username).update(
            password=make_password(password)
        )
        known[person.username] = password
        write_private(file, json.dumps(known, indent=1))


def read_passwords(file: Path) -> dict[str, str]:
    """The cast's passwords by user name; none where the file is missing or broken."""
    try:
        found = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def new_password() -> str:
    """Three words and a number, such as a person can copy by hand."""
    words = [secrets.choice(demo_clinic.WORDS) for _ in range(3)]
    return "-".join([*words, str(1000 + secrets.randbelow(9000))])


def passwords_file() -> Path:
    """Beside the demo database: demo.passwords.json."""
    return Path(settings.SQLITE_FILE).with_suffix(".passwords.json")


def _known_patients() -> list[Patient]:
    """Ada, Ben and Cyn."""
    numbers = (demo_clinic.ADA, demo_clinic.BEN, demo_clinic.CYN)
    return [Patient.objects.get(identifiers__value=number) for number in numbers]


def _group(name: str) -> PatientGroup | None:
    return PatientGroup.objects.filter(name=name, retired__isnull=True).first()


def _living(name: str) -> list[Patient]:
    """The active, living patients of a group, by name."""
    members = _group(name).memberships.in_force().values("member")
    return list(Patient.objects.listed().filter(pk__in=members).order_by("sort_name"))


def _membership(
    patient: Patient, start: datetime, end: datetime | None
) -> PatientGroupMember:
    return PatientGroupMember(
        patient_group=_group(NORTH), member=patient, start_date=start, end_date=end
    )
