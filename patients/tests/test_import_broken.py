"""A broken bundle is named, with entry and reason; nothing of it stays; the rest goes on."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from canvas_admin.fhir import bundles
from canvas_admin.records import clock
from canvas_admin.testing import make_patient
from patients.importing.bundle import LIMITS
from patients.models import Condition, Patient, PatientIdentifier
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
from staffing.models import Staff

pytestmark = pytest.mark.django_db


def nested(depth: int) -> Any:
    """Extensions in extensions."""
    found: dict[str, Any] = {"url": "urn:x", "valueString": "x"}
    for _ in range(depth):
        found = {"url": "urn:x", "extension": [found]}
    return found


def with_entry(entry: Any) -> dict[str, Any]:
    """A good bundle with one more entry, this one."""
    bundle = bundle_of(a_patient())
    bundle["entry"].append(entry)
    return bundle


def with_patient(**changes: Any) -> dict[str, Any]:
    return bundle_of(a_practitioner(), a_patient(**changes))


def with_condition(**changes: Any) -> dict[str, Any]:
    return bundle_of(a_patient(), a_condition(**changes))


def raw(text: str) -> bytes:
    """A bundle in which the patient's city is this piece of JSON."""
    content = json.dumps(with_patient(address=[{"city": "CITY"}]))
    return content.replace('"CITY"', text).encode()


SOON = (clock.now() + timedelta(days=9)).date().isoformat()
PATIENT, CONDITION = "entry[1] Patient/ann", "entry[1] Condition/asthma"
TEAM = "entry[2] CareTeam/team"
A_NAME = {"use": "official", "family": "x", "given": ["x"]}

