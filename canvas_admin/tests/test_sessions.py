"""How long a session lasts, what ends it at once, and what a browser may keep."""

from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

PASSWORD = "a sentence nobody else says"
OTHER = "another sentence for another day"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """wait(by) moves the clock of everything on; it stands still otherwise."""
    clock = SimpleNamespace(now=timezone.now())
    monkeypatch.setattr(timezone, "now", lambda: clock.now)

    def moved(by: timedelta) -> None:
        clock.now += by

    return moved


@pytest.fixture
def nora(cast: SimpleNamespace) -> Callable[[], Client]:
    """nora() signs in, as from one more browser, and opens a page."""
    cast.nora.user.set_password(PASSWORD)
    cast.nora.user.save()

    def another() -> Client:
        client = Client()
        client.post("/account/login/", {"login": "nora", "password": PASSWORD})
        assert is_signed_in(client)
        return client

    return another


def is_signed_in(client: Client) -> bool:
    return client.get("/account/").status_code == 200


def seconds_left(client: Client) -> int:
    return client.get("/account/session/").json()["seconds_left"]


# Time -------------------------------------------------------------------------------


def test_a_session_lasts_15_idle_minutes(nora: Any, wait: Any) -> None:
    client = nora()
    wait(15 * MINUTE - timedelta(seconds=1))
    assert is_signed_in(client)
    wait(15 * MINUTE + timedelta(seconds=1))
    answer = client.get("/account/")
    assert answer["Location"].startswith("/account/login/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'


def test_work_in_any_tab_prolongs_the_session(nora: Any, wait: Any) -> None:
    client = nora()
    for _page in range(6):
        wait(14 * MINUTE)
        assert is_signed_in(client)


def test_asking_how_long_it_lasts_does_not_prolong_it(nora: Any, wait: Any) -> None:
    client = nora()
    for minute in range(1, 15):
        wait(MINUTE)
        assert seconds_left(client) == (15 - minute) * 60
    wait(MINUTE)
    assert seconds_left(client) == 0
    assert not is_signed_in(client)


def test_asking_alone_never_keeps_a_fresh_session(
    cast: SimpleNamespace, nora: Any, wait: Any
) -> None:
    client = Client()
    client.post("/account/login/", {"login": "nora", "password": PASSWORD})
    wait(10 * MINUTE)
    assert seconds_left(client) == 5 * 60


def test_a_session_ends_after_12_hours_of_work(nora: Any, wait: Any) -> None:
    client = nora()
    for _page in range(71):
        wait(10 * MINUTE)
        assert is_signed_in(client)
    assert seconds_left(client) == 10 * 60
    wait(10 * MINUTE)
    assert not is_signed_in(client)


def test_a_form_sent_too_late_saves_nothing(
    cast: SimpleNamespace, nora: Any, wait: Any
) -> None:
    client = nora()
    wait(16 * MINUTE)
    form = {"oldpassword": PASSWORD, "password1": OTHER, "password2": OTHER}
    answer = client.post("/account/password/", form)
    assert answer["Location"].startswith("/account/login/")
    cast.nora.user.refresh_from_db()
    assert cast.nora.user.check_password(PASSWORD)


def test_an_overdue_session_leaves_the_list_of_sessions(nora: Any, wait: Any) -> None:
    nora()
    wait(16 * MINUTE)
    assert "You are signed in here alone." in nora().get("/account/sessions/").text


def test_a_session_of_nobody_has_no_time_left(db: None) -> None:
    assert seconds_left(Client()) == 0


# What ends it at once ---------------------------------------------------------------


def test_deactivating_a_person_ends_the_sessions(
    cast: SimpleNamespace, nora: Any
) -> None:
    clients = [nora(), nora()]
    cast.nora.active = False
    cast.nora.save()
    assert [is_signed_in(client) for client in clients] == [False, False]


def test_a_return_does_not_bring_old_sessions_back(
    cast: SimpleNamespace, nora: Any
) -> None:
    client = nora()
    cast.nora.active = False
    cast.nora.save()
    cast.nora.active = True
    cast.nora.save()
    assert not is_signed_in(client)


def test_an_account_switched_off_in_the_database_is_out_too(
    cast: SimpleNamespace, nora: Any
) -> None:
    client = nora()
    rows = type(cast.nora).objects.filter(pk=cast.nora.pk)
    rows.update(active=False)
    answer = client.get("/account/")
    assert answer.status_code == 302
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    rows.update(active=True)
    assert not is_signed_in(client)


def test_a_new_password_ends_the_other_sessions(nora: Any) -> None:
    here, elsewhere = nora(), nora()
    form = {"oldpassword": PASSWORD, "password1": OTHER, "password2": OTHER}
    here.post("/account/password/", form)
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)


def test_a_wrong_old_password_changes_nothing(cast: SimpleNamespace, nora: Any) -> None:
    here, elsewhere = nora(), nora()
    form = {"oldpassword": OTHER, "password1": OTHER, "password2": OTHER}
    assert here.post("/account/password/", form).status_code == 200
    assert is_signed_in(elsewhere)


def test_a_person_signs_out_everywhere_else(nora: Any) -> None:
    here, elsewhere = nora(), nora()
    assert "Sign out everywhere else" in here.get("/account/sessions/").text
    here.post("/account/sessions/")
    assert is_signed_in(here)
    answer = elsewhere.get("/account/")
    assert answer.status_code == 302
    assert answer["Clear-Site-Data"] == '"cache", "storage"'


def test_signing_out_here_leaves_the_other_sessions(nora: Any) -> None:
    here, elsewhere = nora(), nora()
    here.post("/account/logout/")
    assert not is_signed_in(here)
    assert is_signed_in(elsewhere)


def test_the_session_is_a_new_one_after_signing_in(nora: Any) -> None:
    client = Client()
    client.get("/account/login/")
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    client.cookies["sessionid"] = planted
    client.post("/account/login/", {"login": "nora", "password": PASSWORD})
    assert is_signed_in(client)
    assert client.cookies["sessionid"].value != planted


# What a browser may keep ------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/account/", "/patients/", "/account/session/", "/no/such/page/", "/"]
)
def test_no_answer_to_a_person_is_kept(nora: Any, path: str) -> None:
    assert nora().get(path)["Cache-Control"] == "no-store"


def test_the_cookie_is_closed_to_scripts_and_other_sites(nora: Any) -> None:
    cookie = nora().cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["expires"]


def test_the_clock_is_never_in_the_session_of_a_visitor(db: None) -> None:
    client = Client()
    client.get("/account/login/")
    assert "sessionid" not in client.cookies


def test_times_are_kept_as_numbers_of_this_clock(nora: Any, wait: Any) -> None:
    client = nora()
    seen = datetime.fromtimestamp(client.session["seen"], tz=timezone.now().tzinfo)
    assert seen == timezone.now()


@pytest.mark.parametrize(
    "key", [r'"aaaaaaaaaaaa\000"', r'"aaaaaaaa\377\377"', "a" * 5000, "a b c d e f g h"]
)
def test_a_cookie_that_is_no_key_is_nobodys(db, key):
    client = Client(HTTP_COOKIE=f"{settings.SESSION_COOKIE_NAME}={key}")
    assert client.get("/account/login/").status_code == 200
    assert client.get("/patients/").status_code == 302
