"""DESIGN section 5's table of the API, permission by permission, as each type asks for it.

Over HTTP the auth groups are tried (matrix/test_fhir_matrix.py); a group holds several
permissions, so that one too few would not be missed there.
"""

import pytest

from canvas_admin.fhir.resources import RESOURCES

GROUPS = {
    "staffing.add_team",
    "staffing.change_team",
    "patients.change_patientgroup",
    "patients.add_patientgroupmember",
    "patients.change_patientgroupmember",
}
WRITES = {
    ("Group", "create"): GROUPS,
    ("Group", "update"): GROUPS,
    ("Practitioner", "create"): {"staffing.add_staff"},
    ("Practitioner", "update"): {"staffing.change_staff"},
}


@pytest.mark.parametrize(("kind", "interaction"), WRITES)
def test_what_is_administered_asks_for_each_permission(kind, interaction):
    assert set(RESOURCES[kind].permissions[interaction]) == WRITES[kind, interaction]
