"""Requests for access, from the grey row to the chart and to the end of the access."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import give, make_patient
from patients.models import AccessRequest, Patient
from patients.tests.asking import (
    ASK,
    LIST,
    MINE,
    REASON,
    SEARCH,
    ask,
    decline,
    grant,
    handle_of,
    handles_in,
    on_the_trail,
    page_of,
    send,
    state_of,
    withdraw,
)
from patients.views import access_requests, request_access

TWELVE = (
    "Schedule write",
    "Profile read",
    "Profile write",
    "Clinical read",
    "Clinical write",
    "Revenue access",
    "Patient create",
    "Document read",
    "Document write",
    "Data integration access",
    "Printing access",
    "Tasking access",
)
KEY = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-")


@pytest.fixture
def nora(signed_in):
    return signed_in("nora")


@pytest.fixture
def ruth(signed_in):
    return signed_in("ruth")


@pytest.fixture
def later(monkeypatch):
    """later(days=1): as if so much time had gone by."""

    def set_clock(**time):
        moment = timezone.now() + timedelta(**time)
        monkeypatch.setattr(clock, "now", lambda: moment)

    return set_clock


# The story


def test_nora_asks_ruth_grants_for_a_week_and_then_it_is_over(
    cast, nora, ruth, signed_in, later
):
    chart = f"/patient/{cast.ben.key}/"
    assert nora.get(chart).status_code == 403
    form = nora.post(ASK, {"patient": handle_of(nora)}).content.decode()
    assert "Ben Brandt" in form
    assert "4 Mar 1975" in form
    assert "Your request was sent." in _text(send(nora, *_handles(form)), nora)
    assert "Waits for a decision" in _text(nora.get(MINE))

    waiting = _text(ruth.get(LIST))
    for word in ("Nora Example", "Ben Brandt, born 4 Mar 1975", REASON, "North"):
        assert word in waiting
    (link,) = re.findall(r'href="([^"]*/change/)"', waiting)
    form = ruth.get(link)
    post = {name: form.context["grant"][name].value() for name in ("form_version",)}
    post |= {"group": cast.north.public_id, "grant": "1"}
    end = timezone.localtime(form.context["grant"]["end_date"].initial)
    post["end_date"] = end.strftime("%Y-%m-%dT%H:%M")
    assert "Granted: “North” opens the patient to Nora" in _text(
        ruth.post(link, post), ruth
    )

    assert "1 of your requests was decided" in _text(nora.get(MINE))
    again = _text(nora.get(MINE))
    assert "1 of your requests was decided" not in again
    assert f'href="{chart}"' in again
    assert "Granted by Ruth Example" in again
    assert nora.get(chart).status_code == 200
    assert ruth.get(chart).status_code == 403, "deciding is not access"
    later(days=6, hours=23)
    assert signed_in("nora").get(chart).status_code == 200
    later(days=7, minutes=1)
    assert signed_in("nora").get(chart).status_code == 403
    assert f'href="{chart}"' not in _text(signed_in("nora").get(MINE))


def _handles(text):
    return re.findall(r'name="patient" value="([^"]*)"', text)


def _text(response, client=None):
    """The page, or the one that a redirect leads to."""
    if client and response.status_code == 302:
        response = client.get(response["Location"])
    return response.content.decode()


# The grey row


def test_a_grey_row_carries_a_handle_and_nothing_else_of_the_patient(cast, nora):
    text = _text(nora.post(SEARCH, {"q": "brandt", "see_all": "1"}))
    (row,) = re.findall(r"<tr class=\"out-of-reach\">.*?</tr>", text, re.DOTALL)
    assert "Request access" in row
    for secret in (cast.ben.key, cast.ben.mrn, f'"{cast.ben.pk}"', "href", "data-key"):
        assert secret not in row
    assert not KEY.search(row)
    assert "brandt" not in ASK


def test_a_row_within_reach_has_no_such_button(nora):
    response = nora.post(SEARCH, {"q": "ada", "see_all": "1"})
    assert handles_in(response) == []
    assert handles_in(nora.post(SEARCH, {"q": "ada"})) == []


def test_the_denied_screen_has_no_such_button(cast, nora):
    denied = _text(nora.get(f"/patient/{cast.ben.key}/"))
    assert "Request access" not in denied
    assert ASK not in denied


@pytest.mark.parametrize("group", TWELVE)
def test_a_holder_of_any_of_the_twelve_may_ask(cast, signed_in, group):
    give(cast.nil, group)
    client = signed_in("nil")
    assert ask(client).staff == cast.nil
    assert MINE in _text(client.get("/account/"))


@pytest.mark.parametrize("name", [None, "ines", "nil", "ruth"])
def test_nobody_else_may(cast, signed_in, name):
    client = signed_in(name)
    for address in (ASK, MINE):
        for response in (client.get(address), client.post(address)):
            refused = response.status_code == 403
            assert refused or "/login/" in response["Location"]
    if name:
        assert MINE not in _text(client.get("/account/"))


# Asking


def test_asking_keeps_what_was_said_and_opens_nothing(cast, nora):
    asked = ask(nora, reason="  Covers\r\n South \u2028 today. ", wanted_for="day")
    assert (asked.staff, asked.patient, asked.state) == (cast.nora, cast.ben, "open")
    assert asked.reason == "Covers South today."
    assert asked.wanted_for == "day"
    assert asked.decided_at is None
    assert not Patient.objects.accessible_to(cast.nora.user).contains(cast.ben)


def test_asking_again_shows_the_open_one(cast, nora):
    asked = ask(nora)
    for post in ({}, {"reason": "Something else, please.", "send": "1"}):
        text = _text(nora.post(ASK, {"patient": handle_of(nora)} | post))
        assert "You have asked for this patient already" in text
        assert REASON in text
        assert "Send the request" not in text
    assert AccessRequest.objects.get() == asked


def test_two_people_may_ask_for_the_same_patient(cast, nora, signed_in):
    ask(nora)
    ask(signed_in("olga"))
    assert AccessRequest.objects.count() == 2


def test_a_handle_makes_one_request_however_often_it_is_sent(cast, nora, ruth):
    handle = handle_of(nora)
    send(nora, handle)
    asked = AccessRequest.objects.get()
    decline(ruth, asked, answer="Ask the South clinic.")
    text = _text(send(nora, handle))
    assert "This page was sent before" in text
    assert "Declined by Ruth Example" in text
    assert AccessRequest.objects.count() == 1
    ask(nora)
    assert AccessRequest.objects.count() == 2, "from a new page one may ask anew"


def test_whoever_reaches_the_patient_meanwhile_is_led_to_the_chart(cast, nora):
    handle = handle_of(nora)
    cast.north.add(cast.ben)
    for post in ({}, {"reason": REASON, "wanted_for": "day", "send": "1"}):
        response = nora.post(ASK, {"patient": handle} | post)
        assert response["Location"] == f"/patient/{cast.ben.key}/"
    assert "You can open this patient already." in _text(response, nora)
    assert not AccessRequest.objects.exists()


def test_without_the_right_to_open_a_chart_nobody_is_led_to_one(cast, signed_in):
    give(cast.nil, "Schedule write", "Patients: North")
    client = signed_in("nil")
    handle = handle_of(client)
    cast.north.add(cast.ben)
    response = client.post(ASK, {"patient": handle})
    assert response["Location"] == MINE
    text = _text(response, client)
    assert "within your reach already" in text
    assert cast.ben.key not in text


def test_twenty_requests_an_hour(cast, nora, monkeypatch):
    names = request_access.__wrapped__.__globals__
    assert names["ASKS_PER_HOUR"] == 20
    monkeypatch.setitem(names, "ASKS_PER_HOUR", 2)
    for number in range(3):
        make_patient(f"Eve{number}", "Sample", cast.ada.birth_date)
    ask(nora, "eve0")
    ask(nora, "eve1")
    handle = handle_of(nora, "eve2")
    refused = send(nora, handle)
    assert refused.status_code == 429
    assert "2 requests within an hour" in _text(refused)
    assert REASON in _text(refused), "what was typed is still there"
    assert _handles(_text(refused)) == [handle]
    assert AccessRequest.objects.count() == 2
    row = AuditRow.objects.get(action="access_request.ask", outcome="refused")
    assert row.detail == {"reason": "ration"}


# My access requests


def test_an_empty_page_says_how_to_ask(nora):
    assert "press “Request access” beside the grey name" in _text(nora.get(MINE))


def test_the_page_shows_name_birth_date_and_mark_alone(cast, nora):
    ask(nora)
    cast.ben.active = False
    cast.ben.save()
    text = _text(nora.get(MINE))
    for word in ("Ben Brandt", "outside your reach", "4 Mar 1975", "Inactive", REASON):
        assert word in text
    for secret in (cast.ben.key, cast.ben.mrn, "South<", cast.south.public_id):
        assert secret not in text


def test_nobody_sees_or_withdraws_anothers_request(cast, nora, signed_in):
    asked = ask(nora)
    olga = signed_in("olga")
    assert "Ben Brandt" not in _text(olga.get(MINE))
    foreign = _text(withdraw(olga, asked))
    missing = _text(withdraw(olga, asked, withdraw="0" * 32))
    assert "You have no such request" in foreign
    assert "You have no such request" in missing
    assert state_of(asked) == "open"


def test_an_open_request_is_withdrawn_once(cast, nora, ruth):
    asked = ask(nora)
    assert "Your request is withdrawn." in _text(withdraw(nora, asked))
    assert state_of(asked) == "withdrawn"
    for version in (asked.version, asked.version + 1):
        text = _text(withdraw(nora, asked, form_version=version))
        assert "closed already: withdrawn by Nora Example" in text
    assert "of your requests was decided" not in _text(nora.get(MINE))
    assert "closed already" in _text(grant(ruth, asked, cast.north))
    assert not cast.north.memberships.filter(member=cast.ben).exists()


@pytest.mark.parametrize("version", ["", "\x00", "9", "-1", "9" * 5000, "²"])
def test_a_button_of_another_version_withdraws_nothing(nora, version):
    asked = ask(nora)
    assert "out of date" in _text(withdraw(nora, asked, form_version=version))
    assert state_of(asked) == "open"


def test_a_declined_request_shows_the_answer(cast, nora, ruth):
    asked = ask(nora)
    decline(ruth, asked, answer="Ask the <South> clinic.")
    text = _text(nora.get(MINE))
    assert "1 of your requests was decided" in text
    assert "Answer: Ask the &lt;South&gt; clinic." in text
    assert "Ben Brandt" in text


def test_looking_without_reading_keeps_the_news(cast, nora, ruth):
    decline(ruth, ask(nora))
    nora.head(MINE)
    assert "1 of your requests was decided" in _text(nora.get(MINE))


def test_many_requests_are_pages_of_as_many_queries(cast, nora, monkeypatch):
    monkeypatch.setitem(access_requests.__wrapped__.__globals__, "ROWS", 3)
    taken, seen = [], []
    for number in range(7):
        patient = make_patient(f"Eve{number}", "Sample", cast.ada.birth_date)
        AccessRequest.objects.create(patient=patient, staff=cast.nora, reason=REASON)
    nora.get(MINE)
    address = MINE
    while address:
        with CaptureQueriesContext(connection) as queries:
            text = _text(nora.get(address))
        assert not [q for q in queries if "COUNT(" in q["sql"].upper()]
        found = re.findall(r"(Eve\d) Sample", re.sub("aria-label=.*", "", text))
        taken.append(len(queries))
        seen += found
        more = re.search(r'href="(\?after=[^"]*)"', text)
        address = more and MINE + more[1]
    assert seen == [f"Eve{number}" for number in reversed(range(7))]
    first, three_rows, one_row = taken
    assert three_rows == one_row == first + 1, "the last one shown is looked up"


# The trail


def test_every_step_is_on_the_trail(cast, nora, ruth):
    handle, ben = handle_of(nora), cast.ben.key
    nora.post(ASK, {"patient": handle})
    send(nora, handle)
    asked = AccessRequest.objects.get()
    nora.get(MINE)
    ruth.get(LIST)
    ruth.get(page_of(asked))
    withdraw(nora, asked)
    second = ask(nora)
    grant(ruth, second, cast.north)
    third = ask(nora, "castillo")
    decline(ruth, third)
    admin = "administration"
    for action, rows in {
        "access_request.ask": [
            ("shown", "nora", ben, ""),
            ("done", "nora", ben, ""),
            ("done", "nora", ben, ""),
            ("done", "nora", cast.cyn.key, ""),
        ],
        "admin.access_requests": [("shown", "ruth", ben, admin)],
        "admin.access_request": [("shown", "ruth", ben, admin)],
        "access_request.withdraw": [("done", "nora", ben, "")],
        "access_request.grant": [("done", "ruth", ben, admin)],
        "access_request.decline": [("done", "ruth", cast.cyn.key, admin)],
    }.items():
        assert on_the_trail(action) == rows, action
    assert on_the_trail("access_request.own")[0] == ("shown", "nora", ben, "")
    row = AuditRow.objects.get(action="access_request.grant", patient="")
    assert row.subject == f"access_request/{second.key}"
    assert row.detail == {
        "group": cast.north.public_id,
        "until": None,
        "asker": f"staff/{cast.nora.key}",
        "asker_path": "patient-group",
    }
    assert REASON not in str(list(AuditRow.objects.values_list("detail", flat=True)))


@pytest.mark.parametrize("step", ["ask", "mine", "list", "page"])
def test_nothing_is_shown_when_the_trail_cannot_be_written(cast, nora, ruth, step):
    handle, asked = handle_of(nora), ask(nora, "castillo")
    acts = {
        "ask": lambda: nora.post(ASK, {"patient": handle}),
        "mine": lambda: nora.get(MINE),
        "list": lambda: ruth.get(LIST),
        "page": lambda: ruth.get(page_of(asked)),
    }
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditrow RENAME TO audit_elsewhere")
    response = acts[step]()
    assert response.status_code == 503
    for name in ("Brandt", "Castillo"):
        assert name not in response.content.decode()
