"""Tokens of programs that act for themselves: getting them, using them, ending them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import give, make_application, token_of
from staffing.models import staff_of
from staffing.tests.programs import FORM, ask, basic, named, post
from staffing.tokens import find

pytestmark = pytest.mark.urls("staffing.tests.programs")
WRONG = "x" * 128


@pytest.fixture
def feed(cast):
    """A program that reads the profiles of North."""
    return make_application("Lab feed", "Profile read", "Patients: North")


def credentials(application, **data):
    return named(application, grant_type="client_credentials", **data)


# Getting one --------------------------------------------------------------------------


def test_a_program_gets_a_token_and_acts_as_its_service_staff(feed):
    answer = post("/auth/token/", credentials(feed))
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    given = answer.json()
    token = given.pop("access_token")
    assert given == {"expires_in": 600, "token_type": "Bearer", "scope": ""}
    seen = ask(token).json()
    assert seen == {
        "account": "program-lab-feed",
        "name": "Lab feed (program)",
        "application": "Lab feed",
        "may": ["read", "search", "update"],
        "groups": ["Patients: North", "Profile read"],
        "sees": True,
    }


def test_the_client_may_name_itself_in_the_header(feed):
    header = basic(feed.client_id, feed.secret)
    data = {"grant_type": "client_credentials", "scope": "user/Patient.read"}
    answer = post("/auth/token/", data, Authorization=header)
    assert answer.json()["scope"] == "user/Patient.read"


def test_each_token_is_on_the_trail_and_the_last_one_with_the_application(feed):
    token_of(feed, "user/Patient.rs")
    row = AuditRow.objects.get(action="token.issued")
    assert (row.actor, row.actor_name) == (feed.staff.user.key, "program-lab-feed")
    assert row.subject == f"application/{feed.key}"
    assert row.detail == {"grant": "client_credentials", "scope": "user/Patient.rs"}
    feed.refresh_from_db()
    assert clock.now() - feed.last_token < timedelta(minutes=1)


REFUSED = [
    ({"client_secret": WRONG}, 401, "invalid_client"),
    ({"client_secret": ""}, 401, "invalid_client"),
    ({"client_id": "nobody"}, 401, "invalid_client"),
    ({"client_id": "n\x00b"}, 400, "invalid_request"),
    ({"client_id": "é"}, 401, "invalid_client"),
    ({"grant_type": "password", "username": "nora"}, 400, "unsupported_grant_type"),
    ({"grant_type": "authorization_code", "code": "x"}, 400, "unauthorized_client"),
    ({"grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_grant"),
    ({"grant_type": "x"}, 400, "unsupported_grant_type"),
    ({"grant_type": ""}, 400, "unsupported_grant_type"),
    ({"scope": "patient/Patient.read"}, 400, "invalid_scope"),
    ({"scope": "user/Patient.read launch"}, 400, "invalid_scope"),
    ({"scope": "x" * 10_000}, 400, "invalid_request"),
]


def test_a_request_that_is_refused_says_so_in_json(feed):
    for changes, status, error in REFUSED:
        answer = post("/auth/token/", credentials(feed) | changes)
        told = (answer.status_code, answer.json()["error"])
        assert told == (status, error), changes
        assert answer["Cache-Control"] == "no-store"
    assert not AccessToken.objects.exists()


def test_parameters_in_the_address_and_other_bodies_are_refused(feed):
    data = credentials(feed)
    for answer in (
        post(f"/auth/token/?client_secret={feed.secret}", data),
        Client().post("/auth/token/", data),
        Client().post("/auth/token/", data, content_type="application/json"),
        Client().post("/auth/token/", "a=1&a=2", content_type=FORM),
        post("/auth/token/", data, Authorization=basic(feed.client_id, WRONG)),
    ):
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_request"
    assert Client().get("/auth/token/").status_code == 405
    assert not AccessToken.objects.exists()


def test_a_damaged_header_is_no_client(db):
    data = {"grant_type": "client_credentials"}
    for header in ("Basic é", "Basic %", "Basic ", "Basic AA==", "x"):
        answer = post("/auth/token/", data, Authorization=header)
        assert answer.status_code in (401, 429), header


def test_an_application_with_scopes_gets_no_others(feed):
    feed.scopes = "system/Patient.rs"
    feed.save()
    asked = post("/auth/token/", credentials(feed, scope="user/Patient.*"))
    assert asked.json()["error"] == "invalid_scope"
    assert ask(token_of(feed)).json()["may"] == ["read", "search"]
    assert ask(token_of(feed, "user/Patient.r")).json()["may"] == ["read"]


def test_wrong_secrets_are_counted_by_client_and_address(feed, monkeypatch):
    wrong = credentials(feed) | {"client_secret": WRONG}
    assert [post("/auth/token/", wrong).status_code for _ in range(6)] == [401] * 5 + [
        429
    ]
    refused = post("/auth/token/", credentials(feed))
    assert refused.status_code == 429
    assert refused["Retry-After"] == "900"
    assert refused.json()["error"] == "invalid_client"
    other = post("/auth/token/", credentials(make_application("Other")))
    assert other.status_code == 200
    body = "&".join(f"{name}={value}" for name, value in credentials(feed).items())
    elsewhere = Client(REMOTE_ADDR="10.9.8.7")
    answer = elsewhere.post("/auth/token/", body, content_type=FORM)
    assert answer.status_code == 200
    assert AuditRow.objects.filter(action="token.client").count() == 5
    row = AuditRow.objects.filter(action="token.client").first()
    assert row.detail == {"reason": "secret", "about": f"application/{feed.key}"}
    later = timezone.now() + timedelta(minutes=15, seconds=1)
    monkeypatch.setattr(clock.timezone, "now", lambda: later)
    assert post("/auth/token/", credentials(feed)).status_code == 200


def test_a_right_secret_begins_the_count_anew(feed):
    wrong = credentials(feed) | {"client_secret": WRONG}
    for _round in range(3):
        for _ in range(3):
            post("/auth/token/", wrong)
        assert post("/auth/token/", credentials(feed)).status_code == 200


# Using one ----------------------------------------------------------------------------


def test_a_token_is_found_by_one_question(feed, django_assert_num_queries):
    token = token_of(feed, "user/Patient.rs")
    with django_assert_num_queries(1):
        bearer = find(token)
        account = bearer.account
        assert account.live
        assert not account.may_sign_in
        assert account == feed.staff.user
        assert staff_of(account) == bearer.application.staff == feed.staff
        assert (account.key, account.username) == (
            feed.staff.user.key,
            "program-lab-feed",
        )
        assert account.get_full_name() == "Lab feed (program)"
        assert (bearer.application, bearer.application.key) == (feed, feed.key)
        assert bearer.allows("Patient", "search")
        assert not bearer.allows("Patient", "update")
        assert (account.is_active, account.is_superuser) == (True, False)


def test_no_token_and_any_other_is_401(db):
    unknown = ["", "x", "x" * 30, "x" * 5_000, "é" * 30, "a b", "\x00"]
    for answer in (Client().get("/whoami/"), *map(ask, unknown)):
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"


def test_a_token_in_the_address_or_in_the_body_is_refused(feed):
    token = token_of(feed)
    assert Client().get(f"/whoami/?access_token={token}").status_code == 401
    assert ask(token, f"/whoami/?access_token={token}").status_code == 401
    assert post("/whoami/", {"access_token": token}).status_code == 401
    kinds = [f"Token {token}", f"Basic {token}", token]
    for header in kinds:
        answer = Client().get("/whoami/", headers={"Authorization": header})
        assert answer.status_code == 401


def expire(feed, cast):
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))


def revoke(feed, cast):
    feed.revoke_tokens()


def switch_off_the_application(feed, cast):
    feed.active = False
    feed.save()


def switch_off_the_staff(feed, cast):
    feed.staff.active = False
    feed.staff.save()


def only_the_row_of_the_application(feed, cast):
    type(feed).objects.update(active=False)


def only_the_row_of_the_staff(feed, cast):
    type(feed.staff).objects.filter(pk=feed.staff.pk).update(active=False)


def only_the_account(feed, cast):
    type(feed.staff.user).objects.filter(pk=feed.staff.user.pk).update(is_active=False)


ENDS = [
    expire,
    revoke,
    switch_off_the_application,
    switch_off_the_staff,
    only_the_row_of_the_application,
    only_the_row_of_the_staff,
    only_the_account,
]


@pytest.mark.parametrize("end", ENDS)
def test_the_next_request_is_refused(cast, feed, end):
    token = token_of(feed)
    assert ask(token).status_code == 200
    end(feed, cast)
    assert ask(token).status_code == 401


@pytest.mark.parametrize("end", [switch_off_the_application, switch_off_the_staff])
def test_what_is_switched_off_gets_no_token_and_its_old_ones_stay_dead(cast, feed, end):
    token = token_of(feed)
    end(feed, cast)
    answer = post("/auth/token/", credentials(feed))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert AuditRow.objects.get(action="token.client").detail["reason"] == "inactive"
    for row in (feed, feed.staff):
        row.active = True
        row.save()
    assert ask(token).status_code == 401
    assert ask(token_of(feed)).status_code == 200


def test_a_group_that_is_taken_is_gone_at_the_next_request(feed):
    token = token_of(feed)
    assert ask(token).json()["sees"]
    for group in feed.staff.user.groups.all():
        feed.staff.revoke(group)
    assert ask(token).json()["sees"] is False


def test_without_groups_a_program_may_do_nothing(cast):
    seen = ask(token_of(make_application("Bare"))).json()
    assert (seen["groups"], seen["sees"]) == ([], False)


def test_a_token_opens_no_page_of_the_site(feed):
    give(feed.staff, "All Patients", "Clinical read", "Staff Permissions")
    token = token_of(feed)
    for url in ("/", "/patients/", "/admin/", "/account/", "/auth/authorize/"):
        assert "/login/?next=" in ask(token, url)["Location"]


def test_the_database_holds_no_token_and_no_secret(feed):
    token = token_of(feed)
    found = everything_stored()
    assert feed.client_id in found
    assert token not in found
    assert feed.secret not in found


def everything_stored():
    """Every row of every table, as one text."""
    found = []
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")  # noqa: S608
            found += map(str, cursor.fetchall())
    return "\n".join(found)


# Asking about one, and ending it ----------------------------------------------------------


def test_a_program_asks_about_its_own_tokens(feed):
    token = token_of(feed, "user/Patient.rs")
    answer = post("/auth/introspect/", named(feed, token=token))
    told = answer.json()
    left = told.pop("exp") - timezone.now().timestamp()
    assert 590 < left <= 600
    assert told == {
        "active": True,
        "token_type": "Bearer",
        "client_id": feed.client_id,
        "username": "program-lab-feed",
        "scope": "user/Patient.rs",
    }


def test_about_a_foreign_token_it_learns_nothing(feed):
    other = make_application("Other")
    token, foreign = token_of(feed), token_of(other)
    answers = [
        post("/auth/introspect/", named(feed, token=text))
        for text in (foreign, "x" * 30, "", "é")
    ]
    assert {(a.status_code, a.content) for a in answers} == {
        (200, b'{"active": false}')
    }
    for data in ({"token": token}, named(feed, token=token, client_secret=WRONG)):
        refused = post("/auth/introspect/", data)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert Client().get(f"/auth/introspect/?token={token}").status_code == 405
    assert post(f"/auth/introspect/?token={token}", named(feed)).status_code == 400


def test_a_program_ends_its_own_token_and_no_other(feed):
    other = make_application("Other")
    token, foreign = token_of(feed), token_of(other)
    for text in (foreign, token, "unknown"):
        answer = post("/auth/revoke_token/", named(feed, token=text))
        assert (answer.status_code, answer.content) == (200, b"")
    assert ask(token).status_code == 401
    assert ask(foreign).status_code == 200
    refused = post("/auth/revoke_token/", {"token": foreign})
    assert refused.status_code == 401
    assert ask(foreign).status_code == 200
    assert AuditRow.objects.filter(action="token.revoked").count() == 3
