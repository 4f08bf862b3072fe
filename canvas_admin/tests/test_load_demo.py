"""manage.py load_demo makes the demo clinic, in demonstration mode alone."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import password_validation
from django.core.management import CommandError, call_command
from django.db.models import Count

from canvas_admin.management import demo_clinic, demo_loading
from canvas_admin.management.demo_clinic import BUNDLES, CAST
from canvas_admin.management.demo_files import write_private
from canvas_admin.tests.kept_rows import Keeper
from patients import access
from patients.models import (
    CareTeamMembership,
    Note,
    Patient,
    PatientGroup,
    PatientGroupExclusion,
    PatientGroupMember,
)
from patients.work import panels, queues, stranded
from staffing.groups import AREA_CODES
from staffing.models import GroupChange, Location, Role, Staff, Team, User
from tasks.models import RoutingRule, TaskRouting
from tasks.shelves import SHELVES

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Demonstration mode, with its files in a folder of the test."""
    settings.DEMO = True
    settings.SQLITE_FILE = tmp_path / "demo.sqlite3"
    return tmp_path


def reach(username: str) -> set[str]:
    """The full names of the patients whom somebody reaches."""
    user = User.objects.get(username=username)
    return {patient.name for patient in Patient.objects.accessible_to(user)}


def passwords(folder: Path) -> dict[str, str]:
    return json.loads((folder / "demo.passwords.json").read_text())


def load() -> SimpleNamespace:
    """The demo clinic, made as a visitor makes it, and its file of passwords."""
    call_command("load_demo")
    return SimpleNamespace(known=demo_loading.passwords_file().read_text())


kept_demo = Keeper(load)


@pytest.fixture
def demo(folder: Path) -> None:
    """The demo clinic as it was loaded."""
    known = kept_demo.put_back().known
    write_private(demo_loading.passwords_file(), known)


def counts() -> list[int]:
    """How many rows there are of everything that the command makes."""
    models = (Patient, Staff, User, Role, Team, Location, PatientGroup, GroupChange)
    more = (PatientGroupMember, PatientGroupExclusion, CareTeamMembership)
    return [model.objects.count() for model in (*models, *more)]


def test_it_is_refused_beside_real_patients(settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="demonstration mode alone"):
        call_command("load_demo")
    assert not Patient.objects.exists()
    assert not User.objects.exists()


def test_the_cast_can_do_what_their_sentences_say(demo: None) -> None:
    assert "Ada Alvarez" in reach("nora")
    assert "Ben Brandt" not in reach("nora")
    assert "Ben Brandt" in reach("sam")
    assert "Ada Alvarez" not in reach("sam")
    assert reach("olga") == reach("nora")
    assert len(reach("max")) == Patient.objects.count()
    assert reach("ines") == reach("nil") == reach("ruth") == set()
    users = {user.username: user for user in User.objects.all()}
    assert users["nora"].has_perm("patients.add_condition")
    assert users["olga"].has_perm("patients.add_patient")
    assert not users["olga"].has_perm("patients.view_condition")
    assert users["max"].has_perms(["patients.view_condition", "patients.add_condition"])
    assert users["ruth"].has_perm("staffing.change_staffpermissions")
    assert not users["ruth"].groups.filter(managed__code__in=AREA_CODES).exists()
    assert not users["nil"].groups.exists()
    assert not users["ines"].live
    for name in ("nora", "sam", "max"):
        looking = queues.Person.of(access.Reach.of(users[name]))
        assert queues.Queue(SHELVES["open"], looking).count() > 1
    rules = RoutingRule.objects.values_list("name", flat=True)
    matched = TaskRouting.objects.values_list("rule_name", flat=True)
    assert set(rules) == set(matched)


def test_everyone_signs_in_with_the_password_in_the_file(
    demo: None, folder: Path
) -> None:
    known = passwords(folder)
    assert list(known) == [person.username for person in CAST]
    assert (folder / "demo.passwords.json").stat().st_mode & 0o777 == 0o600
    for user in User.objects.people():
        assert user.check_password(known[user.username])
        password_validation.validate_password(known[user.username], user)
    assert len(set(known.values())) == len(CAST)


