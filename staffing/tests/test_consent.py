"""A person lets a program act for them: authorization code with PKCE, by HTTP."""

import base64
import hashlib
import re
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from oauth2_provider.models import AccessToken, Grant, RefreshToken

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import make_application
from canvas_admin.tests.signing_in import PASSWORD, sign_in, with_password
from staffing.consent import KINDS
from staffing.models import Application
from staffing.scopes import EVERY_TYPE, TYPES
from staffing.tests.programs import ask, named, post

pytestmark = pytest.mark.urls("staffing.tests.programs")
BACK = "https://app.example/back?from=clinic"
VERIFIER = "v" * 64
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest())
    .decode()
    .rstrip("=")
)


@pytest.fixture
def app(cast):
    """A program that acts for people."""
    return make_application(
        "Rounds", authorization_grant_type=Application.Grant.CODE, redirect_uris=BACK
    )


@pytest.fixture
def nora(signed_in):
    return signed_in("nora")


def address(app, **changes):
    """Where the program sends somebody; None leaves a parameter out."""
    data = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": BACK,
        "state": "s1",
        "scope": "user/Patient.rs",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    given = {name: value for name, value in data.items() if value is not None}
    return f"/auth/authorize/?{urlencode(given)}"


def told(answer):
    """What the program is told by the address to which the person is sent back."""
    assert answer.status_code == 302
    assert answer["Location"].startswith("https://app.example/back?from=clinic&")
    query = parse_qs(urlsplit(answer["Location"]).query)
    return {name: values[0] for name, values in query.items()}


def code_of(client, app, **changes):
    return told(client.post(address(app, **changes), {"allow": "yes"}))["code"]


def exchange(app, code, /, **changes):
    """The answer to a code."""
    data = named(
        app,
        grant_type="authorization_code",
        code=code,
        redirect_uri=BACK,
        code_verifier=VERIFIER,
    )
    return post("/auth/token/", data | changes)


def tokens_of(client, app, **changes):
    return exchange(app, code_of(client, app, **changes)).json()


def refresh(app, token, **changes):
    data = named(app, grant_type="refresh_token", refresh_token=token)
    return post("/auth/token/", data | changes)


# The question ---------------------------------------------------------------------------


def test_the_page_says_who_asks_for_what(app, nora):
    page = nora.get(address(app))
    text = page.content.decode()
    for words in ("Rounds", "Patients", "read, search", "nora", "app.example"):
        assert words in text
    (forms,) = re.findall(r"form-action ([^;]*)", page["Content-Security-Policy"])
    assert sorted(forms.split()) == ["'self'", "https://app.example"]
    assert page["Cache-Control"] == "no-store"
    assert "All that you may do" in nora.get(address(app, scope=None)).content.decode()
    assert not Grant.objects.exists()


def test_each_kind_that_can_be_asked_for_has_a_name_in_plain_words():
    assert set(KINDS) == {EVERY_TYPE, *TYPES}


def test_whoever_is_not_signed_in_signs_in_first(cast, app):
    with_password(cast.nora.user)
    client, there = Client(), address(app)
    to_sign_in = client.get(there)["Location"]
    answer = client.post(to_sign_in, {"login": "nora", "password": PASSWORD})
    assert answer["Location"] == there
    assert code_of(client, app)


def test_the_program_acts_as_the_person(cast, app, nora):
    answer = exchange(app, code_of(nora, app))
    given = answer.json()
    token, again = given.pop("access_token"), given.pop("refresh_token")
    assert given == {
        "expires_in": 600,
        "token_type": "Bearer",
        "scope": "user/Patient.rs",
    }
    seen = ask(token).json()
    assert (seen["account"], seen["application"]) == ("nora", "Rounds")
    assert seen["may"] == ["read", "search"]
    assert seen["groups"] == sorted(
        cast.nora.user.groups.values_list("name", flat=True)
    )
    acts = AuditRow.objects.filter(actor=cast.nora.user.key).order_by("pk")
    assert [row.action for row in acts] == ["token.consent", "token.issued"]
    assert again not in token


def test_no_is_told_to_the_program_and_kept(app, nora):
    answer = told(nora.post(address(app), {"deny": "yes"}))
    assert (answer["error"], answer["state"]) == ("access_denied", "s1")
    assert AuditRow.objects.get(action="token.declined").actor_name == "nora"
    assert not Grant.objects.exists()


def test_the_way_back_names_the_site_and_carries_the_state(app, nora):
    answer = told(nora.post(address(app), {"allow": "yes"}))
    assert (answer["state"], answer["iss"]) == ("s1", "http://testserver")


SENT_BACK = [
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge": "x" * 200}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code token"}, "unauthorized_client"),
    ({"response_type": None}, "invalid_request"),
    ({"scope": "patient/Patient.read"}, "invalid_scope"),
    ({"scope": "openid"}, "invalid_scope"),
]
NOT_SENT_BACK = [
    {"client_id": "nobody"},
    {"client_id": None},
    {"client_id": "\x00"},
    {"redirect_uri": "https://app.example/back"},
    {"redirect_uri": "https://elsewhere.example/"},
    {"redirect_uri": "http://app.example/back?from=clinic"},
    {"redirect_uri": "javascript:alert(1)"},
]


