"""FHIR CareTeam: one of each patient, replaced as a whole (facts 2)."""

from datetime import date

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_patient, make_staff
from canvas_admin.tests.programs import Program, ids, queries, said
from patients.models import CareTeamMembership
from staffing.models import CareTeamRole, StaffRole

LEAD = "http://schemas.canvasmedical.com/fhir/extensions/careteam-lead"
SNOMED = "http://snomed.info/sct"


@pytest.fixture
def roles(db):
    """Two care team roles by short names."""
    found = {}
    for name, code in (("pcp", "453231000124104"), ("coach", "768820003")):
        found[name], _made = CareTeamRole.objects.get_or_create(
            code=code, defaults={"system": SNOMED, "display": name}
        )
    return found


@pytest.fixture
def program(cast):
    """A program with Profile write that reaches North."""
    staff = make_staff("bot", "Profile read", "Profile write", "Patients: North")
    return Program(staff)


def part(staff, role, lead=None):
    """A participant as a client writes it."""
    coding = {"system": role.system, "code": role.code, "display": role.display}
    found = {
        "member": {"reference": f"Practitioner/{staff.key}"},
        "role": [{"coding": [coding]}],
    }
    if lead is not None:
        found["extension"] = [{"url": LEAD, "valueBoolean": lead}]
    return found


def team(patient, *parts):
    """A care team as a client writes it."""
    subject = {"reference": f"Patient/{patient.key}"}
    return {"resourceType": "CareTeam", "subject": subject, "participant": list(parts)}


def active(patient):
    """Who takes part in which role, and who leads."""
    rows = patient.care_team.filter(status="active").order_by("pk")
    return {(row.staff, row.role): row.lead for row in rows.select_related()}


def test_every_patient_has_a_care_team(cast, program):
    found = program.read(f"CareTeam/{cast.ada.key}")
    assert found == {
        "resourceType": "CareTeam",
        "id": cast.ada.key,
        "status": "active",
        "name": "Care Team for Ada Alvarez",
        "subject": {
            "reference": f"Patient/{cast.ada.key}",
            "type": "Patient",
            "display": "Ada Alvarez",
        },
    }
    assert program.search("CareTeam", patient=cast.ada.key) == [found]
    assert program.search("CareTeam") == []
    missing = "0" * 32
    for key in (cast.ben.key, missing):
        text = f"Unknown CareTeam resource '{key}'"
        assert said(program.get(f"CareTeam/{key}")) == (404, "not-found", text)
        assert program.search("CareTeam", patient=f"Patient/{key}") == []


def test_named_patients_are_looked_up_at_once(cast):
    program = Program(make_staff("all", "Profile read", "All Patients"))
    there = [make_patient(f"N{n}", "X", date(1980, 1, 2)).key for n in range(9)]

    def search(number):
        named = ",".join(there[:number])
        found = ids(program.search("CareTeam", patient=named, _count="20"))
        assert found == there[:number]

    search(1)
    assert queries(search, 9) == queries(search, 1)


def test_a_care_team_is_replaced_by_what_is_sent(cast, program, roles):
    path = f"CareTeam/{cast.ada.key}"
    sent = team(
        cast.ada, part(cast.nora, roles["pcp"], True), part(cast.sam, roles["coach"])
    )
    answer = program.update(path, sent)
    assert (answer.status_code, answer.content) == (200, b"")
    assert active(cast.ada) == {
        (cast.nora, roles["pcp"]): True,
        (cast.sam, roles["coach"]): False,
    }
    found = program.read(path)
    assert found["participant"][0] == {
        "extension": [{"url": LEAD, "valueBoolean": True}],
        "role": [
            {
                "coding": [
                    {
                        "system": roles["pcp"].system,
                        "code": roles["pcp"].code,
                        "display": roles["pcp"].display,
                    }
                ]
            }
        ],
        "member": {
            "reference": f"Practitioner/{cast.nora.key}",
            "type": "Practitioner",
            "display": "Nora Example",
        },
    }
    rows = CareTeamMembership.objects.count()
    assert program.update(path, found).status_code == 200
    assert CareTeamMembership.objects.count() == rows
    # They change places, and the lead, of whom nothing is said, stays the lead.
    swapped = team(
        cast.ada, part(cast.sam, roles["pcp"]), part(cast.nora, roles["coach"])
    )
    assert program.update(path, swapped).status_code == 200
    assert active(cast.ada) == {
        (cast.sam, roles["pcp"]): False,
        (cast.nora, roles["coach"]): True,
    }
    assert program.update(path, team(cast.ada)).status_code == 200
    assert active(cast.ada) == {}
    gone = program.read(f"{path}.inactive")
    assert gone["status"] == "inactive"
    assert len(gone["participant"]) == 4
    assert ids(program.search("CareTeam")) == [f"{cast.ada.key}.inactive"]
    row = AuditRow.objects.filter(
        action="careteam.replace", patient=cast.ada.key
    ).first()
    assert row.actor_name == "bot"


