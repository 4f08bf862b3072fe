"""FHIR Group: teams, and patient groups with the members within reach (facts 1)."""

from datetime import date

import pytest
from django.db import connection

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import (
    give,
    make_application,
    make_group,
    make_patient,
    make_staff,
)
from canvas_admin.tests import proof
from canvas_admin.tests.programs import Program, ids, queries, said
from patients import gate
from patients.models import PatientGroup, PatientGroupExclusion
from staffing.models import Team, TeamMember, TeamResponsibility


def test_a_team_is_read_by_any_program(cast):
    team = Team.objects.create(name="Payment Collection")
    for staff in (cast.nora, cast.sam):
        TeamMember.objects.create(team=team, staff=staff)
    code = TeamResponsibility.Code.PAYMENTS
    TeamResponsibility.objects.create(team=team, code=code)
    program = Program(service("bot"))
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
    holder = Program(service("bot", "Profile read", "Patients: Both"))
    found = holder.read(path)
    assert (found["type"], found["name"], found["quantity"]) == ("person", "Both", 2)
    wanted = sorted([(cast.ada.key, "Ada Alvarez"), (cast.ben.key, "Ben Brandt")])
    entities = [member["entity"] for member in found["member"]]
    assert [(e["reference"][8:], e["display"]) for e in entities] == wanted
    office = service("office", "Staff Permissions", "Profile read", "Patients: North")
    found = Program(office).read(path)
    assert found["quantity"] == 1
    assert [m["entity"]["display"] for m in found["member"]] == ["Ada Alvarez"]
    blind = Program(service("blind", "Staff Permissions")).read(path)
    assert "member" not in blind
    assert "quantity" not in blind
    outside = Program(service("out", "Profile read", "Patients: North"))
    for group in (str(both.externally_exposable_id), "0" * 36, "x"):
        text = f"Unknown Group resource '{group}'"
        assert said(outside.get(f"Group/{group}")) == (404, "not-found", text)
    both.retire()
    assert said(Program(office).get(path))[0] == 404


def test_groups_are_found_by_type_and_id(cast):
    team = Team.objects.create(name="Referrals")
    north = str(cast.north.externally_exposable_id)
    team_id = str(team.externally_exposable_id)
    program = Program(service("bot", "Profile read", "Patients: North"))
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
    assert not {"member", "quantity"} & entry.keys()
    assert entry["meta"]["tag"][0]["code"] == "SUBSETTED"
    row = AuditRow.objects.filter(action="fhir:Group.search").latest("pk")
    assert row.patient == ""


def test_patients_are_found_by_their_group(cast):
    north = {"_has:Group:member:_id": str(cast.north.externally_exposable_id)}
    south = {"_has:Group:member:_id": str(cast.south.externally_exposable_id)}
    program = Program(service("bot", "Profile read", "Patients: North"))
    assert ids(program.search("Patient", **north)) == [cast.ada.key]
    assert program.search("Patient", **south) == []
    full = give(service("full", "Profile read", "Staff Permissions"), "All Patients")
    assert ids(Program(full).search("Patient", **south)) == [cast.ben.key]
    put_out = make_group("Out", [cast.cyn])
    put_out.remove(cast.cyn)
    out = {"_has:Group:member:_id": str(put_out.externally_exposable_id)}
    assert Program(full).search("Patient", **out) == []


def team_of(name, *members, codes=()):
    """A team as a client writes it."""
    return {
        "resourceType": "Group",
        "type": "practitioner",
        "actual": True,
        "name": name,
        "characteristic": [
            {
                "code": {"text": "responsibility"},
                "valueCodeableConcept": {"text": code},
                "exclude": False,
            }
            for code in codes
        ],
        "member": [
            {"entity": {"reference": f"Practitioner/{staff.key}"}} for staff in members
        ],
    }


def patients_of(name, *members):
    """A patient group as a client writes it; a pair with True is to be taken out."""
    return {
        "resourceType": "Group",
        "type": "person",
        "actual": True,
        "name": name,
        "member": [
            {"entity": {"reference": f"Patient/{patient.key}"}, "inactive": out}
            for patient, out in members
        ],
    }


