"""A locked member stays (facts 6.6), and keeps nobody else in."""

import pytest

from canvas_admin.testing import make_staff
from canvas_admin.tests.programs import Program
from patients.models import PatientGroup
from patients.tests.test_fhir_group import patients_of


@pytest.mark.parametrize("locked", ["ada", "ben"])
def test_only_the_locked_member_is_kept(cast, locked):
    group = PatientGroup.objects.create(name="Diabetes")
    for patient in (cast.ada, cast.ben):
        group.add(patient)
    row = group.memberships.get(member=getattr(cast, locked))
    row.locked = True
    row.save()
    program = Program(
        make_staff("bot", "Staff Permissions", "Profile read", "All Patients")
    )
    path = f"Group/{group.externally_exposable_id}"
    sent = patients_of("Diabetes", (cast.ada, True))
    answer = program.send("PUT", path, sent)
    stays = locked == "ada"
    assert answer.status_code == (422 if stays else 200)
    assert group.memberships.in_force(member=cast.ada).exists() == stays
    assert group.memberships.in_force(member=cast.ben).exists()
