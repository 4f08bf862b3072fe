"""Imported practitioners become directory staff: named, never signed in."""

from typing import Any

import pytest

from canvas_admin.fhir.bundles import Rejected
from canvas_admin.testing import make_staff
from staffing.fhir import practitioner
from staffing.models import Staff

pytestmark = pytest.mark.django_db

DOC = {
    "resourceType": "Practitioner",
    "identifier": [{"system": practitioner.NPI, "value": "1000000001"}],
    "name": [{"use": "official", "family": "Ek", "given": ["Pat"], "prefix": ["Dr."]}],
    "telecom": [{"system": "phone", "value": "555-0001"}],
}
BADGE = {"system": "https://badges.example.org", "value": "7"}


def enter(**changes: Any) -> str:
    """Import that practitioner, with changes, and say what became of them."""
    rows = practitioner.from_fhir(DOC | changes, "urn:uuid:doc")
    _person, outcome = practitioner.enter(rows, practitioner.find(rows.named))
    return outcome


def test_a_practitioner_becomes_staff_without_an_account() -> None:
    assert enter() == "created"
    person = Staff.objects.get()
    assert (person.prefix, person.name, person.npi) == ("Dr.", "Pat Ek", "1000000001")
    assert person.user is None
    assert person.active
    assert person.contact_points.get().value == "555-0001"


def test_the_same_again_changes_nothing() -> None:
    enter()
    before = list(Staff.objects.values())
    assert enter() == "unchanged"
    assert list(Staff.objects.values()) == before


@pytest.mark.parametrize(
    "identifiers",
    [
        [{"system": practitioner.NPI, "value": "1000000001"}],
        [{"system": practitioner.NPI, "value": practitioner.SHARED_NPI}, BADGE],
        [BADGE],
        [],
    ],
    ids=["NPI", "the NPI that many share", "another identifier", "none"],
)
def test_somebody_is_recognised_and_follows_the_source(identifiers: list) -> None:
    enter(identifier=identifiers)
    changed = [{"family": "Berg", "given": ["Pat"]}]
    assert enter(identifier=identifiers, name=changed) == "updated"
    assert Staff.objects.get().last_name == "Berg"


def test_the_npi_that_many_share_names_nobody() -> None:
    shared = {"system": practitioner.NPI, "value": practitioner.SHARED_NPI}
    enter(identifier=[shared, BADGE])
    enter(identifier=[shared, {**BADGE, "value": "8"}])
    assert Staff.objects.count() == 2


def test_somebody_with_an_account_is_left_as_they_are() -> None:
    make_staff("pat", npi="1000000001")
    assert enter() == "unchanged"
    assert Staff.objects.get().first_name == "Pat"
    assert Staff.objects.get().last_name == "Example"


def test_an_inactive_directory_person_is_left_as_they_are() -> None:
    enter(active=False)
    assert not Staff.objects.get().active
    assert enter(active=True, name=[{"family": "Berg"}]) == "unchanged"
    assert not Staff.objects.get().active
    assert Staff.objects.get().last_name == "Ek"


def test_identifiers_of_two_people_are_refused() -> None:
    enter()
    enter(identifier=[BADGE])
    with pytest.raises(Rejected, match="different staff members"):
        enter(identifier=[*DOC["identifier"], BADGE])


def test_an_npi_that_two_people_have_is_refused() -> None:
    for name in ("pat", "kim"):
        make_staff(name, npi="1000000001")
    with pytest.raises(Rejected, match="two staff members"):
        enter()
