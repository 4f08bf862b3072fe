"""Which choices of groups are warned about, as a table."""

from types import SimpleNamespace

import pytest

from staffing.combinations import COMBINATIONS, codes_of, warnings
from staffing.permissions import grantable

NORTH = "Patients: North"
TABLE = [
    # groups, the codes of the warnings
    ((), set()),
    (("Profile read", NORTH), set()),
    (("Profile write", NORTH), {"profile-write-only"}),
    (("Profile write", "Profile read", NORTH), set()),
    (("Profile write", "Patient create", NORTH), set()),
    (("Profile write", "Clinical read", NORTH), {"clinical-without-profile"}),
    (("Clinical write", "Profile read", NORTH), {"clinical-write-only"}),
    (("Clinical write", "Clinical read", "Profile read", NORTH), set()),
    (("Clinical read", NORTH), {"clinical-without-profile"}),
    (("Document write", NORTH), {"document-write-only"}),
    (("Document write", "Document read", NORTH), set()),
    (("Data integration access", NORTH), {"cannot-link-files"}),
    (
        ("Data integration access", "Clinical write", NORTH),
        {"clinical-write-only"},
    ),
    (("All Patients",), {"everyone-for-nothing"}),
    (("All Patients", "Staff Permissions"), {"everyone-for-nothing"}),
    (("All Patients", "Tasking access"), set()),
    ((NORTH,), {"patients-for-nothing"}),
    (
        (NORTH, "All Patients"),
        {"patients-for-nothing", "everyone-for-nothing"},
    ),
    (("Profile read",), {"nobody-to-see"}),
    (("Schedule write", "Staff Permissions"), {"nobody-to-see"}),
    (("Staff Permissions", "Settings", "Audit read"), set()),
]


def applying(*names: str) -> set[str]:
    held = codes_of(grantable().filter(name__in=names))
    return {entry.code for entry in COMBINATIONS if entry.applies(held)}


@pytest.mark.parametrize(("names", "codes"), TABLE)
def test_each_choice_is_warned_about_as_the_table_says(
    cast: SimpleNamespace, names: tuple[str, ...], codes: set[str]
) -> None:
    assert applying(*names) == codes
    assert len(warnings(grantable().filter(name__in=names))) == len(codes)


def test_every_warning_is_in_the_table() -> None:
    said = {code for _names, codes in TABLE for code in codes}
    assert said == {entry.code for entry in COMBINATIONS}


def test_a_patient_group_that_is_switched_off_reaches_nobody(
    cast: SimpleNamespace,
) -> None:
    cast.north.use_for_permissions = False
    cast.north.save()
    assert applying("Profile read", NORTH) == {"nobody-to-see"}
    assert applying(NORTH) == set()