def test_a_team_is_made_and_replaced(cast):
    program = Program(service("bot", "Staff Permissions"))
    key = program.create(
        "Group", team_of("A", cast.nora, codes=["COLLECT_PATIENT_PAYMENTS"])
    )
    path = f"Group/{key}"
    found = program.read(path)
    assert found["quantity"] == 1
    answer = program.update(path, found | {"name": "B", "member": found["member"] * 2})
    assert (answer.status_code, answer.content) == (200, b"")
    program.update(path, team_of("B", cast.sam))
    after = program.read(path)
    assert (after["name"], "characteristic" in after) == ("B", False)
    assert [m["entity"]["display"] for m in after["member"]] == ["Sam Example"]
    silent = {
        k: v for k, v in team_of("C").items() if k not in ("member", "characteristic")
    }
    program.update(path, silent)
    assert len(program.read(path)["member"]) == 1


def test_a_responsibility_has_one_team(cast):
    program = Program(service("bot", "Staff Permissions"))
    codes = ["REVIEW_COVERAGES"]
    program.create("Group", team_of("First", codes=codes))
    answer = program.send("POST", "Group", team_of("Second", codes=codes))
    text = "Responsibilities are already assigned to another team: REVIEW_COVERAGES (First)"
    assert said(answer) == (422, "business-rule", text)
    assert said(program.send("POST", "Group", team_of("X", codes=["DANCE"])))[0] == 422
    assert said(program.send("POST", "Group", team_of("X", cast.ines)))[0] == 422
    assert list(Team.objects.values_list("name", flat=True)) == ["First"]


def test_a_patient_group_grows_by_what_is_sent_and_keeps_the_rest(cast):
    staff = service("bot", "Staff Permissions", "Profile read", "Patients: North")
    program = Program(staff)
    key = program.create("Group", patients_of("Diabetes", (cast.ada, False)))
    path = f"Group/{key}"
    group = PatientGroup.objects.get(externally_exposable_id=key)
    assert not group.use_for_permissions
    group.add(cast.ben)
    found = program.read(path)
    assert [m["entity"]["display"] for m in found["member"]] == ["Ada Alvarez"]
    assert program.update(path, found).status_code == 200
    assert inside(group) == {cast.ada, cast.ben}
    for patient in (cast.ben, cast.cyn):
        answer = program.update(path, patients_of("Diabetes", (patient, False)))
        text = f"Unknown Patient resource '{patient.key}'"
        assert said(answer) == (422, "business-rule", text)
        assert said(program.update(path, patients_of("D", (patient, True))))[0] == 422
    assert (
        program.update(path, patients_of("Sugar", (cast.ada, True))).status_code == 200
    )
    assert inside(group) == {cast.ben}
    group.refresh_from_db()
    assert group.name == "Sugar"


def test_a_written_group_tells_what_opened_each_patient(cast):
    program = Program(
        service("bot", "Staff Permissions", "Profile read", "Patients: North")
    )
    key = program.create("Group", patients_of("Diabetes", (cast.ada, False)))
    sent = patients_of("Diabetes", (cast.ada, True))
    assert program.update(f"Group/{key}", sent).status_code == 200
    written = AuditRow.objects.filter(subject=f"Group/{key}").order_by("pk")
    for action in ("group.create", "group.change"):
        (row,) = written.filter(action=action).exclude(patient="")
        assert (row.patient, row.access_path) == (cast.ada.key, "patient-group")


def test_a_patient_who_left_while_a_group_is_written_is_not_added(cast, monkeypatch):
    staff = service("bot", "Staff Permissions", "Profile read", "Patients: North")
    program = Program(staff)
    found = gate.find_patients

    def then_leaves(request, keys):
        patients = found(request, keys)
        cast.north.remove(cast.ada)
        return patients

    monkeypatch.setattr(gate, "find_patients", then_leaves)
    answer = program.send("POST", "Group", patients_of("Diabetes", (cast.ada, False)))
    text = f"Unknown Patient resource '{cast.ada.key}'"
    assert said(answer) == (422, "business-rule", text)
    assert not PatientGroup.objects.filter(name="Diabetes").exists()


@pytest.mark.parametrize("kind", ["Patient", "Practitioner"])
def test_members_are_looked_up_at_once(cast, kind):
    """Refused for the last, that only the looking up is counted."""
    program = Program(
        service("bot", "Staff Permissions", "Profile read", "All Patients")
    )
    if kind == "Patient":
        there = [make_patient(f"N{n}", "X", date(1980, 1, 2)) for n in range(9)]
    else:
        there = [make_staff(f"n{n}") for n in range(9)]

    def send(number):
        named = [f"{kind}/{each.key}" for each in there[:number]]
        named.append(f"{kind}/{'0' * 32}")
        members = [{"entity": {"reference": each}} for each in named]
        group = patients_of("Many") if kind == "Patient" else team_of("Many")
        answer = program.send("POST", "Group", group | {"member": members})
        text = f"Unknown {kind} resource '{'0' * 32}'"
        assert said(answer) == (422, "business-rule", text)

    send(1)
    assert queries(send, 9) == queries(send, 1)


