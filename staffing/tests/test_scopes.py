"""The grammar of scopes, and what they let through (facts 5.7)."""

import pytest

from staffing.scopes import INTERACTIONS, Scopes, every_scope

LETTERS = {"c": "create", "r": "read", "u": "update", "d": "delete", "s": "search"}

TABLE = """
user/Patient.read       Patient   rs
user/Patient.write      Patient   cud
user/Patient.*          Patient   cruds
user/Patient.crus       Patient   crus
system/Patient.rs       Patient   rs
system/Patient.s        Patient   s
system/*.rs             Patient   rs
system/*.cruds          AuditEvent cruds
user/CareTeam.rus       CareTeam  rus
user/Task.read          Patient   -
user/Patient.d          Group     -
"""


@pytest.mark.parametrize("line", TABLE.strip().splitlines())
def test_a_scope_lets_through(line):
    scope, kind, letters = line.split()
    scopes = Scopes.read(scope)
    allowed = {x for x, name in LETTERS.items() if scopes.allow(kind, name)}
    assert allowed == set(letters) - {"-"}


@pytest.mark.parametrize(
    "text",
    [
        "patient/Patient.read",
        "patient/*.rs",
        "launch",
        "openid",
        "user/Patient",
        "user/Patient.",
        "user/Patient.sr",
        "user/Patient.rr",
        "user/patient.read",
        "user/Starship.read",
        "user/Patient.rs?x=1",
        "system/Patient.read,write",
        "user/*",
        "x" * 5_000,
    ],
)
def test_this_is_no_scope(text):
    with pytest.raises(ValueError, match=r"^"):
        Scopes.read(f"user/Task.read {text}")
    assert text not in every_scope()


def test_no_scope_narrows_nothing():
    assert all(Scopes.read("").allow("Patient", name) for name in INTERACTIONS)


def test_several_scopes_add_up():
    both = Scopes.read("user/Patient.r system/Patient.s user/Task.c")
    assert both.by_type() == [("Patient", "rs"), ("Task", "c")]


def test_what_covers_what():
    cases = [
        ("user/*.read", "system/Patient.rs", True),
        ("user/Patient.read", "user/*.read", False),
        ("user/Patient.read", "user/Patient.*", False),
        ("", "user/*.*", True),
        ("user/Patient.read", "", True),
    ]
    for most, asked, covered in cases:
        assert Scopes.read(most).cover(Scopes.read(asked)) is covered, (most, asked)


def test_everything_on_offer_can_be_read():
    assert len(every_scope()) == len(set(every_scope())) > 800
    assert all(Scopes.read(scope).pairs for scope in every_scope())
