"""manage.py import_fhir takes FHIR bundles into the clinic's records."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_group, make_patient
from patients.management.commands import import_fhir
from patients.models import Condition, Patient, PatientGroupMember, PatientIdentifier
from patients.tests.bundles_to_import import (
    SOURCE,
    a_care_team,
    a_condition,
    a_patient,
    a_practitioner,
    bundle_of,
    numbers,
    run,
    take_in,
    write,
)

pytestmark = pytest.mark.django_db

DEMO = Path(settings.BASE_DIR, "canvas_admin", "demo")
SSN = {
    "system": "http://hl7.org/fhir/sid/us-ssn",
    "type": {"coding": [{"code": "SS"}]},
    "value": "999-00-1111",
}


def everything() -> list[Any]:
    """Every row of the patients, for comparing before with after."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Patient, PatientIdentifier, Condition, PatientGroupMember)
    ] + [
        list(getattr(patient, name).order_by("pk").values())
        for patient in Patient.objects.order_by("pk")
        for name in ("names", "addresses", "contact_points", "care_team")
    ]


def test_a_folder_of_real_bundles_comes_in(capfd: pytest.CaptureFixture[str]) -> None:
    result = run(DEMO)
    assert (result.code, result.err) == (0, "")
    # The bar is for terminals.
    assert capfd.readouterr().err == ""
    bundles = len(list(DEMO.glob("*.json")))
    assert numbers(result.out, "Bundles") == [bundles, bundles, 0, 0, 0]
    assert Patient.objects.count() == bundles >= 20
    jose = Patient.objects.get(first_name="José")
    assert (jose.last_name, jose.birth_date) == ("Aguayo", date(1969, 9, 20))
    assert jose.conditions.count() == 25
    assert Patient.objects.filter(deceased=True, deceased_at__isnull=False).exists()
    assert "CarePlan" in result.out.partition("Not imported yet:")[2]


def test_a_second_run_changes_nothing_and_adds_nothing() -> None:
    run(DEMO)
    before, trail = everything(), AuditRow.objects.count()
    result = run(DEMO)
    assert numbers(result.out, "Bundles")[1:4] == [0, 0, Patient.objects.count()]
    assert everything() == before
    assert AuditRow.objects.count() == trail


def test_every_element_of_a_patient_arrives() -> None:
    birth_sex = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
    take_in(
        a_patient(
            identifier=[{"system": SOURCE, "value": "1"}, SSN],
            name=[
                {"use": "maiden", "family": "Holm", "given": ["Ann"]},
                {
                    "use": "official",
                    "family": "Arnesen",
                    "given": ["Ann", "Marie"],
                    "prefix": ["Dr."],
                },
            ],
            extension=[{"url": birth_sex, "valueCode": "F"}],
            active=False,
            deceasedDateTime="2020-05-06T07:08:09+02:00",
        )
    )
    patient = Patient.objects.get()
    assert (patient.first_name, patient.middle_name) == ("Ann", "Marie")
    assert (patient.gender, patient.sex_at_birth) == ("female", "F")
    assert not patient.active
    assert patient.deceased_at == datetime(2020, 5, 6, 5, 8, 9, tzinfo=UTC)
    assert [name.text for name in patient.names.all()] == [
        "Ann Holm",
        "Dr. Ann Marie Arnesen",
    ]
    assert patient.identifiers.get(type_code="SS").value == "999-00-1111"
    assert patient.addresses.get().text == "1 Elm Street, Lund"
    assert patient.contact_points.get().value == "555-0001"


@pytest.mark.parametrize(
    ("written", "born", "precision"),
    [
        ("1980", date(1980, 1, 1), "year"),
        ("1980-07", date(1980, 7, 1), "month"),
        ("1980-07-09", date(1980, 7, 9), "day"),
    ],
)
def test_a_date_of_birth_keeps_its_precision(
    written: str, born: date, precision: str
) -> None:
    take_in(a_patient(birthDate=written))
    patient = Patient.objects.get()
    assert (patient.birth_date, patient.birth_date_precision) == (born, precision)