def test_a_locked_or_excluded_patient_stays_where_they_are(cast):
    program = Program(
        service("bot", "Staff Permissions", "Profile read", "All Patients")
    )
    group = make_group("Study", [cast.ada])
    group.memberships.update(locked=True)
    path = f"Group/{group.externally_exposable_id}"
    assert said(program.update(path, patients_of("Study", (cast.ada, True))))[0] == 422
    PatientGroupExclusion.objects.create(
        patient_group=group, patient=cast.ben, reason="Asked not to"
    )
    answer = program.update(
        path, patients_of("Study", (cast.cyn, False), (cast.ben, False))
    )
    assert said(answer)[0] == 422
    assert inside(group) == {cast.ada}


@pytest.mark.proof
@pytest.mark.parametrize("size", [proof.count(60, 5_000)])
def test_who_reaches_ten_of_a_group_takes_none_away(cast, size):
    """It is read, sent back, and the group is as large as it was."""
    took = proof.watch()
    people = [
        make_patient(f"Number{n}", "Example", date(1980, 1, 2)) for n in range(size)
    ]
    group = make_group("Large", people)
    make_group("Ten", people[:10])
    staff = service("bot", "Staff Permissions", "Profile read", "Patients: Ten")
    program, path = Program(staff), f"Group/{group.externally_exposable_id}"
    found = program.read(path)
    assert (found["quantity"], len(found["member"])) == (10, 10)
    assert program.update(path, found).status_code == 200
    assert group.memberships.in_force().count() == size
    empty = {k: v for k, v in found.items() if k != "member"}
    assert program.update(path, empty).status_code == 200
    assert group.memberships.in_force().count() == size
    proof.record("large_group", connection.vendor, proof.SEED, size, 0, took())


def test_of_a_large_group_a_thousand_are_listed(cast, monkeypatch):
    monkeypatch.setattr("patients.api.group.LISTED", 2)
    monkeypatch.setattr("patients.api.group.COUNTED", 2)
    group = make_group("Large", [cast.ada, cast.ben, cast.cyn])
    program = Program(service("bot", "Profile read", "Patients: Large"))
    found = program.read(f"Group/{group.externally_exposable_id}")
    keys = sorted(patient.key for patient in (cast.ada, cast.ben, cast.cyn))
    listed = [m["entity"]["reference"] for m in found["member"]]
    assert listed == [f"Patient/{key}" for key in keys[:2]]
    assert "quantity" not in found
    assert found["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert found["extension"][0]["valueInteger"] == 2
    others = {"_has:Group:member:_id": found["id"]}
    assert sorted(ids(program.search("Patient", **others))) == keys


def test_only_staff_permissions_write_groups(cast):
    program = Program(give(service("bot", "Profile write"), "All Patients"))
    for data in (team_of("A"), patients_of("B")):
        assert said(program.send("POST", "Group", data))[:2] == (403, "forbidden")
    office = Program(service("office", "Staff Permissions"))
    north = f"Group/{cast.north.externally_exposable_id}"
    assert said(office.update(north, team_of("North")))[0] == 422
    assert said(office.send("POST", "Group", patients_of("North")))[0] == 422
    assert said(office.send("POST", "Group", patients_of("All patients")))[0] == 422
    assert said(office.send("POST", "Group", patients_of(" ")))[0] == 400
    assert (
        said(office.send("POST", "Group", patients_of("A") | {"type": "device"}))[0]
        == 400
    )


def inside(group):
    """Who is in a group now."""
    rows = group.memberships.in_force().select_related("member")
    return {row.member for row in rows}


def service(name, *groups):
    """The service staff of a program that holds these groups."""
    return make_application(name, *groups).staff


def test_people_without_any_of_the_twelve_read_no_group(cast):
    team = Team.objects.create(name="Referrals")
    person = Program(make_staff("nobody", "Patients: North", "Audit read"))
    for path in ("Group", f"Group/{team.externally_exposable_id}", "Practitioner"):
        assert said(person.get(path))[0] == 403
    desk = Program(make_staff("desk", "Schedule write"))
    assert desk.read(f"Group/{team.externally_exposable_id}")["name"] == "Referrals"
