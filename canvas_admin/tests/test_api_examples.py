"""The examples of docs/api.md, one after the other, as they stand."""

import json
import re
from pathlib import Path
from typing import Any

from canvas_admin.fhir.resources import RESOURCES
from canvas_admin.testing import make_application
from canvas_admin.tests.programs import Program
from patients.models import AdministrativeDocument, Observation
from patients.tests.test_fhir_consent import coding
from patients.tests.test_fhir_document_reference import administrative
from patients.tests.test_fhir_records import book, condition, coverage, lab
from staffing.models import CareTeamRole, Location, Team
from tasks.tests.asking import make

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
BLOCK = re.compile(r"^```(http|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_examples_do_what_they_say(cast, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    bot = make_application(
        "bot",
        "Audit read",
        "Schedule write",
        "Staff Permissions",
        "Tasking access",
        "Profile read",
        "Profile write",
        "Patient create",
        "Clinical read",
        "Document read",
        "Document write",
        "All Patients",
    )
    furnish(cast)
    program, known = Program(bot.staff), ids(cast)
    answer, asked = None, set()
    for language, text in BLOCK.findall(PAGE.read_text()):
        for name, value in known.items():
            text = text.replace("{" + name + "}", value)
        if language == "http":
            answer = ask(program, text)
            assert answer.status_code in (200, 201), (text, answer.content)
            asked.add(text.split("/fhir/")[1].split("?")[0].split("/")[0].split()[0])
        else:
            lacking = list(missing(json.loads(text), answer.json(), "$"))
            assert not lacking, (text, lacking)
    assert asked == set(RESOURCES)


def furnish(cast: Any) -> None:
    """What the examples read."""
    condition(cast.ada)
    coverage(cast.ada)
    coding("photo", expiration_rule="in_one_year")
    book(cast.ada, cast.nora)
    administrative(cast.ada)
    values = {"display": "LDL", "status": "final", "value": "4.1", "unit": "mmol/L"}
    report = lab(cast.ada)
    Observation.objects.create(patient=cast.ada, report=report, **values)


def ids(cast: Any) -> dict[str, str]:
    """What the examples call things."""
    role, _made = CareTeamRole.objects.get_or_create(
        code="453231000124104", defaults={"display": "Primary care provider"}
    )
    team = Team.objects.create(name="Behavioral Health Coordinators")
    task = make(
        title="Refer patient to Psychiatry (TBD)", patient=cast.ada, creator=cast.nora
    )
    return {
        "patient": cast.ada.key,
        "nora": cast.nora.key,
        "document": AdministrativeDocument.objects.get().key,
        "team": str(team.externally_exposable_id),
        "group": str(cast.north.externally_exposable_id),
        "role": role.code,
        "location": Location.objects.get(name="Main street").key,
        "task": str(task.externally_exposable_id),
    }


def ask(program: Program, text: str) -> Any:
    """Send what an example says."""
    head, _gap, body = text.partition("\n\n")
    method, path = head.split()
    path = path.removeprefix("/fhir/")
    if method == "GET":
        return program.get(path)
    return program.send(method, path, body.encode())


def missing(wanted: Any, found: Any, at: str) -> Any:
    """Where an answer is not what an example says; it may say more."""
    if wanted == "…":
        return
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            if name in found:
                yield from missing(value, found[name], f"{at}.{name}")
            else:
                yield f"{at}.{name}"
    elif isinstance(wanted, list) and isinstance(found, list):
        if len(wanted) != len(found):
            yield f"{at}: {len(found)} entries"
        for number, (one, other) in enumerate(zip(wanted, found, strict=False)):
            yield from missing(one, other, f"{at}[{number}]")
    elif wanted != found:
        yield f"{at}: {found!r}"
