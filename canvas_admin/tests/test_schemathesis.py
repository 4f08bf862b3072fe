"""The API by its own OpenAPI document: good and spoilt requests to every operation.

schemathesis makes them, and the application that the server loads answers: never with
5xx, never late, always as the document says; and one that is refused writes nothing.
"""

import copy
import json
import time
from collections import Counter
from typing import Any

import pytest
import schemathesis
from django.db import connection
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as running
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from canvas_admin.fhir import openapi
from canvas_admin.fhir.resources import RESOURCES
from canvas_admin.testing import give, make_staff
from canvas_admin.tests import proof
from canvas_admin.tests.programs import bearer, valid
from canvas_admin.tests.test_fhir_fuzz import JUNK, furnish, spots
from canvas_admin.tests.undoing import undone
from canvas_admin.wsgi import application
from staffing.groups import BY_NAME

PARTS = proof.count(1, 8)
# Of each operation, good and spoilt ones each.
CASES = proof.count(2, 256) // PARTS
SOME = 12
CHECKS = (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_every_operation_answers_as_documented(
    cast, open_connection, settings, tmp_path, part
):
    settings.MEDIA_ROOT = str(tmp_path)
    api = schemathesis.openapi.from_dict(openapi.document(RESOURCES.values()))
    asking = Asking(cast, part)
    started = time.monotonic()
    operations = [found.ok() for found in api.get_all_operations()]
    for operation in proof.some(operations, SOME):
        # Of what is sent nowhere nothing can be spoilt.
        may_spoil = operation.body or [*operation.iter_parameters()]
        for mode in MODES if may_spoil else MODES[:1]:
            asking.ask(operation, mode)
    if proof.FULL:
        assert {200, 201, 400, 401, 403, 404} <= asking.counted.keys()
    proof.record(
        "schemathesis",
        connection.vendor,
        proof.SEED,
        asking.counted.total(),
        0,
        time.monotonic() - started,
        part=str(part),
        answers={str(code): n for code, n in sorted(asking.counted.items())},
    )


class Asking:
    """Asks as a program that may do everything, and as one that may do little.

    schemathesis leaves the token out by itself in some of what it spoils.
    """

    def __init__(self, cast: Any, part: int) -> None:
        self.known, self.bodies = furnish(cast)
        little = make_staff("little", "Clinical read", "Patients: North")
        much = give(make_staff("much"), *BY_NAME)
        self.callers = [bearer(much), bearer(much), bearer(little)]
        self.seed, self.counted = proof.seed() + part, Counter()

    def ask(self, operation: Any, mode: GenerationMode) -> None:
        """So many requests to this operation; raises at the first surprise."""

        @seed(self.seed)
        @running(
            max_examples=CASES,
            phases=[Phase.generate],
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(cases(self, operation, mode), st.sampled_from(self.callers))
        def each(case: Any, caller: str) -> None:
            self.judge(case, {"Authorization": caller})

        each()

    def judge(self, case: Any, headers: dict[str, str]) -> None:
        """Send it, and look at the answer and at what it left."""
        with undone() as changed:
            answer = case.call(app=application, headers=headers)
        self.counted[answer.status_code] += 1
        about = (case.as_curl_command(headers), answer.status_code, answer.content)
        assert answer.status_code < 500, about
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            outcome = valid(json.loads(answer.content))
            assert outcome["resourceType"] == "OperationOutcome", about
            assert not changed, (changed, about)


@st.composite
def cases(draw: Any, asking: Asking, operation: Any, mode: GenerationMode) -> Any:
    """What schemathesis makes; half of them about what there is."""
    case = draw(operation.as_strategy(mode))
    if draw(st.booleans()):
        return case
    known = st.sampled_from([*asking.known, *JUNK])
    if case.path_parameters:
        case.path_parameters["id"] = draw(st.sampled_from(asking.known))
    for name in case.query:
        case.query[name] = draw(known)
    kind = operation.path.split("/")[1]
    good = [b for name, b in asking.bodies.items() if name.split()[0] == kind]
    if isinstance(case.body, dict) and good:
        case.body = copy.deepcopy(draw(st.sampled_from(good)))
        for _n in range(draw(st.integers(0, 2))):
            holder, key = draw(st.sampled_from(list(spots(case.body))))
            holder[key] = draw(known | JSON)
    return case
