"""FHIR Group: teams, and patient groups with the members within reach (facts 1)."""

from canvas_admin.testing import give, make_group, make_staff
from canvas_admin.tests.programs import Program, ids, said
from staffing.models import Team, TeamMember, TeamResponsibility


def test_a_team_is_read_by_any_program(cast):
    team = Team.objects.create(name="Payment Collection")
    for staff in (cast.nora, cast.sam):
        TeamMember.objects.create(team=team, staff=staff)
    code = TeamResponsibility.Code.PAYMENTS
    TeamResponsibility.objects.create(team=team, code=code)
    program = Program(make_staff("bot"))
    assert program.read(f"Group/{team.externally_exposable_id}") == {
        "resourceType": "Group",
        "id": str(team.externally_exposable_id),
        "type": "practitioner",
        "actual": True,
        "name": "Payment Collection",
        "quantity": 2,
        "characteristic": [
            {
                "code": {"text": "responsibility"},
                "valueCodeableConcept": {"text": "COLLECT_PATIENT_PAYMENTS"},
                "exclude": False,
            }
        ],
        "member": [
            {
                "entity": {
                    "reference": f"Practitioner/{staff.key}",
                    "type": "Practitioner",
                    "display": staff.name,
                }
            }
            for staff in (cast.nora, cast.sam)
        ],
    }


def test_a_patient_group_shows_who_is_within_reach(cast):
    both = make_group("Both", [cast.ada, cast.ben])
    path = f"Group/{both.externally_exposable_id}"
    holder = Program(make_staff("bot", "Profile read", "Patients: Both"))
    found = holder.read(path)
    assert (found["type"], found["name"], found["quantity"]) == ("person", "Both", 2)
    wanted = sorted([(cast.ada.key, "Ada Alvarez"), (cast.ben.key, "Ben Brandt")])
    entities = [member["entity"] for member in found["member"]]
    assert [(e["reference"][8:], e["display"]) for e in entities] == wanted
    office = make_staff(
        "office", "Staff Permissions", "Profile read", "Patients: North"
    )
    found = Program(office).read(path)
    assert found["quantity"] == 1
    assert [m["entity"]["display"] for m in found["member"]] == ["Ada Alvarez"]
    blind = Program(make_staff("blind", "Staff Permissions")).read(path)
    assert "member" not in blind
    assert "quantity" not in blind
    outside = Program(make_staff("out", "Profile read", "Patients: North"))
    for group in (str(both.externally_exposable_id), "0" * 36, "x"):
        text = f"Unknown Group resource '{group}'"
        assert said(outside.get(f"Group/{group}")) == (404, "not-found", text)
    both.retire()
    assert said(Program(office).get(path))[0] == 404


def test_groups_are_found_by_type_and_id(cast):
    team = Team.objects.create(name="Referrals")
    north = str(cast.north.externally_exposable_id)
    team_id = str(team.externally_exposable_id)
    program = Program(make_staff("bot", "Profile read", "Patients: North"))
    for query, wanted in [
        ({}, [team_id, north]),
        ({"type": "practitioner"}, [team_id]),
        ({"type": "person"}, [north]),
        ({"type:not": "person"}, [team_id]),
        ({"type": "animal"}, []),
        ({"_id": north}, [north]),
        ({"_id": f"Group/{team_id}", "type": "person"}, []),
        ({"_count": "1", "_offset": "1"}, [north]),
    ]:
        assert ids(program.search("Group", **query)) == wanted, query
    (entry,) = program.search("Group", type="person")
    assert "member" not in entry or len(entry["member"]) == 1
    assert "quantity" not in entry or entry["quantity"] == 1


def test_patients_are_found_by_their_group(cast):
    north = {"_has:Group:member:_id": str(cast.north.externally_exposable_id)}
    south = {"_has:Group:member:_id": str(cast.south.externally_exposable_id)}
    program = Program(make_staff("bot", "Profile read", "Patients: North"))
    assert ids(program.search("Patient", **north)) == [cast.ada.key]
    assert program.search("Patient", **south) == []
    full = give(make_staff("full", "Profile read", "Staff Permissions"), "All Patients")
    assert ids(Program(full).search("Patient", **south)) == [cast.ben.key]
    put_out = make_group("Out", [cast.cyn])
    put_out.remove(cast.cyn)
    out = {"_has:Group:member:_id": str(put_out.externally_exposable_id)}
    assert Program(full).search("Patient", **out) == []