def test_searches_by_participant_patient_and_status(cast, roles):
    full = Program(
        give(make_staff("all", "Profile read", "Profile write"), "All Patients")
    )
    full.update(
        f"CareTeam/{cast.ada.key}", team(cast.ada, part(cast.nora, roles["pcp"]))
    )
    full.update(
        f"CareTeam/{cast.ben.key}", team(cast.ben, part(cast.sam, roles["pcp"]))
    )
    full.update(
        f"CareTeam/{cast.ben.key}", team(cast.ben, part(cast.nora, roles["pcp"]))
    )
    ada, ben = cast.ada.key, cast.ben.key
    nora = f"Practitioner/{cast.nora.key}"
    for query, wanted in [
        ({}, [ada, ben, f"{ben}.inactive"]),
        ({"participant": nora}, [ada, ben]),
        ({"participant": nora, "status": "inactive"}, []),
        ({"status": "inactive"}, [f"{ben}.inactive"]),
        ({"patient": f"Patient/{ben}"}, [ben, f"{ben}.inactive"]),
        ({"patient": ben, "status": "active"}, [ben]),
    ]:
        assert sorted(ids(full.search("CareTeam", **query))) == sorted(wanted), query
    assert len(full.search("CareTeam", _count="2", _offset="1")) == 2
    panel = {"_has:CareTeam:participant:member": nora}
    assert sorted(ids(full.search("Patient", **panel))) == sorted([ada, ben])


def test_nobody_out_of_reach_is_found(cast, program, roles):
    role = roles["pcp"]
    for patient in (cast.ada, cast.ben):
        CareTeamMembership.objects.create(patient=patient, staff=cast.nora, role=role)
    for query in ({}, {"participant": cast.nora.key}, {"status": "active"}):
        found = program.bundle("CareTeam", **query)
        assert ids(e["resource"] for e in found["entry"]) == [cast.ada.key], query
        assert found["total"] == 1, query


def test_what_cannot_be_changes_nothing(cast, program, roles):
    path = f"CareTeam/{cast.ada.key}"
    program.update(path, team(cast.ada, part(cast.nora, roles["pcp"], True)))
    before = active(cast.ada)
    unknown = CareTeamRole(system=SNOMED, code="none", display="None")
    resting = CareTeamRole.objects.create(
        system=SNOMED, code="old", display="Old", active=False
    )
    two_leads = [
        part(cast.nora, roles["pcp"], True),
        part(cast.sam, roles["coach"], True),
    ]
    half = part(cast.sam, roles["pcp"])
    half["role"][0]["coding"][0].pop("display")
    nobody = part(cast.sam, roles["pcp"])
    nobody["member"]["reference"] = f"Practitioner/{'0' * 32}"
    house = part(cast.sam, roles["pcp"])
    house["member"]["reference"] = "Organization/1"
    for status, data in [
        (422, team(cast.ada, *two_leads)),
        (
            422,
            team(
                cast.ada, part(cast.sam, roles["pcp"]), part(cast.sam, roles["coach"])
            ),
        ),
        (
            422,
            team(cast.ada, part(cast.sam, roles["pcp"]), part(cast.nora, roles["pcp"])),
        ),
        (422, team(cast.ada, part(cast.sam, unknown))),
        (422, team(cast.ada, part(cast.sam, resting))),
        (422, team(cast.ada, part(cast.ines, roles["coach"]))),
        (422, team(cast.ada, part(cast.ruth, roles["coach"]))),
        (422, team(cast.ada, nobody)),
        (422, team(cast.ada, house)),
        (400, team(cast.ada, half)),
        (400, team(cast.ben, part(cast.sam, roles["pcp"]))),
        (400, {"resourceType": "CareTeam"}),
        (400, team(cast.ada) | {"id": cast.ben.key}),
    ]:
        assert said(program.update(path, data))[0] == status, data
        assert active(cast.ada) == before, data
    assert said(program.update(f"{path}.inactive", team(cast.ada)))[0] == 422
    assert said(program.send("POST", "CareTeam", team(cast.ada)))[0] == 405


def test_reading_is_not_writing(cast, roles):
    reader = Program(make_staff("bot", "Profile read", "Patients: North"))
    answer = reader.update(f"CareTeam/{cast.ada.key}", team(cast.ada))
    assert said(answer) == (403, "forbidden", "Authorization failed")
    writer = Program(make_staff("pen", "Profile write", "Patients: North"))
    assert said(writer.get(f"CareTeam/{cast.ada.key}"))[0] == 403
    outside = Program(make_staff("out", "Profile read", "Profile write"))
    answer = outside.update(f"CareTeam/{cast.ada.key}", team(cast.ada))
    assert said(answer)[0] == 404
    assert StaffRole.objects.filter(staff=cast.nora).exists()
