"""Two people who change the same part of one profile at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from canvas_admin.testing import give, make_cast
from canvas_admin.tests.addresses import furnish
from patients.models import Patient
from patients.tests.profile_pages import GOOD, address, good, values_of

ROUNDS = 3


@pytest.fixture
def clinic(transactional_db):
    """olga and sam, each with the right to change ada's profile, signed in."""
    cast = make_cast()
    furnish(cast)
    give(cast.olga, "Patients: North")
    give(cast.sam, "Patients: North", "Profile write")
    cast.clients = [Client(), Client()]
    for client, staff in zip(cast.clients, (cast.olga, cast.sam), strict=True):
        client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    return cast


def post_at_once(cast, slug, *forms):
    """Each person's form for a new row, sent together; the answers' status, sorted."""
    url, gate = address(cast.ada, slug, "new"), threading.Barrier(2)
    filled = [
        values_of(client, url) | form
        for client, form in zip(cast.clients, forms, strict=True)
    ]

    def post(client, values):
        try:
            connection.ensure_connection()
            gate.wait(10)
            return client.post(url, values).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(post, cast.clients, filled))


def test_of_two_coverages_of_one_rank_one_is_saved(clinic):
    for rank in ("2", "3"):
        form = GOOD["coverages"] | {"rank": rank}
        assert post_at_once(clinic, "coverages", form, form) == [200, 302]
    assert clinic.ada.coverages.filter(active=True).count() == 3


def test_of_two_answers_to_one_consent_one_is_saved(clinic):
    form = good(clinic, "consents")
    other = form | {"state": "rejected"}
    assert post_at_once(clinic, "consents", form, other) == [200, 302]
    assert clinic.ada.consents.count() == 2


def test_of_two_people_in_one_role_one_joins(clinic):
    clinic.ada.care_team.update(status="inactive")
    form = good(clinic, "care-team")
    other = form | {"staff": clinic.nora.key}
    assert post_at_once(clinic, "care-team", form, other) == [200, 302]
    assert clinic.ada.care_team.filter(status="active").count() == 1


def test_of_two_official_names_one_is_left(clinic):
    for number in range(ROUNDS):
        names = [f"One{number}", f"Two{number}"]
        forms = [{"use": "official", "given": "Ada", "family": n} for n in names]
        assert post_at_once(clinic, "names", *forms) == [302, 302]
        (official,) = clinic.ada.names.filter(use="official")
        assert official.family in names
        assert Patient.objects.get(pk=clinic.ada.pk).last_name == official.family
