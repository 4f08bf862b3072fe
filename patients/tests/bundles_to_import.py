"""FHIR bundles for the import's tests, as plain data."""

import json
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management import CommandError, call_command

from canvas_admin.fhir.bundles import Bundle
from patients.importing.bundle import Result, carry_out, plan

SOURCE = "https://records.example.org"
SNOMED = "http://snomed.info/sct"
NPI = "http://hl7.org/fhir/sid/us-npi"

Resource = dict[str, Any]


def a_patient(**changes: Any) -> Resource:
    """A Patient; keyword arguments replace elements, None leaves one out."""
    resource = {
        "resourceType": "Patient",
        "id": "ann",
        "identifier": [{"system": SOURCE, "value": "1"}],
        "name": [{"use": "official", "family": "Arnesen", "given": ["Ann", "Marie"]}],
        "gender": "female",
        "birthDate": "1980-02-03",
        "telecom": [{"system": "phone", "value": "555-0001", "use": "home"}],
        "address": [{"use": "home", "line": ["1 Elm Street"], "city": "Lund"}],
    } | changes
    return {name: value for name, value in resource.items() if value is not None}


def a_condition(**changes: Any) -> Resource:
    """A Condition of that patient."""
    resource = {
        "resourceType": "Condition",
        "id": "asthma",
        "code": {
            "coding": [{"system": SNOMED, "code": "195967001", "display": "Asthma"}]
        },
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "subject": {"reference": "urn:uuid:ann"},
        "onsetDateTime": "2001-02-03",
    } | changes
    return {name: value for name, value in resource.items() if value is not None}


def a_practitioner(
    name: str = "doc", npi: str = "1000000001", **changes: Any
) -> Resource:
    """A Practitioner with an NPI."""
    return {
        "resourceType": "Practitioner",
        "id": name,
        "identifier": [{"system": NPI, "value": npi}],
        "name": [{"family": name.title(), "given": ["Pat"]}],
    } | changes


def a_care_team(*parts: tuple, name: str = "team", **changes: Any) -> Resource:
    """A CareTeam of that patient; parts are (practitioner, role code, lead)."""
    lead_url = "http://schemas.canvasmedical.com/fhir/extensions/careteam-lead"
    participants = [
        {
            "member": {"reference": f"urn:uuid:{who}"},
            "role": [{"coding": [{"system": SNOMED, "code": role, "display": role}]}],
            "extension": [{"url": lead_url, "valueBoolean": lead}],
        }
        for who, role, lead in parts
    ]
    return {
        "resourceType": "CareTeam",
        "id": name,
        "status": "active",
        "subject": {"reference": "urn:uuid:ann"},
        "participant": participants,
    } | changes


def bundle_of(*resources: Resource, **changes: Any) -> dict[str, Any]:
    """A collection of these resources under urn:uuid addresses."""
    entries = [{"fullUrl": f"urn:uuid:{r['id']}", "resource": r} for r in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries} | changes


def take_in(*resources: Resource, **options: Any) -> Result:
    """Import a bundle of these resources."""
    content = json.dumps(bundle_of(*resources)).encode()
    return carry_out(plan(Bundle.parse(content)), **options)


def write(path: Path, content: Any) -> Path:
    """Write bytes, or anything else as JSON, to a file."""
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    path.write_bytes(content)
    return path


class Run(NamedTuple):
    """What a run of the command said, and its exit code."""

    code: int
    out: str
    err: str


def run(*paths: Path, **options: Any) -> Run:
    """Run manage.py import_fhir."""
    out, err = StringIO(), StringIO()
    try:
        call_command("import_fhir", *map(str, paths), stdout=out, stderr=err, **options)
    except CommandError as error:
        return Run(error.returncode, out.getvalue(), err.getvalue() + str(error))
    return Run(0, out.getvalue(), err.getvalue())


def numbers(out: str, name: str) -> list[int]:
    """The numbers behind a name in the summary."""
    line = next(line for line in out.splitlines() if line.startswith(name))
    return [int(n.replace(",", "")) for n in line.removeprefix(name).split()]
