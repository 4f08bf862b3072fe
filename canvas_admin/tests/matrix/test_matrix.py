"""Every URL, by every method, for 92 sets of groups, in reach and out of reach.

The answers are held to the tables written by hand in expected.py. Out of reach and
missing are alike in every one; and what was shown or changed is on the trail, once.
"""

import random
import time
from collections import Counter
from itertools import groupby

import pytest
from django.db import connection, transaction

from canvas_admin.tests import proof
from canvas_admin.tests.addresses import every_name
from canvas_admin.tests.masking import masked
from canvas_admin.tests.matrix.expected import PLACES, URLS, belongs_to, the_sets
from canvas_admin.tests.matrix.judging import (
    METHODS,
    answered,
    disagreements,
    verdict,
)
from patients import gate

# The sets are split, so that several processes share them.
PARTS = 2
SAMPLE = 400
SETS = 5
NOBODY = "0123456789abcdef" * 2


def cells(clinic):
    """(address, method or form) of everything that is asked."""
    found = [(name, method) for name in clinic.addresses for method in METHODS]
    return found + [(form.name, form) for form in clinic.forms]


class Asking:
    """Asks as pat, with one set of groups, and notes what surprises."""

    def __init__(self, clinic, groups, *, reached):
        self.clinic, self.groups, self.reached = clinic, groups, reached
        session = clinic.sign_in(groups, reached=reached)
        self.observer = clinic.observer(session)
        self.found, self.counted = [], Counter()

    def ask(self, name, how):
        """Ask one cell; returns the status."""
        if isinstance(how, str):
            method, url, data = how, self.clinic.addresses[name], None
        else:
            method, url, data = "post", how.action, how.filled()
        observed = self.observer.ask(method, url, data)
        expected = verdict(name, method, self.groups, self.reached)
        said = answered(observed)
        if expected != said and expected != "alike for all":
            self.note(name, method, f"{said}, not {expected}")
        for told in disagreements(observed):
            self.note(name, method, told)
        if expected == "refused" and not self.reached:
            self.compare_with_nobody(name, method, url, data, observed)
        self.counted.update(
            shown=bool(observed.shown), changed=bool(observed.changed), asked=1
        )
        return observed.status

    def compare_with_nobody(self, name, method, url, data, observed):
        """A patient out of reach is answered like one that does not exist."""
        key = self.clinic.subject(url)
        if not key:
            return
        missing = self.observer.ask(method, url.replace(key, NOBODY), data)
        self.counted.update(asked=1)
        if masked(missing.response, NOBODY) != masked(observed.response, key):
            self.note(name, method, "a missing patient is answered in another way")

    def note(self, name, method, what):
        reach = "in" if self.reached else "out of"
        groups = ", ".join(sorted(self.groups)) or "no group"
        self.found.append(f"{groups}; {reach} reach; {method} {name}: {what}")


def test_every_url_belongs_to_an_area():
    assert [name for name in every_name() if not belongs_to(name)] == []
    assert URLS.keys() <= {*every_name()}
    assert {area for asked in URLS.values() for area in asked.values()} <= PLACES.keys()


def test_every_form_about_a_patient_is_met_and_changes_something(clinic):
    """What changes nothing when it is filled in proves nothing about writing."""
    observer = clinic.observer(clinic.session)
    changing = {
        form.name
        for form in clinic.forms
        if observer.ask("post", form.action, form.filled()).changed
    }
    about_patients = {
        name
        for name, asked in URLS.items()
        if "POST" in asked and PLACES[asked["POST"]].needs_reach
    }
    assert about_patients - changing == set()


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_the_matrix(clinic, part):
    seed, started = proof.seed(), time.monotonic()
    found, counted, alike = [], Counter(), {}
    for (groups, reached), asked in groupby(chosen(clinic, part, seed), lambda c: c[0]):
        with transaction.atomic():
            asking = Asking(clinic, groups, reached=reached)
            for _who, (name, how) in asked:
                status = asking.ask(name, how)
                if belongs_to(name) == "own":
                    if alike.setdefault((name, how), status) != status:
                        asking.note(name, how, "not alike for all")
            transaction.set_rollback(True)
        found += asking.found
        counted += asking.counted
    proof.record(
        "matrix",
        connection.vendor,
        seed,
        counted["asked"],
        len(found),
        time.monotonic() - started,
        part=str(part),
        sets=len(the_sets()),
        addresses=len(clinic.addresses),
        shown=counted["shown"],
        changed=counted["changed"],
    )
    assert not found, f"{len(found)} surprises\n" + "\n".join(found[:30])


def chosen(clinic, part, seed):
    """((groups, reached), cell): all of this part, or a sample of them."""
    who = [(groups, reached) for groups in the_sets() for reached in (True, False)]
    if proof.FULL:
        return [(each, cell) for each in who[part::PARTS] for cell in cells(clinic)]
    chance = random.Random(f"{seed}-{part}")
    people, every = chance.sample(who, SETS), cells(clinic)
    return [
        (each, cell)
        for each in people
        for cell in chance.sample(every, min(len(every), SAMPLE // SETS))
    ]


def test_the_check_finds_a_gate_that_forgets_reach(clinic, monkeypatch):
    """With the gate broken on purpose the answers are surprising."""
    ada = clinic.cast.ada
    monkeypatch.setattr(gate, "find_patient", lambda request, key: ada)
    asking = Asking(clinic, frozenset({"clinical-read"}), reached=False)
    asking.ask("patients:chart", "get")
    assert asking.found == [
        "clinical-read; out of reach; get patients:chart: opened, not refused",
        "clinical-read; out of reach; get patients:chart: "
        "a missing patient is answered in another way",
    ]


def test_the_check_finds_what_is_not_on_the_trail(clinic, monkeypatch):
    monkeypatch.setattr("canvas_admin.audit.trail.shown", lambda *a, **k: None)
    asking = Asking(clinic, frozenset({"clinical-read"}), reached=True)
    asking.ask("patients:chart", "get")
    assert asking.found == [
        "clinical-read; in reach; get patients:chart: "
        "1 patients shown and not on the trail"
    ]