def _members(group: PatientGroup) -> Any:
    """The ids of the active, living patients who are in a group now."""
    members = group.memberships.in_force().values("member")
    return Patient.objects.listed().filter(pk__in=members).values("pk")


def test_every_kind_of_patient_and_membership_is_there(demo: None) -> None:
    north, south, campaign = (
        PatientGroup.objects.get(name=name)
        for name in (demo_clinic.NORTH, demo_clinic.SOUTH, demo_clinic.CAMPAIGN)
    )
    assert not campaign.use_for_permissions
    assert campaign.memberships.exists()
    assert north.memberships.filter(end_date__isnull=False).exists()
    assert north.memberships.count() > north.memberships.in_force().count() + 1
    assert south.exclusions.get().reason
    memberships = Patient.objects.filter(
        group_memberships__patient_group__in=[north, south]
    ).annotate(groups=Count("group_memberships"))
    assert memberships.filter(groups=2).exists()
    assert Patient.objects.filter(group_memberships__isnull=True).exists()
    assert Patient.objects.filter(active=False, deceased=False).count() == 1
    assert Patient.objects.filter(deceased=True).exists()
    assert not Patient.objects.get(first_name="Cyn").group_memberships.filter(
        patient_group__use_for_permissions=True
    )
    ada = Patient.objects.get(first_name="Ada")
    assert ada.care_team.get(lead=True).staff.user.username == "nora"
    assert ada.conditions.count() >= 3
    imported = Note.objects.exclude(source_id="").filter(patient__in=_members(north))
    assert imported.exists()
    assert not imported.filter(location=None).exists()
    assert len(list(stranded.Walk())) == 1
    for name in ("nora", "sam"):
        looking = queues.Person.of(access.Reach.of(User.objects.get(username=name)))
        for kind in panels.KINDS:
            assert queues.Queue(kind.shelf, looking).count(), (
                f"{name} has no {kind.code}"
            )


def test_the_bundles_are_real_and_named_by_their_folder() -> None:
    assert len(list(BUNDLES.glob("*.json"))) >= 23


def test_a_second_run_adds_nothing_and_leaves_what_a_visitor_changed(
    demo: None, folder: Path
) -> None:
    nora = User.objects.get(username="nora").staff
    nora.revoke(nora.user.groups.get(name="Clinical write"))
    ada = Patient.objects.get(first_name="Ada")
    PatientGroup.objects.get(name=demo_clinic.NORTH).remove(ada)
    ada.last_name = "Berg"
    ada.save()
    before, known = counts(), passwords(folder)
    call_command("load_demo")
    assert counts() == before
    assert passwords(folder) == known
    assert not nora.user.groups.filter(name="Clinical write").exists()
    assert not any(name.startswith("Ada") for name in reach("nora"))
    assert Patient.objects.get(first_name="Ada").last_name == "Berg"


def interrupted(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """A run that ends within a step: the second time, or the first of an import."""
    whole = getattr(demo_loading, step)
    calls = []

    def ending(*args: Any, **kwargs: Any) -> Any:
        calls.append(step)
        if len(calls) == 2 or step == "call_command":
            raise KeyboardInterrupt
        return whole(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(demo_loading, step, ending)
        with pytest.raises(KeyboardInterrupt):
            call_command("load_demo")


def test_an_interrupted_run_is_mended_by_the_next(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run goes on where the one before was interrupted, up to the last."""
    for step in ("make_person", "call_command", "fill"):
        interrupted(monkeypatch, step)
    call_command("load_demo")
    assert len(passwords(folder)) == len(CAST)
    assert Team.objects.count() == len(demo_clinic.TEAMS)
    assert Staff.objects.people().filter(user__isnull=False).count() == len(CAST)
    assert Patient.objects.count() == len(list(BUNDLES.glob("*.json")))
    assert "Ada Alvarez" in reach("nora")
    assert "Ben Brandt" in reach("sam")


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}"])
def test_a_lost_or_broken_password_file_is_made_anew(
    folder: Path, content: str | None
) -> None:
    demo_loading.make_staff()
    file = folder / "demo.passwords.json"
    demo_loading.give_passwords(file)
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    demo_loading.give_passwords(file)
    nora = User.objects.get(username="nora")
    assert nora.check_password(passwords(folder)["nora"])
