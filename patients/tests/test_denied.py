"""Hidden, missing and malformed keys get one answer, whatever is asked of them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give
from canvas_admin.tests.masking import masked

MISSING = "0123456789abcdef" * 2
METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")
PAGES = ("/patient/{}/", "/patient/{}/profile/")
MALFORMED = {
    "another missing one": "f" * 32,
    "upper case": MISSING.upper(),
    "too short": "abc",
    "too long": MISSING + "0",
    "a uuid": "01234567-89ab-cdef-0123-456789abcdef",
    "an integer": "1",
    "NUL": "%00",
    "NUL behind": MISSING + "%00",
    "a line break": MISSING + "%0A",
    "full-width digits": "%EF%BC%91" * 32,
    "Cyrillic": "а" * 32,
    "a lone surrogate": "%ED%A0%80",
    "broken UTF-8": "%FF%FE",
    "markup": "<script>alert(1)</script>".replace("/", "%2e"),
    "SQL": "' OR 1=1--",
    "ten thousand characters": "a" * 10_000,
}


@pytest.mark.parametrize("page", PAGES)
def test_hidden_and_missing_take_the_same_questions(cast, signed_in, page):
    """So that the time of a refusal does not tell one from the other."""
    client, taken = signed_in("nora"), []
    for key in (MISSING, cast.ben.key, MISSING, cast.ben.key):
        with CaptureQueriesContext(connection) as captured:
            client.get(page.format(key))
        taken.append(len(captured))
    assert taken[2] == taken[3]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("method", METHODS)
def test_hidden_and_missing_are_alike_for_every_method(cast, signed_in, page, method):
    client = signed_in("nora")
    hidden = getattr(client, method)(page.format(cast.ben.key))
    missing = getattr(client, method)(page.format(MISSING))
    assert hidden.status_code == (403 if method in ("get", "head") else 405)
    assert masked(hidden, cast.ben.key) == masked(missing, MISSING)
    assert len(hidden.getvalue()) == len(missing.getvalue())


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_key_is_like_a_missing_one(signed_in, page, method):
    ask = getattr(signed_in("nora"), method)
    expected = masked(ask(page.format(MISSING)), MISSING)
    for name, key in MALFORMED.items():
        assert masked(ask(page.format(key)), key) == expected, name


@pytest.mark.parametrize("page", PAGES)
def test_without_a_permission_one_s_own_patient_is_like_a_missing_one(
    cast, signed_in, page
):
    cast.olga.grant(cast.north.auth_group)
    cast.max.grant(cast.north.auth_group)
    for name in ("nil", "max"):
        client = signed_in(name)
        hidden = client.get(page.format(cast.ada.key))
        missing = client.get(page.format(MISSING))
        assert hidden.status_code == 403
        assert masked(hidden, cast.ada.key) == masked(missing, MISSING)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("method", METHODS)
def test_a_visitor_is_sent_to_sign_in_alike(cast, signed_in, page, method):
    client = signed_in(None)
    hidden = getattr(client, method)(page.format(cast.ada.key))
    missing = getattr(client, method)(page.format(MISSING))
    assert masked(hidden, cast.ada.key) == masked(missing, MISSING)


def test_the_denied_screen_names_nobody(cast, signed_in):
    html = signed_in("nora").get(f"/patient/{cast.ben.key}/").content.decode()
    for secret in ("Brandt", cast.ben.key, cast.ben.mrn, "South", "North"):
        assert secret not in html


def test_a_refusal_is_audited_with_a_printable_key(cast, signed_in):
    client = signed_in("nora")
    AuditRow.objects.all().delete()
    for key in (cast.ben.key, "%00<b>", "a" * 10_000):
        client.get(f"/patient/{key}/")
    refused = AuditRow.objects.filter(outcome="refused").exclude(patient="")
    assert [row.patient for row in refused.order_by("pk")] == [
        cast.ben.key,
        "??b?",
        "a" * 64,
    ]


def test_the_mask_hides_no_real_difference(cast, signed_in):
    client = signed_in("nora")
    give(cast.nora, "Profile read")
    shown = client.get(f"/patient/{cast.ada.key}/")
    hidden = client.get(f"/patient/{cast.ben.key}/")
    assert masked(shown, cast.ada.key) != masked(hidden, cast.ben.key)
    profile = client.get(f"/patient/{cast.ada.key}/profile/")
    assert masked(shown, cast.ada.key) != masked(profile, cast.ada.key)
