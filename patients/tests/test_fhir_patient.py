"""FHIR Patient: read, search, create, update (facts 4)."""

from datetime import date

import pytest
from django.test import Client

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_group, make_patient, make_staff
from canvas_admin.tests.programs import Program, ids, said
from patients.models import (
    Joining,
    Patient,
    PatientContactPoint,
    PatientIdentifier,
    PatientName,
)
from staffing.models import Application

BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
WRITER = ("Profile read", "Profile write", "Patient create")


@pytest.fixture
def program(cast):
    """A program that writes profiles and reaches North."""
    return Program(make_staff("bot", *WRITER, "Patients: North"))


def minimal(**elements):
    """The least that a Patient says."""
    return {
        "resourceType": "Patient",
        "extension": [{"url": BIRTH_SEX, "valueCode": "F"}],
        "name": [{"use": "official", "family": "Ruiz", "given": ["Eva", "Maria"]}],
        "gender": "female",
        "birthDate": "1984-05",
    } | elements


def full():
    """A Patient with an entry of each kind."""
    return minimal(
        identifier=[{"system": "urn:payer", "value": "P-17"}],
        telecom=[{"system": "phone", "value": "5550100", "use": "mobile", "rank": 1}],
        address=[{"line": ["1 Main St"], "city": "Springfield", "postalCode": "01101"}],
        contact=[
            {
                "name": {"text": "Tom Ruiz"},
                "relationship": [{"text": "brother"}],
                "telecom": [{"system": "phone", "value": "5550101"}],
            }
        ],
    )


def test_a_patient_is_made_whole_and_read_by_who_reaches_it(cast):
    reader = Program(give(make_staff("all", *WRITER), "All Patients"))
    key = reader.create("Patient", full())
    patient = Patient.objects.get(key=key)
    assert (patient.name, patient.birth_date) == ("Eva Maria Ruiz", date(1984, 5, 1))
    found = reader.read(f"Patient/{key}")
    (number, payer) = found["identifier"]
    assert (number["system"], number["value"]) == (
        "http://canvasmedical.com",
        patient.mrn,
    )
    assert (payer["system"], payer["value"]) == ("urn:payer", "P-17")
    assert found["birthDate"] == "1984-05"
    assert found["name"][0]["given"] == ["Eva", "Maria"]
    assert found["telecom"][0]["value"] == "5550100"
    assert found["address"][0]["city"] == "Springfield"
    assert found["contact"][0]["relationship"] == [{"text": "brother"}]
    assert found["extension"][0] == {"url": BIRTH_SEX, "valueCode": "F"}
    assert ids(reader.search("Patient", identifier="urn:payer|P-17")) == [key]
    row = AuditRow.objects.get(action="patient.create", patient=key)
    assert row.access_path == "all-patients"


def test_making_a_patient_opens_it_to_nobody(cast, program):
    key = program.create("Patient", minimal())
    assert said(program.get(f"Patient/{key}"))[0] == 404
    assert program.search("Patient", family="ruiz") == []


def test_out_of_reach_is_missing(cast, program):
    for key in (cast.ben.key, "0" * 32, "x"):
        text = f"Unknown Patient resource '{key}'"
        assert said(program.get(f"Patient/{key}")) == (404, "not-found", text)
        answer = program.update(f"Patient/{key}", minimal())
        assert said(answer) == (404, "not-found", text)
    assert ids(program.search("Patient")) == [cast.ada.key]
    assert program.bundle("Patient", _summary="count") == {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 1,
    }


def test_an_update_replaces_and_deletes_nothing(cast, program):
    path = f"Patient/{cast.ada.key}"
    assert program.update(path, full()).status_code == 200
    found = program.read(path)
    assert found["name"][0]["family"] == "Ruiz"
    assert Patient.objects.get(key=cast.ada.key).name == "Eva Maria Ruiz"
    again = program.update(path, found)
    assert again.status_code == 200
    assert program.read(path) == found
    phone = found["telecom"][0] | {"value": "5550199"}
    changed = found | {"telecom": [phone, {"system": "email", "value": "e@x.example"}]}
    changed.pop("address")
    changed["identifier"] = found["identifier"][:1]
    assert program.update(path, changed).status_code == 200
    after = program.read(path)
    assert [each["value"] for each in after["telecom"]] == ["5550199", "e@x.example"]
    assert after["telecom"][0]["id"] == phone["id"]
    assert "address" not in after
    assert len(after["identifier"]) == 1
    assert PatientIdentifier.objects.get(patient=cast.ada).entered_in_error
    ended = PatientIdentifier.objects.create(
        patient=cast.ada, system="urn:old", value="1", end=date(2020, 1, 1)
    )
    assert program.update(path, after).status_code == 200
    ended.refresh_from_db()
    assert not ended.entered_in_error