BROKEN = {
    # The file
    "empty": (b"", "", "is not JSON"),
    "cut off": (json.dumps(bundle_of(a_patient())).encode()[:-9], "", "is not JSON"),
    "latin-1": (raw('"Malmö"').decode().encode("latin-1"), "", "is not UTF-8"),
    "nested without end": (b"[" * 100_000, "", "nested too deeply"),
    "not a number": (raw("NaN"), "", "NaN is no number"),
    "a number without end": (raw("1" * 9_999), "", "a number is too long"),
    "a name twice": (raw('"a", "city": "b"'), "", "a name comes twice"),
    # The bundle
    "a list": ([], "", "is not a FHIR Bundle"),
    "a patient alone": (a_patient(), "", "is not a FHIR Bundle"),
    "a search result": (bundle_of(a_patient(), type="searchset"), "", "type is none"),
    "entries no list": ({**bundle_of(), "entry": "x"}, "", "entry is not a list"),
    "an entry that is text": (with_entry("x"), "entry[1]", "has no resource"),
    "without resource": (with_entry({"fullUrl": "x"}), "entry[1]", "has no resource"),
    "resource no object": (with_entry({"resource": []}), "entry[1]", "has no resource"),
    "no type": (with_entry({"resource": {}}), "entry[1]", "no proper resourceType"),
    "an odd type": (
        with_entry({"resource": {"resourceType": "A\n\x1b[31mB"}}),
        "entry[1]",
        "no proper resourceType",
    ),
    "fullUrl no text": (
        with_entry({"fullUrl": 7, "resource": a_condition()}),
        "entry[1] Condition/asthma",
        "fullUrl is not text",
    ),
    "a deletion": (
        with_entry({"resource": a_condition(), "request": {"method": "DELETE"}}),
        "entry[1] Condition/asthma",
        "neither POST nor PUT",
    ),
    "fullUrl twice": (
        with_entry({"fullUrl": "urn:uuid:ann", "resource": a_condition()}),
        "entry[1] Condition/asthma",
        "comes twice",
    ),
    "id twice": (
        bundle_of(a_patient(), a_condition())
        | {
            "entry": [
                *bundle_of(a_patient(), a_condition())["entry"],
                {"fullUrl": "urn:uuid:else", "resource": a_condition()},
            ]
        },
        "entry[2] Condition/asthma",
        "comes twice",
    ),
    "no patient": (bundle_of(a_practitioner()), "", "has no Patient"),
    "nothing": (bundle_of(), "", "has no Patient"),
    "two patients": (
        bundle_of(a_patient(), a_patient(id="bo")),
        "entry[1] Patient/bo",
        "one is the most",
    ),
    "too much": (
        bundle_of(
            a_patient(),
            *[a_condition(id=f"c{n}") for n in range(LIMITS["Condition"] + 1)],
        ),
        f"entry[{LIMITS['Condition'] + 1}] Condition",
        "the most",
    ),
    # The patient
    "text for a list": (with_patient(name="Ann"), PATIENT, "name: "),
    "text for an object": (with_patient(name=["{}x"]), PATIENT, "name"),
    "a number for text": (with_patient(gender=5), PATIENT, "gender: "),
    "an unknown element": (with_patient(shoes=1), PATIENT, "shoes: "),
    "an odd id": (with_patient(id="ann\n"), "entry[1] Patient", "id: "),
    "an unknown gender": (with_patient(gender="x"), PATIENT, "gender has a value"),
    "no name": (with_patient(name=None), PATIENT, "name: is missing"),
    "an empty name": (
        with_patient(name=[{"use": "usual"}]),
        PATIENT,
        "name: is missing",
    ),
    "no birth date": (with_patient(birthDate=None), PATIENT, "birthDate: is missing"),
    "no such day": (with_patient(birthDate="2021-02-30"), PATIENT, "birthDate: "),
    "year 0": (with_patient(birthDate="0000-01-01"), PATIENT, "birthDate: "),
    "year 1": (with_patient(birthDate="0001"), PATIENT, "the year is impossible"),
    "not born yet": (with_patient(birthDate=SOON), PATIENT, "in the future"),
    "dead before birth": (
        with_patient(deceasedDateTime="1979"),
        PATIENT,
        "before birthDate",
    ),
    "dead to come": (with_patient(deceasedDateTime=SOON), PATIENT, "in the future"),
    "dead in no year": (
        with_patient(deceasedDateTime="0001-01-01T00:00:00+14:00"),
        PATIENT,
        "the year is impossible",
    ),
    "dead and dead": (
        with_patient(deceasedDateTime="1999", deceasedBoolean=False),
        PATIENT,
        "deceased",
    ),
    "a NUL": (raw(r'"a\u0000b"'), PATIENT, "NUL"),
    "half a pair": (raw(r'"\ud800"'), PATIENT, "half a character pair"),
    "nested deeply": (
        with_patient(extension=[nested(60)]),
        PATIENT,
        "nested too deeply",
    ),
    "a long name": (
        with_patient(name=[{**A_NAME, "family": "x" * 10_000}]),
        PATIENT,
        "name[0]: 10000 characters are too many",
    ),
    "a long identifier": (
        with_patient(identifier=[{"system": SOURCE, "value": "x" * 256}]),
        PATIENT,
        "identifier[0]: 256 characters",
    ),
    "a long city": (with_patient(address=[{"city": "x" * 101}]), PATIENT, "address[0]"),
    "an unknown way": (
        with_patient(telecom=[{"system": "drum", "value": "1"}]),
        PATIENT,
        "telecom[0]: system has a value",
    ),
    "a large rank": (
        with_patient(telecom=[{"system": "fax", "value": "1", "rank": 99_999}]),
        PATIENT,
        "telecom[0]: the number is too large",
    ),
    "names without end": (with_patient(name=[A_NAME] * 21), PATIENT, "repeats more"),
    "nothing to find it by": (
        {**bundle_of(), "entry": [{"resource": a_patient(identifier=None)}]},
        "entry[0] Patient/ann",
        "cannot be found again",
    ),
    # What belongs to the patient
    "no practitioner's name": (
        bundle_of(a_patient(), a_practitioner(name="doc") | {"name": []}),
        "entry[1] Practitioner/doc",
        "name: is missing",
    ),
    "a long NPI": (
        bundle_of(a_patient(), a_practitioner(npi="12345678901")),
        "entry[1] Practitioner/doc",
        "too many for npi",
    ),
    "an NPI of letters": (
        bundle_of(a_patient(), a_practitioner(npi="abcdefghij")),
        "entry[1] Practitioner/doc",
        "npi has a value",
    ),
    "no subject": (with_condition(subject=None), CONDITION, "subject"),
    "subject text": (
        with_condition(subject="ann"),
        CONDITION,
        "an object belongs here",
    ),
    "a stranger's": (
        with_condition(subject={"reference": "urn:uuid:bo"}),
        CONDITION,
        "refers to nothing",
    ),
    "nobody's": (
        with_condition(subject={"reference": "urn:uuid:asthma"}),
        CONDITION,
        "not this bundle's patient",
    ),
    "no code": (with_condition(code=None), CONDITION, "code: is missing"),
    "an unknown status": (
        with_condition(clinicalStatus={"coding": [{"code": "odd"}]}),
        CONDITION,
        "clinical_status has a value",
    ),
    "ends before": (
        with_condition(abatementDateTime="1999"),
        CONDITION,
        "abatement: is before onset",
    ),
    "a long code": (
        with_condition(code={"coding": [{"code": "1" * 65}]}),
        CONDITION,
        "too many for code",
    ),
    "no such member": (
        bundle_of(a_patient(), a_practitioner(), a_care_team(("who", "1", False))),
        TEAM,
        "its member refers to nothing",
    ),
    "no such member here": (
        bundle_of(
            a_patient(),
            a_practitioner(),
            a_care_team(
                participant=[
                    {"member": {"reference": "Practitioner?identifier=urn:x|1"}}
                ]
            ),
        ),
        TEAM,
        "neither in this bundle nor here",
    ),
    "an unknown team status": (
        bundle_of(a_patient(), a_practitioner(), a_care_team(status="odd")),
        TEAM,
        "status has a value",
    ),
}
GOOD = a_patient(id="good", identifier=[{"system": SOURCE, "value": "good"}])