def test_what_the_program_did_wrong_is_told_to_the_program(app, nora):
    for changes, error in SENT_BACK:
        for answer in (
            nora.get(address(app, **changes)),
            nora.post(address(app, **changes), {"allow": "yes"}),
        ):
            assert told(answer)["error"] == error, changes
    assert not Grant.objects.exists()


def test_nobody_is_sent_to_a_place_that_is_not_the_programs(app, nora):
    there = [address(app, **changes) for changes in NOT_SENT_BACK]
    there += [
        address(app) + "&client_id=x",
        "/auth/authorize/?%zz&&=",
        address(app)[:40],
    ]
    for url in there:
        for answer in (nora.get(url), nora.post(url, {"allow": "yes"})):
            assert answer.status_code == 400, url
            assert "Nothing was allowed" in answer.content.decode()
    assert not Grant.objects.exists()


def test_a_program_that_acts_for_itself_has_no_consent(cast, nora):
    feed = make_application("Lab feed", redirect_uris=BACK)
    assert told(nora.get(address(feed)))["error"] == "unauthorized_client"


@pytest.mark.parametrize("which", ["application", "staff"])
def test_a_program_that_is_switched_off_cannot_ask(app, nora, which):
    row = app if which == "application" else app.staff
    row.active = False
    row.save()
    assert nora.get(address(app)).status_code == 400


def test_odd_parameters_of_others_are_left_alone(app, nora):
    odd = {"nonce": "n" * 400, "claims": "[", "resource": "x", "prompt": "consent"}
    given = tokens_of(nora, app, **odd)
    assert ask(given["access_token"]).status_code == 200


# The code -------------------------------------------------------------------------------


def test_a_code_needs_its_verifier_its_client_and_its_address(app, nora):
    other = make_application(
        "Other", authorization_grant_type=Application.Grant.CODE, redirect_uris=BACK
    )
    code = code_of(nora, app)
    for changes in (
        {"code_verifier": "w" * 64},
        {"code_verifier": ""},
        {"redirect_uri": "https://app.example/"},
        {"client_secret": "x" * 128},
        {"client_secret": ""},
        {"code": "x" * 30},
        {"client_id": other.client_id, "client_secret": other.secret},
    ):
        answer = exchange(app, code, **changes)
        assert answer.status_code in (400, 401), changes
    assert not AccessToken.objects.exists()
    assert exchange(app, code).status_code == 200


def test_a_code_is_good_once_and_for_a_minute(app, nora, monkeypatch):
    code = code_of(nora, app)
    assert exchange(app, code).status_code == 200
    assert exchange(app, code).json()["error"] == "invalid_grant"
    late = code_of(nora, app)
    Grant.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert exchange(app, late).json()["error"] == "invalid_grant"


# Afterwards -----------------------------------------------------------------------------


def leave(cast):
    cast.nora.active = False
    cast.nora.save()


def only_the_row(cast):
    type(cast.nora).objects.filter(pk=cast.nora.pk).update(active=False)


def choose_a_password(cast):
    with_password(cast.nora.user)
    client = sign_in("nora").client
    new = "another sentence for another day"
    data = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post("/account/password/", data).status_code == 302


def lose_the_service_staff(cast):
    staff = Application.objects.get().staff
    staff.active = False
    staff.save()


@pytest.mark.parametrize(
    "end", [leave, only_the_row, choose_a_password, lose_the_service_staff]
)
def test_whoever_leaves_takes_the_program_along(cast, app, nora, end):
    given, code = tokens_of(nora, app), code_of(nora, app)
    assert ask(given["access_token"]).status_code == 200
    end(cast)
    assert ask(given["access_token"]).status_code == 401
    assert refresh(app, given["refresh_token"]).status_code in (400, 401)
    assert exchange(app, code).status_code in (400, 401)


def test_a_refresh_token_is_good_once_and_tells_when_it_is_used_again(app, nora):
    first = tokens_of(nora, app)
    second = refresh(app, first["refresh_token"]).json()
    assert ask(first["access_token"]).status_code == 401
    assert ask(second["access_token"]).json()["account"] == "nora"
    assert second["scope"] == "user/Patient.rs"
    again = refresh(app, first["refresh_token"])
    assert again.json()["error"] == "invalid_grant"
    assert ask(second["access_token"]).status_code == 401
    assert refresh(app, second["refresh_token"]).status_code == 400


def test_a_refresh_token_asks_for_no_more_than_was_consented(app, nora):
    given = tokens_of(nora, app)
    more = refresh(app, given["refresh_token"], scope="user/Patient.*")
    assert more.json()["error"] == "invalid_scope"


def test_twelve_hours_after_the_consent_it_is_over(app, nora, monkeypatch):
    given = tokens_of(nora, app)
    RefreshToken.objects.update(created=timezone.now() - timedelta(hours=11))
    given = refresh(app, given["refresh_token"]).json()
    eldest = RefreshToken.objects.order_by("created").first()
    created = timezone.now() - timedelta(hours=12, seconds=1)
    RefreshToken.objects.filter(pk=eldest.pk).update(created=created)
    assert refresh(app, given["refresh_token"]).json()["error"] == "invalid_grant"
    assert clock.now() - created > timedelta(hours=12)


def test_the_database_holds_neither_of_both(app, nora):
    given = tokens_of(nora, app)
    rows = [*AccessToken.objects.values_list(), *RefreshToken.objects.values_list()]
    for name in ("access_token", "refresh_token"):
        assert given[name] not in str(rows)
    assert not Grant.objects.exists()