def test_what_is_optional_stays_when_it_is_left_out(cast, program):
    cast.ada.active, cast.ada.deceased = False, True
    cast.ada.save()
    assert program.update(f"Patient/{cast.ada.key}", minimal()).status_code == 200
    cast.ada.refresh_from_db()
    assert (cast.ada.active, cast.ada.deceased) == (False, True)


def test_the_record_number_comes_from_here(cast, program):
    number = {"system": "http://canvasmedical.com", "value": "123456789"}
    answer = program.send("POST", "Patient", minimal(identifier=[number]))
    assert said(answer)[:2] == (422, "business-rule")
    answer = program.update(f"Patient/{cast.ada.key}", minimal(identifier=[number]))
    assert said(answer)[:2] == (422, "business-rule")


def test_a_number_that_pages_hide_in_part_is_hidden_and_kept(cast, program):
    row = PatientIdentifier.objects.create(
        patient=cast.ada, type_code="SS", system="urn:ssn", value="999-12-3456"
    )
    path = f"Patient/{cast.ada.key}"
    found = program.read(path)
    assert "999-12" not in str(found)
    assert program.update(path, found).status_code == 200
    row.refresh_from_db()
    assert (row.value, row.entered_in_error) == ("999-12-3456", False)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"extension": None}, "birthsex"),
        ({"name": [{"family": "Ruiz", "given": ["Eva"]}]}, "official"),
        ({"name": [{"use": "official", "given": ["Eva"]}]}, "family"),
        ({"gender": None}, "gender"),
        ({"gender": "none"}, "gender"),
        ({"birthDate": None}, "birthDate"),
        ({"birthDate": "2184-05-06"}, "future"),
        ({"identifier": [{"value": "1"}]}, "system"),
        ({"telecom": [{"system": "phone"}]}, "telecom"),
        ({"contact": [{"telecom": [{"system": "phone", "value": "1"}]}]}, "contact"),
        ({"address": [{"use": "home"}]}, "address"),
        ({"name": [{"use": "official", "family": "a\x00", "given": ["b"]}]}, "NUL"),
    ],
)
def test_what_is_malformed_is_refused_whole(cast, program, change, text):
    data = {k: v for k, v in (minimal() | change).items() if v is not None}
    before = Patient.objects.count()
    status, code, why = said(program.send("POST", "Patient", data))
    assert (status, code) == (400, "invalid"), why
    assert text in why
    assert Patient.objects.count() == before


def test_the_forms_of_an_identifier(cast):
    reader = Program(give(make_staff("all", *WRITER), "All Patients"))
    ada, ben, cyn = cast.ada, cast.ben, cast.cyn
    PatientIdentifier.objects.create(patient=ada, system="urn:a", value="7")
    PatientIdentifier.objects.create(patient=ben, system="urn:b", value="7")
    PatientIdentifier.objects.create(patient=cyn, system="", value="7")
    wrong = PatientIdentifier(
        patient=cyn, system="urn:a", value="7", entered_in_error=True
    )
    wrong.save()
    for value, wanted in [
        ("7", [ada, ben, cyn]),
        ("urn:a|7", [ada]),
        ("urn:b|", [ben]),
        ("|7", [cyn]),
        (ada.mrn, [ada]),
        (f"http://canvasmedical.com|{ben.mrn}", [ben]),
        (f"urn:a|{ada.mrn}", []),
        (f"|{ada.mrn}", []),
        ("|", []),
    ]:
        found = ids(reader.search("Patient", identifier=value))
        assert sorted(found) == sorted(p.key for p in wanted), value


