"""The gate by itself: it refuses where all that stands behind it forgets whose chart it is.

test_locks.py asks the reverse, what holds where the gate forgets. With both, each of two
locks on one door is seen to be missing, though the other one holds.
"""

from urllib.parse import urlsplit

import pytest
from django.urls import resolve

from canvas_admin.tests.matrix.expected import TWELVE
from canvas_admin.tests.matrix.test_locks import BY_ADDRESS, NOBODY, asked
from patients import access, gate
from patients.models import Patient


@pytest.fixture
def forgetful(monkeypatch):
    """Rows are everybody's, and a write asks for nobody's reach."""
    monkeypatch.setattr(access, "reaches", lambda account, patient: True)

    def without_asking(request, *patients):
        return access.paths_to(request.user, patients)

    monkeypatch.setattr(gate, "still_open", without_asking)


@pytest.mark.parametrize("names", BY_ADDRESS)
@pytest.mark.usefixtures("forgetful")
def test_where_rows_and_writes_forget_reach_the_gate_does_not(clinic, names):
    observer = clinic.observer(clinic.sign_in(frozenset(TWELVE), reached=False))
    found = []
    for name, method, url, data in asked(clinic, "get", "post"):
        if name not in names or not clinic.subject(url):
            continue
        observed = observer.ask(method, url, data)
        if observed.status not in (403, 405) or observed.shown or observed.changed:
            found.append(f"{method} {name}: {observed.status}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("names", BY_ADDRESS)
def test_where_the_gate_forgets_reach_a_rows_own_address_opens_nothing(
    clinic, monkeypatch, names
):
    """The row is looked for within reach once more."""
    monkeypatch.setattr(
        gate, "find_patient", lambda request, key: Patient.objects.get(key=key)
    )
    observer = clinic.observer(clinic.sign_in(frozenset(TWELVE), reached=False))
    found = []
    for name, method, url, data in asked(clinic, "get", "post"):
        if name not in names or not names_a_row(name, url):
            continue
        observed = observer.ask(method, url, data)
        if observed.status not in (403, 404, 405) or observed.changed:
            found.append(f"{method} {name}: {observed.status}")
    assert not found, "\n".join(found)


def names_a_row(name, url):
    """Whether an address has a patient's key, and another of one of the patient's rows.

    The file to be linked is nobody's yet.
    """
    found = resolve(urlsplit(url).path).kwargs
    others = [value for of, value in found.items() if of != "key"]
    rows = [v for v in others if isinstance(v, str) and len(v) == len(NOBODY)]
    return "key" in found and bool(rows) and name != "patients:link-file"