@pytest.mark.parametrize(
    ("names", "family"),
    [
        ([{"use": "usual", "family": "B"}, {"use": "official", "family": "A"}], "A"),
        ([{"use": "maiden", "family": "C"}, {"use": "usual", "family": "B"}], "B"),
        ([{"use": "maiden", "family": "C"}, {"use": "old", "family": "D"}], "C"),
        ([{"text": "Ann van Arnesen"}], "Arnesen"),
    ],
)
def test_the_official_name_counts_else_the_usual_else_the_first(
    names: list[dict], family: str
) -> None:
    take_in(a_patient(name=names))
    patient = Patient.objects.get()
    assert patient.last_name == family
    assert patient.names.count() == len(names)


def test_what_is_not_said_about_a_patient_is_unknown() -> None:
    take_in(a_patient(gender=None, telecom=None, address=None))
    patient = Patient.objects.get()
    assert (patient.gender, patient.sex_at_birth) == ("unknown", "UNK")
    assert patient.active
    assert not patient.deceased


def test_a_change_at_the_source_updates_the_rows_in_place() -> None:
    take_in(a_patient(), a_condition())
    before = Patient.objects.get()
    name, phone = before.names.get(), before.contact_points.get()
    result = take_in(
        a_patient(
            name=[{"use": "official", "family": "Berg", "given": ["Ann"]}],
            telecom=[{"system": "phone", "value": "555-0009", "use": "home"}],
            deceasedBoolean=True,
        ),
        a_condition(clinicalStatus={"coding": [{"code": "resolved"}]}),
    )
    assert result.outcome == "updated"
    after = Patient.objects.get()
    assert (after.key, after.mrn) == (before.key, before.mrn)
    assert (after.last_name, after.deceased) == ("Berg", True)
    assert after.names.get() == name
    assert after.contact_points.get() == phone
    assert after.contact_points.get().value == "555-0009"
    assert after.conditions.get().clinical_status == "resolved"


def test_the_same_bundle_again_leaves_what_was_corrected_here() -> None:
    take_in(a_patient())
    patient = Patient.objects.get()
    patient.birth_date = date(1981, 2, 3)
    patient.save()
    assert take_in(a_patient()).outcome == "unchanged"
    assert Patient.objects.get().birth_date == date(1981, 2, 3)


def test_nothing_that_is_missing_at_the_source_is_removed_here() -> None:
    take_in(a_patient(), a_condition())
    take_in(a_patient(address=None, identifier=[{"system": SOURCE, "value": "1"}]))
    patient = Patient.objects.get()
    assert patient.addresses.exists()
    assert patient.conditions.exists()


@pytest.mark.parametrize(
    "shared",
    [
        {"system": SOURCE, "value": "1"},
        {
            "system": "urn:oid:1.2.3",
            "value": "77",
            "type": {"coding": [{"code": "MR"}]},
        },
    ],
)
def test_a_patient_is_recognised_by_the_identifiers_of_a_record(shared: dict) -> None:
    take_in(a_patient(identifier=[shared, {"system": "urn:oid:9", "value": "a"}]))
    take_in(a_patient(identifier=[shared, {"system": "urn:oid:9", "value": "b"}]))
    patient = Patient.objects.get()
    assert patient.identifiers.count() == 3


@pytest.mark.parametrize(
    "shared",
    [
        SSN,
        {**SSN, "type": None},
        {"system": "urn:oid:2.16.840.1.113883.4.3.25", "value": "S1"},
        {"system": "urn:x", "type": {"coding": [{"code": "PPN"}]}, "value": "P1"},
        {"value": "1"},
    ],
)
def test_nobody_is_recognised_by_a_document(shared: dict) -> None:
    shared = {name: value for name, value in shared.items() if value}
    take_in(a_patient(identifier=[shared, {"system": SOURCE, "value": "1"}]))
    take_in(a_patient(identifier=[shared, {"system": SOURCE, "value": "2"}]))
    assert Patient.objects.count() == 2


def test_nobody_is_recognised_by_a_number_that_was_entered_in_error() -> None:
    take_in(a_patient())
    PatientIdentifier.objects.update(entered_in_error=True)
    assert take_in(a_patient()).outcome == "created"
    assert Patient.objects.count() == 2


