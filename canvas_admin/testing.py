"""The pytest plugin: the named cast of DESIGN section 12, and their clients.

Staff: nora (nurse, North), sam (clinician, South), olga (front desk, reaches nobody),
max (All Patients, Clinical write), ines (inactive, North), nil (no groups), ruth (Staff
Permissions, none of the twelve). Patients: ada (North), ben (South), cyn (no group).
"""

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from datetime import date
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "canvas_admin.settings")
os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
os.environ.setdefault("AUDIT_KEY", secrets.token_urlsafe(50))
os.environ["INSECURE_HTTP"] = "1"
os.environ.pop("CANVAS_ADMIN_DEMO", None)

import django

django.setup()

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.test import Client
from django.utils import timezone

from canvas_admin.tests import ground
from canvas_admin.tests.addresses import furnish
from canvas_admin.tests.kept_rows import Keeper
from patients.models import Patient, PatientGroup
from staffing.groups import BY_NAME, managed_group
from staffing.models import Application, Role, Staff, StaffRole, User

NURSE = ("Clinical read", "Clinical write", "Profile read", "Tasking access")
CLINICIAN = (*NURSE, "Printing access")
FRONT_DESK = ("Schedule write", "Profile read", "Profile write", "Patient create")


@pytest.fixture(scope="session", autouse=True)
def _a_database_to_begin_with(
    tmp_path_factory: Any, django_db_modify_db_settings: None
) -> None:
    """SQLite in a file, as a clinic has it: every thread with a connection of its own.

    In memory all threads share one, and two of them can wait for each other for ever.
    MIGRATED_DATABASE names one to begin with, under --reuse-db: a file, or on PostgreSQL
    a database to copy.
    """
    migrated = os.environ.get("MIGRATED_DATABASE")
    if connection.vendor == "sqlite":
        name = tmp_path_factory.mktemp("database") / "test.sqlite3"
        if migrated:
            shutil.copy(migrated, name)
        connection.settings_dict["TEST"]["NAME"] = str(name)
    elif migrated:
        connection.settings_dict["TEST"]["TEMPLATE"] = migrated


@pytest.fixture(scope="session", autouse=True)
def _back_to_the_ground() -> None:
    ground.restored_by_tests()


@pytest.fixture(autouse=True)
def _quick_and_plain(settings: Any) -> None:
    """No manifest and no search of static files, and a hash that costs nothing."""
    settings.WHITENOISE_AUTOREFRESH = True
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        },
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def give(staff: Staff, *names: str) -> Staff:
    """Grant managed groups by name, or patient groups' auth groups by "Patients: …"."""
    for name in names:
        if name in BY_NAME:
            staff.grant(managed_group(BY_NAME[name].code))
        else:
            group = PatientGroup.objects.get(name=name.removeprefix("Patients: "))
            staff.grant(group.auth_group)
    return staff


def make_staff(username: str, *groups: str, **fields: Any) -> Staff:
    """A staff member with an account of this name, holding these auth groups."""
    user = User.objects.create_user(username)
    user.set_password(secrets.token_urlsafe(20))
    user.save()
    staff = Staff(user=user, first_name=username.title(), last_name="Example", **fields)
    staff.save()
    return give(staff, *groups)


def make_patient(first: str, last: str, born: date, **fields: Any) -> Patient:
    """A patient with a name and a date of birth."""
    patient = Patient(first_name=first, last_name=last, birth_date=born, **fields)
    patient.save()
    return patient


def make_group(
    name: str, members: Iterable[Patient] = (), use_for_permissions: bool = True
) -> PatientGroup:
    """A patient group, for permissions unless told otherwise, with these members."""
    group = PatientGroup(name=name, use_for_permissions=use_for_permissions)
    group.save()
    for patient in members:
        group.add(patient)
    return group


def make_role(code: str, name: str, domain: str, *groups: str) -> Role:
    """A role with these managed groups as its defaults."""
    role = Role.objects.create(
        internal_code=code, public_abbreviation=code, name=name, domain=domain
    )
    role.default_auth_groups.set(managed_group(BY_NAME[n].code) for n in groups)
    return role


def make_application(name: str, *groups: str, **fields: Any) -> Application:
    """An application whose service staff holds these groups, and its `secret`."""
    application = Application(name=name, **fields)
    application.secret = application.begin()
    give(application.staff, *groups)
    return application


def token_of(application: Application, scope: str = "") -> str:
    """A new token of an application that acts for itself, by HTTP."""
    data = {
        "grant_type": "client_credentials",
        "client_id": application.client_id,
        "client_secret": application.secret,
        "scope": scope,
    }
    form = "application/x-www-form-urlencoded"
    answer = Client().post("/auth/token/", urlencode(data), content_type=form)
    return answer.json()["access_token"]


def make_cast() -> SimpleNamespace:
    """Everybody, by name, and the groups north and south."""
    cast = SimpleNamespace()
    cast.ada = make_patient("Ada", "Alvarez", date(1980, 1, 2))
    cast.ben = make_patient("Ben", "Brandt", date(1975, 3, 4))
    cast.cyn = make_patient("Cyn", "Castillo", date(1990, 5, 6))
    cast.north = make_group("North", [cast.ada])
    cast.south = make_group("South", [cast.ben])
    nurse = make_role("RN", "Nurse", "CLI", *NURSE)
    clinician = make_role("MD", "Clinician", "CLI", *CLINICIAN)
    desk = make_role("FD", "Front desk", "ADM", *FRONT_DESK)
    office = make_role("OM", "Office", "ADM")
    for name, role, groups in (
        ("nora", nurse, ["Patients: North"]),
        ("sam", clinician, ["Patients: South"]),
        ("olga", desk, []),
        ("max", office, ["All Patients", "Clinical write"]),
        ("ines", nurse, ["Patients: North"]),
        ("nil", office, []),
        ("ruth", office, ["Staff Permissions"]),
    ):
        staff = make_staff(name)
        StaffRole(staff=staff, role=role).save()
        setattr(cast, name, give(staff, *groups))
    cast.ines.active = False
    cast.ines.save()
    cast.anonymous = AnonymousUser()
    return cast


STAFF_NAMES = ("nora", "sam", "olga", "max", "ines", "nil", "ruth")


kept_cast = Keeper(make_cast)
kept_furnished = Keeper(lambda: furnish(make_cast()))


def put_back(request: Any) -> SimpleNamespace:
    """The cast; with a row of everything for tests that are marked "furnished"."""
    furnished = request.node.get_closest_marker("furnished")
    return (kept_furnished if furnished else kept_cast).put_back()


@pytest.fixture
def open_connection() -> Iterator[None]:
    """For what calls the application as the server does: it leaves the connection open."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def still_clock(monkeypatch: Any) -> None:
    """What may differ between two answers is the patient, not the minute."""
    now = timezone.now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


@pytest.fixture
def cast(request: Any, db: None) -> SimpleNamespace:
    """The cast of DESIGN section 12."""
    return put_back(request)


@pytest.fixture
def signed_in(cast: SimpleNamespace) -> Any:
    """signed_in("nora"): a test client of that person; None is anonymous."""

    def client_of(name: str | None) -> Client:
        client = Client()
        if name is not None:
            client.force_login(
                getattr(cast, name).user, backend="staffing.backends.StaffBackend"
            )
        return client

    return client_of
