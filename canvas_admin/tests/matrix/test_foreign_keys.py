"""A key of somebody else's row is like a key that no row has, wherever one is posted.

Every form that a person meets is posted with a foreign key in each choice and hidden
field, and every address about a row of ada's is asked for another patient's row: out of
reach, and within reach too. Nothing but the trail changes (security P10).
"""

import random
import time
from datetime import date
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.urls import resolve

from canvas_admin.testing import make_patient
from canvas_admin.tests import proof
from canvas_admin.tests.masking import masked
from canvas_admin.tests.matrix.expected import URLS
from canvas_admin.tests.matrix.observing import about_patients, path_to_patient
from canvas_admin.tests.test_noninterference import link_everything
from patients import gate

NOBODY = "0123456789abcdef" * 2
# Of so many foreign rows each field is told, when not of all.
FEW = 1
# How many fields, addresses and lists are asked where a walk is not whole.
FIELDS, ADDRESSES, LISTS = 30, 25, 25


@pytest.fixture
def foreign(clinic):
    """Another patient, out of pat's reach, with a row of everything."""
    clinic.cast.pat = clinic.pat
    patient = make_patient("Zoe", "Zorn", date(1931, 7, 7))
    link_everything(random.Random(1), clinic.cast, "pat", patient)
    return patient


def rows_of(patient):
    """model → a patient's rows, of everything that is about patients."""
    found = {}
    for model in about_patients().values():
        path = path_to_patient(model) or "pk"
        value = patient if path != "pk" else patient.pk
        found[model] = list(model._base_manager.filter(**{path: value}))
    return found


def public_id(row):
    return str(getattr(row, "public_id", ""))


def keys_of(patient):
    """The public keys of a patient and all that is the patient's."""
    rows = [row for rows in rows_of(patient).values() for row in rows]
    return [public_id(row) for row in rows if public_id(row)]


class Comparing:
    """Compares the answers to a foreign key and to one that there is not."""

    def __init__(self, clinic):
        self.observer = clinic.observer(clinic.session)
        self.found, self.asked = [], 0
        self.started = time.monotonic()

    def ask(self, what, method, keys, make):
        """`make` gives the address and the data for a key."""
        missing = self._answer(what, method, NOBODY, make)
        if any(self._answer(what, method, key, make) != missing for key in keys):
            self.found.append(f"{what}: a foreign key is told from a missing one")

    def _answer(self, what, method, key, make):
        self.asked += 1
        observed = self.observer.ask(method, *make(key))
        if observed.changed:
            self.found.append(f"{what}: something was changed")
        return masked(observed.response, key)

    def told(self, part):
        """Nothing was found; the record of the proof says so, or what."""
        proof.record(
            "foreign_keys",
            connection.vendor,
            proof.SEED,
            self.asked,
            len(self.found),
            time.monotonic() - self.started,
            part=part,
        )
        assert not self.found, "\n".join(self.found)


def fields(clinic):
    """(form, name of a field) of every field that may name a row."""
    return [(f, c.name) for f in clinic.forms for c in f.controls if c.keyed]


def rows_in_addresses(clinic):
    """(address, how, data, ada's key in it, model) of all that is about a row of ada's."""
    own = {
        public_id(r): m for m, rows in rows_of(clinic.cast.ada).items() for r in rows
    }
    asked = [(n, u, "get", None) for n, u in clinic.addresses.items() if n in URLS]
    asked += [(f.name, f.action, "post", f.filled()) for f in clinic.forms]
    for name, url, method, data in asked:
        for argument, value in resolve(urlsplit(url).path).kwargs.items():
            if argument != "key" and value in own:
                yield name, url, method, data, value, own[value]


@pytest.mark.proof
def test_every_field_takes_a_foreign_key_for_a_missing_one(clinic, foreign):
    comparing, chance = Comparing(clinic), random.Random(proof.seed())
    keys = keys_of(foreign)
    assert len(fields(clinic)) > 10
    for form, name in proof.some(fields(clinic), FIELDS):
        comparing.ask(
            f"{form.name} {name}",
            "post",
            [foreign.key, *(keys if proof.FULL else chance.sample(keys, FEW))],
            lambda key, f=form, n=name: (f.action, f.filled(**{n: key})),
        )
    comparing.told("fields")


@pytest.mark.parametrize("reached", [False, True])
def test_another_patient_s_row_is_none_at_an_address_of_ada_s(clinic, foreign, reached):
    if reached:
        clinic.cast.north.add(foreign)
    asked = proof.some(rows_in_addresses(clinic), ADDRESSES)
    found = compared(clinic, foreign, asked)
    assert not found, "\n".join(found)


def compared(clinic, foreign, asked):
    comparing, rows = Comparing(clinic), rows_of(foreign)
    for name, url, method, data, own, model in asked:
        assert rows[model], f"link_everything() makes no {model.__name__}"
        comparing.ask(
            f"{method} {name}",
            method,
            [public_id(row) for row in rows[model]][:FEW],
            lambda key, u=url, o=own, d=data: (u.replace(o, key), d),
        )
    return comparing.found


@pytest.mark.proof
def test_a_page_after_a_foreign_row_is_a_page_after_none(clinic, foreign):
    comparing = Comparing(clinic)
    chance, keys = random.Random(proof.seed()), keys_of(foreign)
    for name in proof.some((n for n in URLS if "GET" in URLS[n]), LISTS):
        url = clinic.addresses[name]
        comparing.ask(
            f"{name}?after=",
            "get",
            keys if proof.FULL else [chance.choice([foreign.key, *keys])],
            lambda key, u=url: (f"{u}?after={key}&before={key}", None),
        )
    comparing.told("pages after")


def test_the_check_finds_a_row_that_is_taken_from_anybody(clinic, foreign, monkeypatch):
    def any_row(rows, key, patient):
        found = rows.model._base_manager.filter(key=key).first()
        if found is None:
            raise gate.Refused(patient.key)
        return found

    monkeypatch.setattr(gate, "open_row", any_row)
    asked = [a for a in rows_in_addresses(clinic) if a[0] == "patients:appointment"]
    assert "get patients:appointment: a foreign key is told from a missing one" in (
        compared(clinic, foreign, asked)
    )