def test_without_an_identifier_the_resources_own_address_is_one() -> None:
    assert take_in(a_patient(identifier=None)).outcome == "created"
    assert take_in(a_patient(identifier=None)).outcome == "unchanged"
    assert Patient.objects.get().identifiers.get().value == "urn:uuid:ann"


def test_a_condition_marked_as_an_error_is_one_here() -> None:
    mark = {"coding": [{"code": "entered-in-error"}]}
    take_in(a_patient(), a_condition(verificationStatus=mark, clinicalStatus=None))
    assert Condition.objects.get().entered_in_error


def test_references_by_type_and_by_identifier_are_understood() -> None:
    by_npi = "Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|1000000001"
    team = a_care_team(("doc", "1", False), subject={"reference": "Patient/ann"})
    team["participant"][0]["member"] = {"reference": by_npi}
    take_in(a_patient(), a_practitioner(), team)
    assert Patient.objects.get().care_team.get().staff.npi == "1000000001"
    # The second bundle names her without bringing her.
    other = a_patient(identifier=[{"system": SOURCE, "value": "2"}])
    take_in(other, team)
    assert Patient.objects.last().care_team.get().staff.npi == "1000000001"


def test_new_patients_join_the_groups_that_are_named(tmp_path: Path) -> None:
    north, south = make_group("North"), make_group("South")
    here = make_patient("Ann", "Old", date(1980, 2, 3))
    here.identifiers.create(system=SOURCE, value="1")
    new = a_patient(identifier=[{"system": SOURCE, "value": "2"}])
    write(tmp_path / "1.json", bundle_of(a_patient()))
    write(tmp_path / "2.json", bundle_of(new))
    assert run(tmp_path, groups=["North", "south"]).code == 0
    (joined,) = {row.member for row in PatientGroupMember.objects.all()}
    assert joined != here
    assert {row.patient_group for row in joined.group_memberships.all()} == {
        north,
        south,
    }


@pytest.mark.parametrize("name", ["Nort", "", "a\x00b", "x" * 10_000])
def test_an_unknown_group_stops_before_anything_is_written(
    tmp_path: Path, name: str
) -> None:
    make_group("North")
    file = write(tmp_path / "1.json", bundle_of(a_patient()))
    result = run(file, groups=["North", name])
    assert result.code == 1
    assert "no patient group" in result.err
    assert not Patient.objects.exists()


def test_a_dry_run_writes_nothing_and_finds_what_is_broken(tmp_path: Path) -> None:
    write(tmp_path / "1.json", bundle_of(a_patient()))
    write(tmp_path / "2.json", b"{")
    result = run(tmp_path, dry_run=True)
    assert result.code == 1
    assert numbers(result.out, "Bundles") == [2, 0, 0, 0, 1]
    assert not Patient.objects.exists()
    assert not AuditRow.objects.exists()


def test_an_import_is_one_act_in_the_trail_without_the_files_name(
    tmp_path: Path,
) -> None:
    run(write(tmp_path / "Ann_Arnesen.json", bundle_of(a_patient(), a_condition())))
    act, about = AuditRow.objects.order_by("pk")
    assert (act.action, act.actor_name) == ("patient.imported", "manage.py import_fhir")
    assert act.detail["Condition created"] == 1
    assert about.patient == Patient.objects.get().key
    assert "Arnesen" not in str(act.detail)


def test_an_interruption_says_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(import_fhir, "check", interrupt)
    result = run(write(tmp_path / "1.json", bundle_of(a_patient())))
    assert result.code == 130
    assert numbers(result.out, "Bundles") == [1, 0, 0, 0, 0]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    file = write(tmp_path / "1.json", bundle_of(a_patient()))
    assert numbers(run(file, tmp_path, file).out, "Bundles")[0] == 1


@pytest.mark.parametrize("kind", ["collection", "transaction", "batch"])
def test_a_bundle_may_be_a_transaction_with_requests(tmp_path: Path, kind: str) -> None:
    bundle = bundle_of(a_patient(), type=kind)
    bundle["entry"][0]["request"] = {"method": "POST", "url": "Patient"}
    assert run(write(tmp_path / "1", bundle)).code == 0
    assert Patient.objects.exists()
