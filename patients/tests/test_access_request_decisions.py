"""Requests for access in the administration: seen, granted, declined, and refused."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import give, make_group, make_patient, make_staff
from patients.admin import access_requests, deciding
from patients.models import (
    AccessRequest,
    Patient,
    PatientGroupExclusion,
    PatientGroupMember,
)
from patients.tests.asking import (
    LIST,
    REASON,
    decline,
    grant,
    page_of,
    state_of,
)

NOTHING_SAVED = "Nothing was saved yet"


@pytest.fixture
def ruth(signed_in):
    return signed_in("ruth")


@pytest.fixture
def asked(cast):
    """nora asks for ben, for a week."""
    return made(cast.nora, cast.ben)


def made(staff, patient, **fields):
    row = AccessRequest(patient=patient, staff=staff, reason=REASON, **fields)
    row.save()
    return row


def local(moment):
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")


def text_of(response, client=None):
    if client and response.status_code == 302:
        response = client.get(response["Location"])
    return response.content.decode()


def is_in(group, patient):
    return group.memberships.going_on().filter(member=patient).exists()


# Seeing


def test_the_page_says_who_asks_for_whom_and_why_and_no_more(cast, ruth, asked):
    for text in (text_of(ruth.get(LIST)), text_of(ruth.get(page_of(asked)))):
        for word in ("Nora Example", "North", REASON, "Ben Brandt, born 4 Mar 1975"):
            assert word in text
        for secret in (cast.ben.key, cast.ben.mrn):
            assert secret not in text


def test_the_end_follows_from_the_wish(cast, ruth):
    for number, (wish, days) in enumerate(
        {"day": 1, "week": 7, "month": 30, "open-end": None}.items()
    ):
        patient = make_patient(f"Eve{number}", "Sample", cast.ada.birth_date)
        asked = made(cast.nora, patient, wanted_for=wish)
        end = ruth.get(page_of(asked)).context["grant"]["end_date"].initial
        if days is None:
            assert end is None
        else:
            assert abs(end - timezone.now() - timedelta(days=days)) < timedelta(
                minutes=1
            )


def test_the_longest_waiting_is_first_and_the_latest_closed(cast, ruth):
    first, second, third = (made(cast.nora, p) for p in (cast.ben, cast.cyn, cast.ada))
    names = ["Ben Brandt", "Cyn Castillo", "Ada Alvarez"]
    assert shown(ruth.get(LIST)) == names
    for row in (third, first, second):
        decline(ruth, row)
    assert "No request waits" in text_of(ruth.get(LIST))
    closed = shown(ruth.get(f"{LIST}?state=closed"))
    assert closed == ["Cyn Castillo", "Ben Brandt", "Ada Alvarez"]


def shown(response):
    found = re.findall(r"\s([A-Z]\w+ \w+), born", response.content.decode())
    return [name.strip() for name in found]


@pytest.mark.parametrize("state", ["open", "closed"])
def test_long_lists_are_pages_of_as_many_queries(cast, ruth, monkeypatch, state):
    monkeypatch.setattr(access_requests, "ROWS", 3)
    for number in range(7):
        patient = make_patient(f"Eve{number}", "Sample", cast.ada.birth_date)
        asker = make_staff(f"asker{number}", "Clinical read")
        for group in range(number % 3):
            make_group(f"Group {number} {group}")
            give(asker, f"Patients: Group {number} {group}")
        asked = made(asker, patient)
        if state == "closed":
            asked.close("declined", cast.ruth.user)
    ruth.get(LIST)
    address, seen, taken = f"{LIST}?state={state}", [], []
    while address:
        with CaptureQueriesContext(connection) as queries:
            response = ruth.get(address)
        assert not [q for q in queries if "COUNT(" in q["sql"].upper()]
        taken.append(len(queries))
        seen += shown(response)
        more = re.search(r'href="([^"]*after=[^"]*)"', text_of(response))
        address = more and more[1].replace("&amp;", "&")
    names = [f"Eve{number} Sample" for number in range(7)]
    assert seen == (names if state == "open" else names[::-1])
    first, three_rows, one_row = taken
    assert three_rows == one_row == first + 1, "the last one shown is looked up"


@pytest.mark.parametrize("query", ["state=%00", "after=%00", "after=1", "q=brandt"])
def test_other_codes_in_the_address_change_nothing(ruth, asked, query):
    assert shown(ruth.get(f"{LIST}?{query}")) == ["Ben Brandt"]


@pytest.mark.parametrize("key", ["0" * 32, "1", "%00", "x" * 300])
def test_a_request_that_there_is_not_is_not_found(ruth, asked, key):
    address = page_of(asked).replace(asked.key, key)
    assert ruth.get(address).status_code == 404
    assert ruth.post(address, {"decline": "1"}).status_code == 404


def test_the_front_page_counts_those_that_wait(cast, ruth, asked):
    decline(ruth, made(cast.nora, cast.cyn))
    numbers = reverse("admin:patients_patientgroup_numbers")
    text = text_of(ruth.get(numbers, headers={"HX-Request": "true"}))
    assert re.search(r"requests that wait</a>:\s*<strong>1</strong>", text)
    index = text_of(ruth.get(reverse("admin:index")))
    assert f'href="{LIST}"' in index
    assert "<strong>1</strong>" not in index, "it waits for no number"


# Granting


def test_granting_until_a_day_opens_the_chart_until_then(cast, ruth, asked, signed_in):
    end = timezone.now() + timedelta(days=3)
    said = grant(ruth, asked, cast.north, end_date=local(end), answer="Until Sunday.")
    assert "Granted: “North” opens the patient to Nora Example until" in text_of(
        said, ruth
    )
    row = cast.north.memberships.get(member=cast.ben)
    assert local(row.end_date) == local(end)
    asked.refresh_from_db()
    assert (asked.state, asked.membership, asked.answer) == (
        "granted",
        row,
        "Until Sunday.",
    )
    assert asked.decided_by == cast.ruth.user
    assert signed_in("nora").get(f"/patient/{cast.ben.key}/").status_code == 200
    assert not Patient.objects.accessible_to(cast.ruth.user).exists()


def test_granting_without_an_end_is_until_further_notice(cast, ruth, asked):
    grant(ruth, asked, cast.north)
    assert cast.north.memberships.get(member=cast.ben).end_date is None


def test_a_planned_membership_stays_as_planned(cast, ruth, asked):
    monday = clock.now() + timedelta(days=5)
    planned = PatientGroupMember(
        patient_group=cast.north, member=cast.ben, start_date=monday
    )
    planned.save()
    grant(ruth, asked, cast.north, end_date=local(clock.now() + timedelta(days=1)))
    assert Patient.objects.accessible_to(cast.nora.user).contains(cast.ben)
    planned.refresh_from_db()
    assert (planned.start_date, planned.end_date) == (monday, None)


def test_before_it_is_granted_it_says_to_whom_else_the_group_opens(cast, ruth, asked):
    give(cast.olga, "Patients: North")
    give(cast.nil, "Patients: North")
    first = grant(ruth, asked, cast.north, answer="Yes.")
    text = text_of(first)
    assert "everybody else who holds it: Nil Example, Olga Example" in text
    assert "Ines" not in text, "she is inactive"
    assert "Brandt" not in text
    assert not is_in(cast.north, cast.ben)
    assert state_of(asked) == "open"
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text))
    assert "Yes." in text_of(ruth.post(page_of(asked), hidden | {"_back": "No"}))
    assert not is_in(cast.north, cast.ben)
    assert ruth.post(page_of(asked), hidden)["Location"] == LIST
    assert is_in(cast.north, cast.ben)


@pytest.mark.parametrize("answer", ["", "1", "\x00", "yes", "x" * 5000])
def test_a_forged_confirmation_asks_again(cast, ruth, asked, answer):
    give(cast.olga, "Patients: North")
    assert "Olga Example" in text_of(grant(ruth, asked, cast.north, confirmed=answer))
    assert not is_in(cast.north, cast.ben)


def test_a_confirmation_is_for_one_group_and_request_and_these_people(cast, ruth):
    give(cast.olga, "Patients: North")
    one, other = made(cast.nora, cast.ben), made(cast.nora, cast.cyn)
    text = text_of(grant(ruth, one, cast.north))
    (said,) = re.findall(r'name="confirmed" value="([^"]*)"', text)
    grant(ruth, other, cast.north, confirmed=said)
    assert not is_in(cast.north, cast.cyn)
    give(cast.nil, "Patients: North")
    again = text_of(grant(ruth, one, cast.north, confirmed=said))
    assert "Nil Example" in again
    assert not is_in(cast.north, cast.ben)


def test_of_many_people_ten_are_named(cast, ruth, asked, monkeypatch):
    monkeypatch.setattr(deciding, "NAMED", 2)
    for number in range(5):
        make_staff(f"person{number}", "Patients: North")
    text = text_of(grant(ruth, asked, cast.north))
    assert text.count("Person") == 2
    assert "and 3 people more" in text


def test_somebody_without_a_group_is_given_one_first(cast, ruth):
    asked = made(cast.olga, cast.ben)
    text = text_of(ruth.get(page_of(asked)))
    link = reverse("admin:staffing_staffpermissions_change", args=[cast.olga.key])
    assert "holds no patient group" in text
    assert f'href="{link}"' in text
    assert 'name="grant"' not in text
    assert "Choose one of the groups" in text_of(grant(ruth, asked, cast.north))
    assert not is_in(cast.north, cast.ben)


def test_it_says_when_the_person_reaches_the_patient_already(cast, ruth, asked):
    assert "no need to grant this" not in text_of(ruth.get(page_of(asked)))
    cast.north.add(cast.ben)
    assert "no need to grant this" in text_of(ruth.get(page_of(asked)))
    row = cast.north.memberships.get(member=cast.ben)
    grant(ruth, asked, cast.north, end_date=local(clock.now() + timedelta(days=1)))
    asked.refresh_from_db()
    assert asked.membership == row
    assert row.end_date is None, "who is in stays so"


def test_the_histories_name_no_patient(cast, ruth, asked):
    grant(ruth, asked, cast.north)
    assert LogEntry.objects.count() == 2
    for entry in LogEntry.objects.all():
        said = f"{entry.object_repr} {entry.change_message}"
        assert "Brandt" not in said
        assert cast.ben.key not in said
    history = reverse("admin:patients_accessrequest_history", args=[asked.key])
    assert "Granted, by “North”." in text_of(ruth.get(history))


# Declining


def test_declining_keeps_the_answer_and_opens_nothing(cast, ruth, asked):
    response = decline(ruth, asked, answer="Ask the South clinic.")
    assert "Declined. Nora Example reads your answer." in text_of(response, ruth)
    asked.refresh_from_db()
    assert (asked.state, asked.answer) == ("declined", "Ask the South clinic.")
    assert not Patient.objects.accessible_to(cast.nora.user).contains(cast.ben)


# Refusals


def no_group(cast):
    cast.unheld = make_group("Unheld")
    return cast.unheld.public_id


def retired(cast):
    public_id = cast.north.public_id
    cast.north.retire()
    return public_id


def switched_off(cast):
    cast.north.use_for_permissions = False
    cast.north.save()
    return cast.north.public_id


def taken(cast):
    cast.nora.revoke(cast.north.auth_group)
    return cast.north.public_id


FORGED = {
    "a group that nora does not hold": lambda cast: cast.south.public_id,
    "a group that nobody holds": no_group,
    "a retired group": retired,
    "a group that is switched off": switched_off,
    "a group that was taken from nora": taken,
    "an integer": lambda cast: str(cast.north.pk),
    "a name": lambda cast: "North",
    "an auth group": lambda cast: "Patients: North",
    "nothing": lambda cast: "",
    "NUL": lambda cast: "\x00",
    "another uuid": lambda cast: "01234567-89ab-cdef-0123-456789abcdef",
    "long": lambda cast: "x" * 10_000,
}


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_group_opens_nothing(cast, ruth, asked, case):
    group = FORGED[case](cast)
    response = grant(ruth, asked, cast.north, group=group)
    assert NOTHING_SAVED in text_of(response)
    assert state_of(asked) == "open"
    assert not PatientGroupMember.objects.filter(
        member=cast.ben, patient_group__in=[cast.north]
    ).exists()
    assert not Patient.objects.accessible_to(cast.nora.user).contains(cast.ben)


BAD_FIELDS = {
    "a past end": {"end_date": "2020-01-01T00:00"},
    "no date": {"end_date": "soon"},
    "year 9999": {"end_date": "9999-12-31T23:59"},
    "a NUL end": {"end_date": "\x00"},
    "a NUL answer": {"answer": "\x00"},
    "a long answer": {"answer": "x" * 501},
    "a direction": {"answer": "\u202e"},
    "no version": {"form_version": ""},
    "another version": {"form_version": "0"},
    "a NUL version": {"form_version": "\x00"},
    "an endless version": {"form_version": "9" * 5000},
}


@pytest.mark.parametrize("case", BAD_FIELDS)
def test_a_bad_field_changes_nothing(cast, ruth, asked, case):
    fields = BAD_FIELDS[case]
    assert NOTHING_SAVED in text_of(grant(ruth, asked, cast.north, **fields))
    if "end_date" not in fields:
        assert NOTHING_SAVED in text_of(decline(ruth, asked, **fields))
    assert state_of(asked) == "open"
    assert not is_in(cast.north, cast.ben)


def test_an_exclusion_in_the_way_is_said_before_and_after(cast, ruth, asked):
    PatientGroupExclusion(patient_group=cast.north, patient=cast.ben, reason="x").save()
    exclusions = reverse(
        "admin:patients_patientgroup_exclusions", args=[cast.north.public_id]
    )
    text = text_of(ruth.get(page_of(asked)))
    assert "The patient is excluded from “North”." in text
    assert f'href="{exclusions}"' in text
    refused = text_of(grant(ruth, asked, cast.north))
    assert "excluded from the group; lift the exclusion first" in refused
    assert state_of(asked) == "open"
    assert not Patient.objects.accessible_to(cast.nora.user).contains(cast.ben)


def test_the_second_administrator_is_told_what_happened(cast, ruth, asked, signed_in):
    give(cast.nil, "Staff Permissions")
    nil = signed_in("nil")
    decline(ruth, asked, answer="No.")
    for act in (lambda: grant(nil, asked, cast.north), lambda: decline(nil, asked)):
        text = text_of(act())
        assert "closed already: declined by Ruth Example" in text
        assert 'name="grant"' not in text
    assert not is_in(cast.north, cast.ben)
    asked.refresh_from_db()
    assert (asked.decided_by, asked.answer) == (cast.ruth.user, "No.")


@pytest.mark.parametrize("act", ["grant", "decline"])
def test_a_decision_holds_the_request_until_it_is_done(cast, ruth, asked, act):
    with CaptureQueriesContext(connection) as queries:
        decline(ruth, asked) if act == "decline" else grant(ruth, asked, cast.north)
    locks = [
        q["sql"].partition(" FROM ")[2] for q in queries if q["sql"].endswith("UPDATE")
    ]
    if connection.features.has_select_for_update:
        assert any(lock.startswith('"patients_accessrequest"') for lock in locks)
    assert state_of(asked) != "open"


def refusals():
    rows = AuditRow.objects.filter(outcome="refused")
    return [
        (row.action, row.detail.get("reason"), {r.patient for r in rows})
        for row in rows.filter(patient="")
    ]


@pytest.mark.parametrize("act", ["grant", "decline"])
def test_nobody_decides_a_request_of_ones_own(cast, ruth, act):
    give(cast.ruth, "Clinical read", "Patients: North")
    asked = made(cast.ruth, cast.ben)
    page = text_of(ruth.get(page_of(asked)))
    assert "This is your own request" in page
    assert 'name="grant"' not in page
    assert 'name="decline"' not in page
    if act == "grant":
        response = grant(ruth, asked, cast.north)
    else:
        response = decline(ruth, asked)
    assert "This is your own request" in text_of(response)
    assert state_of(asked) == "open"
    assert not is_in(cast.north, cast.ben)
    assert refusals() == [(f"access_request.{act}", "own_request", {"", cast.ben.key})]


def test_nobody_grants_by_a_group_of_ones_own_a_patient_out_of_reach(
    cast, ruth, asked, signed_in
):
    """ruth is among those who would gain; somebody who does not hold North has to do it."""
    give(cast.ruth, "Patients: North")
    text = text_of(grant(ruth, asked, cast.north))
    (said,) = re.findall(r'name="confirmed" value="([^"]*)"', text)
    refused = text_of(grant(ruth, asked, cast.north, confirmed=said))
    assert "You hold this group yourself" in refused
    assert not is_in(cast.north, cast.ben)
    assert state_of(asked) == "open"
    assert refusals() == [("access_request.grant", "self_gain", {"", cast.ben.key})]


@pytest.mark.parametrize("state", ["inactive", "merged"])
def test_what_would_open_nothing_is_refused(cast, ruth, asked, state):
    if state == "inactive":
        cast.nora.active = False
        cast.nora.save()
        assert "not active" in text_of(ruth.get(page_of(asked)))
    else:
        cast.ben.merged_into = cast.cyn
        cast.ben.save()
    assert NOTHING_SAVED in text_of(grant(ruth, asked, cast.north))
    assert not is_in(cast.north, cast.ben)
    assert state_of(asked) == "open"
    assert decline(ruth, asked).status_code == 302


def test_a_group_that_is_taken_while_it_is_granted_opens_nothing(
    cast, ruth, asked, monkeypatch
):
    """What the form offered is asked about once more, under the lock."""
    real = deciding._ask_about_others

    def meanwhile(*arguments):
        real(*arguments)
        cast.nora.revoke(cast.north.auth_group)

    monkeypatch.setattr(deciding, "_ask_about_others", meanwhile)
    text = text_of(grant(ruth, asked, cast.north))
    assert "cannot open patients by “North” any more" in text
    assert not is_in(cast.north, cast.ben)


@pytest.mark.parametrize("name", ["nora", "max", "nil", "ines", None])
def test_nobody_else_sees_or_decides(cast, signed_in, asked, name):
    client = signed_in(name)
    for response in (
        client.get(LIST),
        client.get(page_of(asked)),
        grant(client, asked, cast.north),
        decline(client, asked),
    ):
        refused = response.status_code == 403
        assert refused or "/login/" in response["Location"]
        assert b"Brandt" not in response.content
    assert state_of(asked) == "open"


def test_another_administration_group_sees_none(cast, signed_in, asked):
    give(cast.nil, "Settings", "Integrations", "Audit read")
    client = signed_in("nil")
    assert client.get(LIST).status_code == 403
    assert decline(client, asked).status_code == 403
    assert LIST not in text_of(client.get(reverse("admin:index")))
    assert state_of(asked) == "open"
