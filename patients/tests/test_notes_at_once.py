"""Two people in one note at the same moment: what is signed has no drafts in it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from canvas_admin.testing import give, make_cast
from patients.models import Note, Observation, VitalSigns
from patients.tests.appointments import appoint, furnish_schedule
from patients.tests.note_pages import at, of, opened
from patients.tests.notes import note_of, write


@pytest.fixture
def clinic(transactional_db):
    """nora and sam, who both write ada's chart, signed in."""
    cast = make_cast()
    furnish_schedule(cast)
    give(cast.sam, "Patients: North")
    cast.clients = [Client(), Client()]
    for client, staff in zip(cast.clients, (cast.nora, cast.sam), strict=True):
        client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    return cast


def at_once(clinic, *posts):
    """Each person's post, (address, values), sent together; the answers' status."""
    gate = threading.Barrier(2)

    def send(client, url, values):
        try:
            connection.ensure_connection()
            gate.wait(10)
            return client.post(url, values).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        jobs = zip(clinic.clients, posts, strict=True)
        sent = [pool.submit(send, client, *post) for client, post in jobs]
        return [each.result() for each in sent]


def test_what_is_signed_has_no_drafts_in_it(clinic):
    nora, sam = clinic.clients
    note = note_of(clinic.ada, clinic.nora)
    sign = at(clinic.ada, note.key, "sign")
    add = at(clinic.ada, note.key, "commands", "plan")
    plan = opened(sam, add) | {"narrative": "Rest"}
    signed, added = at_once(clinic, (sign, opened(nora, sign)), (add, plan))
    note.refresh_from_db()
    assert (signed == 302) == note.locked
    assert (added == 302) == bool(note.commands())
    assert (signed == 302) != (added == 302)


def test_a_draft_is_committed_once(clinic):
    nora, sam = clinic.clients
    signs = write(note_of(clinic.ada, clinic.nora), VitalSigns)
    url = of(signs, "vitals", "commit")
    got = at_once(clinic, (url, opened(nora, url)), (url, opened(sam, url)))
    assert 302 in got
    assert set(got) <= {200, 302, 409}
    assert Observation.objects.count() == len(signs.readings)


def test_an_appointment_gets_one_note(clinic):
    visit = appoint(clinic, clinic.ada)
    url = f"/patient/{clinic.ada.key}/appointments/{visit.key}/note/"
    assert at_once(clinic, (url, {}), (url, {})) == [302, 302]
    assert Note.objects.count() == 1
