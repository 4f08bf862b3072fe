"""Every resource type, by every interaction, for sets of groups, in and out of reach.

The answers are held to the table written by hand in expected_fhir.py. Out of reach and
missing are alike in every one; what was shown, changed or refused is on the trail, once.
"""

import random
import time
from collections import Counter
from itertools import groupby

import pytest
from django.db import connection, transaction

from canvas_admin.fhir import server
from canvas_admin.fhir.resources import RESOURCES
from canvas_admin.tests import proof
from canvas_admin.tests.masking import masked
from canvas_admin.tests.matrix import programs
from canvas_admin.tests.matrix.expected_fhir import (
    ABOUT,
    cells,
    interactions,
    type_of,
    verdict,
    who_asks,
)
from canvas_admin.tests.matrix.judging import Row, disagreements

# The sets are split, so that several processes share them.
PARTS = 2
SAMPLE, SETS = 120, 4
WORDS = {
    403: "refused",
    404: "missing",
    405: "no such method",
    422: "unprocessable",
}


@pytest.fixture
def clinic(db, still_clock):
    return programs.kept_clinic.put_back()


class Asking:
    """Asks with one set of groups, and notes what surprises."""

    def __init__(self, clinic, groups, *, reached):
        self.clinic, self.groups, self.reached = clinic, groups, reached
        self.caller = programs.Caller(clinic, groups, reached=reached)
        self.found, self.counted = [], Counter()

    def ask(self, about, cell):
        subject = self.clinic.subjects[about]
        observed = self.caller.ask(cell, about, subject)
        expected = verdict(about, cell, self.groups, self.reached)
        said = answered(observed, subject.id)
        if said != expected:
            self.note(about, cell, f"{said}, not {expected}")
        for told in self.disagreements(observed, said):
            self.note(about, cell, told)
        is_write = cell in ("create", "update")
        if said == "given" and is_write and subject.patient and not observed.changed:
            self.note(about, cell, "given, and nothing changed")
        if expected in ("missing", "empty", "unprocessable"):
            self.compare_with_nobody(about, cell, subject, observed)
        self.counted.update(
            [expected],
            asked=1,
            shown=bool(observed.shown),
            changed=bool(observed.changed),
        )

    def disagreements(self, observed, said):
        yield from disagreements(observed)
        acts = [row for row in observed.trail if not row.patient]
        refusals = [row for row in acts if row.outcome == Row.REFUSED]
        if said == "missing" and len(refusals) != 1:
            yield f"{len(refusals)} refusals on the trail"
        if said != "given" and observed.changed:
            yield f"{said}, and yet something changed"

    def compare_with_nobody(self, about, cell, subject, observed):
        """What is out of reach is answered like what does not exist."""
        by_patient = cell in ("by-patient", "create") or observed.status == 422
        key = subject.patient if by_patient else subject.id
        missing = self.caller.ask(cell, about, programs.without(subject, key))
        self.counted.update(asked=1)
        nobody = programs.NOBODY if len(key) == 32 else programs.NO_ROW
        if masked(missing.response, nobody) != masked(observed.response, key):
            self.note(about, cell, "a missing one is answered in another way")

    def note(self, about, cell, what):
        reach = "in" if self.reached else "out of"
        groups = ", ".join(sorted(self.groups)) or "no group"
        self.found.append(f"{groups}; {reach} reach; {cell} {about}: {what}")


def answered(observed, logical_id):
    """What the answer says, in the words of verdict()."""
    response, is_bare = observed.response, _method(observed) == "HEAD"
    if observed.status in WORDS:
        is_told = is_bare or response.json()["resourceType"] == "OperationOutcome"
        return WORDS[observed.status] if is_told else "no OperationOutcome"
    if observed.status not in (200, 201):
        return f"status {observed.status}"
    if is_bare or not response.content:
        return "given"
    data = response.json()
    if data["resourceType"] != "Bundle":
        return "given"
    found = [entry["resource"]["id"] for entry in data.get("entry", [])]
    return "given" if logical_id in found else "empty" if not found else "others"


def _method(observed):
    return observed.response.request["REQUEST_METHOD"]


def every_cell():
    """(what, cell) of the types that are served."""
    return [
        (about, cell)
        for about in ABOUT
        if type_of(about) in RESOURCES
        for cell in cells(about)
    ]


def test_the_table_knows_each_type_and_interaction():
    known = {kind: interactions(kind) for kind in map(type_of, ABOUT)}
    served = {kind: set(resource.permissions) for kind, resource in RESOURCES.items()}
    assert served == {kind: known.get(kind) for kind in served}


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_the_matrix(clinic, part):
    seed, started = proof.seed(), time.monotonic()
    found, counted = [], Counter()
    for (groups, reached), asked in groupby(chosen(part, seed), lambda c: c[0]):
        with transaction.atomic():
            asking = Asking(clinic, groups, reached=reached)
            for _who, (about, cell) in asked:
                asking.ask(about, cell)
            transaction.set_rollback(True)
        found += asking.found
        counted += asking.counted
    proof.record(
        "fhir_matrix",
        connection.vendor,
        seed,
        counted["asked"],
        len(found),
        time.monotonic() - started,
        part=str(part),
        sets=len(who_asks()) // 2,
        **{name: counted[name] for name in ("given", "refused", "shown", "changed")},
    )
    assert not found, f"{len(found)} surprises\n" + "\n".join(found[:30])


def chosen(part, seed):
    """((groups, reached), cell): all of this part, or a sample of them."""
    who, every = who_asks(), every_cell()
    if proof.FULL:
        return [(each, cell) for each in who[part::PARTS] for cell in every]
    chance = random.Random(f"{seed}-{part}")
    return [
        (each, cell)
        for each in chance.sample(who, SETS)
        for cell in chance.sample(every, SAMPLE // SETS)
    ]


def test_the_check_finds_a_type_that_forgets_reach(clinic, monkeypatch):
    """With the guard broken on purpose the answers are surprising."""
    ada = clinic.ada
    monkeypatch.setattr("patients.api.patient.find_patient", lambda *args: ada)
    asking = Asking(clinic, frozenset({"profile-read"}), reached=False)
    asking.ask("Patient", "read")
    assert asking.found == [
        "profile-read; out of reach; read Patient: given, not missing",
        "profile-read; out of reach; read Patient: "
        "a missing one is answered in another way",
    ]


def test_the_check_finds_a_server_that_forgets_permissions(clinic, monkeypatch):
    monkeypatch.setattr(server, "permitted", lambda *args: None)
    for kind, cell in [("Condition", "read"), ("Task:ada", "create")]:
        asking = Asking(clinic, frozenset({"document-write"}), reached=True)
        asking.ask(kind, cell)
        assert asking.found == [
            f"document-write; in reach; {cell} {kind}: given, not refused"
        ]


def test_the_check_finds_what_is_not_on_the_trail(clinic, monkeypatch):
    monkeypatch.setattr("canvas_admin.audit.trail.shown", lambda *a, **k: None)
    monkeypatch.setattr("canvas_admin.audit.trail.refused", lambda *a, **k: None)
    for reached, told in [
        (True, "1 patients shown and not on the trail"),
        (False, "0 refusals on the trail"),
    ]:
        asking = Asking(clinic, frozenset({"clinical-read"}), reached=reached)
        asking.ask("Condition", "read")
        reach = "in" if reached else "out of"
        assert asking.found == [f"clinical-read; {reach} reach; read Condition: {told}"]