@pytest.mark.parametrize(("content", "where", "why"), BROKEN.values(), ids=BROKEN)
def test_it_is_named_and_nothing_of_it_stays_and_the_rest_goes_on(
    tmp_path: Path, content: Any, where: str, why: str
) -> None:
    write(tmp_path / "1 broken.json", content)
    write(tmp_path / "2 good.json", bundle_of(GOOD))
    result = run(tmp_path)
    assert result.code == 1
    line = result.err.splitlines()[0]
    assert line.startswith(f"{tmp_path}/1 broken.json: {where}")
    assert why in line
    assert "\x1b" not in result.err
    assert numbers(result.out, "Bundles") == [2, 1, 0, 0, 1]
    assert [p.identifiers.get().value for p in Patient.objects.all()] == ["good"]
    assert not Staff.objects.exists()
    assert not Condition.objects.exists()


def _too_large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(bundles.FILE_LIMIT + 1)


def _in_a_folder_of_its_own(path: Path) -> None:
    path.mkdir()
    (path / "loop").symlink_to(path)


PLACES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "too large": (_too_large, "is larger than"),
    "a pipe": (os.mkfifo, "is not a file"),
    "a link to itself": (lambda path: path.symlink_to(path), "cannot be read"),
    "a link to nothing": (lambda path: path.symlink_to("gone"), "cannot be read"),
    "an empty folder": (Path.mkdir, "holds no .json file"),
    "a folder with a loop": (_in_a_folder_of_its_own, "holds no .json file"),
    "missing": (lambda path: None, "no such file"),
}


@pytest.mark.parametrize(("make", "why"), PLACES.values(), ids=PLACES)
def test_what_cannot_be_read_is_named_and_the_rest_goes_on(
    tmp_path: Path, make: Callable[[Path], Any], why: str
) -> None:
    path = tmp_path / "x.json"
    make(path)
    result = run(path, write(tmp_path / "good", bundle_of(GOOD)))
    assert result.code == 1
    assert why in result.err
    assert Patient.objects.count() == 1


def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *args: Any) -> None:
        raise PermissionError(13, "Permission denied")

    file = write(tmp_path / "1.json", bundle_of(GOOD))
    monkeypatch.setattr(Path, "open", refuse)
    result = run(file)
    assert (result.code, "Permission denied" in result.err) == (1, True)


def test_identifiers_of_two_patients_are_refused() -> None:
    for number in ("1", "2"):
        make_patient("Ann", number, clock.now().date()).identifiers.create(
            system=SOURCE, value=number
        )
    both = [{"system": SOURCE, "value": "1"}, {"system": SOURCE, "value": "2"}]
    with pytest.raises(bundles.BrokenBundle, match=r"Patient/ann: .*two patients"):
        take_in(a_practitioner(), a_patient(identifier=both))
    assert PatientIdentifier.objects.count() == 2
    assert not Staff.objects.exists()


def test_a_refusal_of_the_database_takes_back_the_whole_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")

    monkeypatch.setattr(Condition.objects, "bulk_create", fail)
    file = write(
        tmp_path / "1", bundle_of(a_practitioner(), a_patient(), a_condition())
    )
    result = run(file)
    assert (result.code, "the database refused it" in result.err) == (1, True)
    empty: list[type[Model]] = [Patient, Staff, PatientIdentifier]
    assert not any(model.objects.exists() for model in empty)


def test_a_message_never_repeats_what_is_in_the_bundle(tmp_path: Path) -> None:
    secrets = with_patient(
        gender="Arnesen-secret", name=[{"family": {"Arnesen": "secret"}}]
    )
    assert "secret" not in run(write(tmp_path / "1", secrets)).err