def test_searches_find_what_they_ask_for(cast):
    reader = Program(give(make_staff("all", *WRITER), "All Patients"))
    eva = make_patient("Eva María", "Ruiz-Ortega", date(1984, 5, 1), gender="female")
    eva.birth_date_precision = "month"
    eva.save()
    PatientName.objects.create(patient=eva, given="Eva María", family="Ruiz-Ortega")
    PatientName.objects.create(patient=eva, use="nickname", given="Evita")
    PatientName.objects.create(patient=eva, use="maiden", family="Sol")
    PatientContactPoint.objects.create(
        patient=eva, system="email", value="eva@x.example"
    )
    PatientContactPoint.objects.create(patient=eva, system="phone", value="5550100")
    for query, found in [
        ({"family": "ruiz"}, True),
        ({"family": "RUIZ ORT"}, True),
        ({"family": "ortega"}, False),
        ({"family": "sol"}, True),
        ({"family:exact": "Ruiz-Ortega"}, True),
        ({"family:exact": "Ruiz"}, False),
        ({"given": "mar"}, True),
        ({"given": "ruiz"}, False),
        ({"name": "ortega"}, True),
        ({"name": "evi"}, True),
        ({"nickname": "evi"}, True),
        ({"nickname": "eva"}, False),
        ({"email": "eva@x.example"}, True),
        ({"phone": "5550100"}, True),
        ({"gender": "female"}, True),
        ({"active": "true"}, True),
        ({"active": "false"}, False),
        ({"birthdate": "1984-05"}, True),
        ({"birthdate": "1984"}, True),
        ({"birthdate": "1984-05-01"}, False),
        ({"birthdate": "ge1984-05-20"}, True),
        ({"birthdate": "lt1984-05-01"}, False),
        ({"birthdate": "sa1984-05-01"}, False),
        ({"birthdate": "eb1984-06"}, True),
    ]:
        keys = ids(reader.search("Patient", **query, _count="100"))
        assert (eva.key in keys) is found, query
    by_birth = ids(reader.search("Patient", _sort="-birthdate"))
    assert by_birth == [cast.cyn.key, eva.key, cast.ada.key, cast.ben.key]


def test_elements_and_total_are_as_asked(cast):
    reader = Program(give(make_staff("all", *WRITER), "All Patients"))
    (one, *_others) = reader.search("Patient", _elements="gender")
    assert one.keys() == {"resourceType", "id", "meta", "gender"}
    assert reader.bundle("Patient", _count="1")["total"] == 3
    assert "total" not in reader.bundle("Patient", _count="1", _total="none")
    assert reader.bundle("Patient", _count="0")["total"] == 3


def test_the_new_patients_of_a_program_join_the_groups_of_its_page(cast):
    """DESIGN section 4: "over the API, the groups set on the application"."""
    program = Program(make_staff("bot", *WRITER, "Patients: North"))
    application = Application.objects.get(name="For tests")
    Joining.objects.create(application=application, patient_group=cast.north)
    gone = make_group("Gone")
    Joining.objects.create(application=application, patient_group=gone)
    gone.retire()
    key = program.create("Patient", minimal())
    patient = Patient.objects.get(key=key)
    groups = [row.patient_group for row in patient.group_memberships.in_force()]
    assert groups == [cast.north]
    assert program.read(f"Patient/{key}")["id"] == key
    office = Client()
    ruth = make_staff("integrator", "Integrations")
    office.force_login(ruth.user, backend="staffing.backends.StaffBackend")
    page = office.get(f"/admin/staffing/application/{application.key}/change/")
    assert page.status_code == 200
    assert ">North</option>" in page.content.decode()
    assert ">Gone</option>" not in page.content.decode()


def test_a_read_looks_once_at_whatever_belongs_to_the_patient(
    cast, django_assert_num_queries
):
    program = Program(make_staff("bot", "Profile read", "Patients: North"))
    program.read(f"Patient/{cast.ada.key}")
    # Token, permissions, key, standing, groups, rule; savepoint and trail; five lists.
    with django_assert_num_queries(14):
        program.read(f"Patient/{cast.ada.key}")
