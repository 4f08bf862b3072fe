"""Imported care teams: among the active, one role each, one person each, one lead."""

from pathlib import Path

import pytest

from patients.models import CareTeamMembership, Patient
from patients.tests.bundles_to_import import (
    a_care_team,
    a_patient,
    a_practitioner,
    bundle_of,
    run,
    take_in,
    write,
)
from staffing.models import CareTeamRole

pytestmark = pytest.mark.django_db

PEOPLE = [a_practitioner(name, f"100000000{n}") for n, name in enumerate("abc")]


def members(status: str = "active") -> list[tuple[str, str, bool]]:
    """Who has which role, and whether as the lead, by name."""
    rows = CareTeamMembership.objects.filter(status=status).select_related("staff")
    return sorted(
        (row.staff.last_name.lower(), row.role_code, row.lead) for row in rows
    )


def team(*parts: tuple, **changes: object) -> object:
    """Import a care team of these parts and say what became of it."""
    return take_in(a_patient(), *PEOPLE, a_care_team(*parts, **changes))


def test_participants_become_members_and_unknown_roles_are_made() -> None:
    result = team(("a", "17561000", True), ("b", "new", False))
    assert members() == [("a", "17561000", True), ("b", "new", False)]
    assert result.set_aside == 0
    assert CareTeamRole.objects.get(code="17561000").display == "Cardiologist"
    assert CareTeamRole.objects.get(code="new").system == "http://snomed.info/sct"


@pytest.mark.parametrize(
    ("parts", "stays", "aside"),
    [
        pytest.param(
            [("a", "1", False), ("a", "2", False)],
            [("a", "1", False)],
            [("a", "2", False)],
            id="two roles of one person",
        ),
        pytest.param(
            [("a", "1", False), ("b", "1", False)],
            [("a", "1", False)],
            [("b", "1", False)],
            id="two people of one role",
        ),
        pytest.param(
            [("a", "1", True), ("b", "2", True)],
            [("a", "1", True)],
            [("b", "2", True)],
            id="two leads",
        ),
    ],
)
def test_the_extra_ones_become_inactive_and_are_counted(
    tmp_path: Path, parts: list[tuple], stays: list[tuple], aside: list[tuple]
) -> None:
    file = write(tmp_path / "1", bundle_of(a_patient(), *PEOPLE, a_care_team(*parts)))
    assert "Extra care team roles made inactive: 1" in run(file).out
    assert members() == stays
    assert members("inactive") == aside
    assert "Extra care team roles made inactive: 0" in run(file).out


def test_of_several_teams_the_latest_wins() -> None:
    result = take_in(
        a_patient(),
        *PEOPLE,
        a_care_team(("a", "1", False), name="old", period={"start": "2001-02-03"}),
        a_care_team(("b", "1", False), name="new", period={"start": "2011-02-03"}),
    )
    assert members() == [("b", "1", False)]
    assert result.set_aside == 1


def test_who_is_active_here_stays_active() -> None:
    team(("a", "1", False))
    take_in(a_patient(), *PEOPLE, a_care_team(("b", "1", False), name="other"))
    assert members() == [("a", "1", False)]


def test_members_can_change_places() -> None:
    team(("a", "1", True), ("b", "2", False))
    team(("a", "2", False), ("b", "1", True))
    assert members() == [("a", "2", False), ("b", "1", True)]


def test_who_left_at_the_source_becomes_inactive_and_can_return() -> None:
    team(("a", "1", False), ("b", "2", False))
    team(("a", "1", False))
    assert members() == [("a", "1", False)]
    assert members("inactive") == [("b", "2", False)]
    team(("a", "1", False), ("b", "2", False))
    assert members() == [("a", "1", False), ("b", "2", False)]
    assert CareTeamMembership.objects.count() == 2


def test_a_role_taken_here_by_hand_is_not_taken_away() -> None:
    team(("a", "1", False))
    patient = Patient.objects.get()
    a = patient.care_team.get()
    patient.care_team.create(
        staff=a.staff, role=CareTeamRole.objects.get(code="17561000"), status="proposed"
    )
    a.status = "inactive"
    a.save()
    assert team(("a", "1", False)).outcome == "unchanged"
    assert members() == []


@pytest.mark.parametrize("status", ["proposed", "suspended", "inactive"])
def test_a_team_that_is_not_active_has_no_extras(status: str) -> None:
    result = team(("a", "1", True), ("b", "1", True), status=status)
    assert result.set_aside == 0
    assert len(members(status)) == 2


def test_members_who_are_no_practitioners_are_left_out() -> None:
    participants = [
        {"member": {"reference": "urn:uuid:ann"}},
        {"member": {"reference": "Organization/1"}},
        {"member": {"reference": "urn:uuid:a"}},
    ]
    take_in(a_patient(), *PEOPLE, a_care_team(participant=participants))
    assert members() == [("a", "223366009", False)]


def test_codes_of_systems_we_do_not_list_are_our_own() -> None:
    role = {"coding": [{"system": "http://nucc.org/provider-taxonomy", "code": "2"}]}
    participant = {"member": {"reference": "urn:uuid:a"}, "role": [role]}
    take_in(a_patient(), *PEOPLE, a_care_team(participant=[participant]))
    assert CareTeamRole.objects.get(code="2").system == "INTERNAL"
