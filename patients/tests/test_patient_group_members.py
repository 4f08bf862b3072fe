"""The members of a patient group: seen, added, changed, taken out, put back."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import make_patient
from patients import handles
from patients.admin import memberships
from patients.models import Patient, PatientGroupExclusion, PatientGroupMember


def at(page, *arguments):
    return reverse(f"admin:patients_patientgroup_{page}", args=arguments)


def local(moment):
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")


@pytest.fixture
def ruth(signed_in):
    return signed_in("ruth")


@pytest.fixture
def handle(cast):
    """handle(patient): what the picker would give ruth."""
    return lambda patient: handles.seal(cast.ruth.user, patient, handles.PICK)


def dates(**changes):
    return {"start_date": local(clock.now()), "end_date": "", **changes}


def seen(text):
    """The names in the first column of the list."""
    return [name.strip() for name in re.findall(r'<th scope="row">([^<]*)', text)]


# The list


def test_the_list_shows_name_birth_date_mark_and_dates_and_is_audited(cast, ruth):
    cast.ada.deceased = True
    cast.ada.save()
    text = ruth.get(at("members", cast.north.public_id)).content.decode()
    for word in ("Ada Alvarez", "2 Jan 1980", "deceased", "member now"):
        assert word in text
    for secret in (cast.ada.key, cast.ada.mrn, "Brandt"):
        assert secret not in text
    rows = AuditRow.objects.filter(action="patient_group.members").order_by("pk")
    assert [(r.patient, r.access_path) for r in rows] == [
        ("", ""),
        (cast.ada.key, "administration"),
    ]
    assert rows[0].detail == {"group": cast.north.public_id}


def test_each_state_has_its_members(cast, ruth):
    now = clock.now()
    day = timedelta(days=1)
    made = {
        "future": (now + day, None),
        "ended": (now - 2 * day, now - day),
        "current": (now - day, now + day),
        "excluded": (now - day, None),
    }
    for state, (start, end) in made.items():
        patient = make_patient(state.title(), "Sample", cast.ada.birth_date)
        row = PatientGroupMember(patient_group=cast.south, member=patient)
        row.start_date, row.end_date = start, end
        row.save()
        if state == "excluded":
            PatientGroupExclusion.objects.bulk_create(
                [PatientGroupExclusion(patient_group=cast.south, patient=patient)]
            )
    for state in memberships.STATES:
        address = at("members", cast.south.public_id) + f"?state={state}"
        names = seen(ruth.get(address).content.decode())
        expected = {
            "current": ["Ben Brandt", "Current Sample"],
        }.get(state, [f"{state.title()} Sample"])
        assert names == expected, state


def test_a_members_name_is_found_by_post_and_stays_in_the_session(cast, ruth):
    for family in ("Sommer", "Winter"):
        cast.north.add(make_patient("Eve", family, cast.ada.birth_date))
    members = at("members", cast.north.public_id)
    row = cast.north.memberships.get(member=cast.ada)
    answer = ruth.post(f"{members}?state=future&after={row.key}", {"q": "somm"})
    first = f"{members}?state=future"
    assert answer["Location"] == first, "nothing typed; the first page"
    assert seen(ruth.get(members).content.decode()) == ["Eve Sommer"]
    assert seen(ruth.get(first).content.decode()) == []
    other = ruth.get(at("members", cast.south.public_id)).content.decode()
    assert seen(other) == ["Ben Brandt"]
    ruth.post(members, {"clear": "1"})
    assert len(seen(ruth.get(members).content.decode())) == 3
    ruth.post(members, {"q": "2 Jan 1980"})
    assert len(seen(ruth.get(members).content.decode())) == 3


@pytest.mark.parametrize("text", ["x", "\x00", "31 Feb 1980", "a" * 10_000])
def test_a_text_that_cannot_be_used_says_why(cast, ruth, text):
    response = ruth.post(at("members", cast.north.public_id), {"q": text})
    assert response.status_code == 200
    assert "errorlist" in response.content.decode()


def test_a_search_by_address_finds_nothing(cast, ruth):
    address = at("members", cast.north.public_id)
    for query in ("?q=zzz", "?q=%00", "?state=%00", "?after=%00", "?after=1"):
        assert seen(ruth.get(address + query).content.decode()) == ["Ada Alvarez"]


def test_pages_hold_everyone_once_and_nothing_is_counted(cast, ruth, monkeypatch):
    monkeypatch.setattr(memberships, "ROWS", 3)
    for _number in range(8):
        patient = make_patient("Same", "Name", cast.ada.birth_date)
        cast.south.add(patient)
        cast.south.remove(patient)
        cast.south.add(patient)
    shown, numbers = [], set()
    for state in ("current", "ended"):
        address = at("members", cast.south.public_id) + f"?state={state}"
        while address:
            with CaptureQueriesContext(connection) as queries:
                text = ruth.get(address).content.decode()
            assert not [q for q in queries if "COUNT(" in q["sql"].upper()]
            shown += re.findall(r"/members/([0-9a-f]{32})/", text)
            more = re.search(r'href="([^"]*after=[^"]*)"', text)
            address = more and more.group(1).replace("&amp;", "&")
            numbers.add((state, len(queries)))
    keys = list(cast.south.memberships.values_list("key", flat=True))
    assert sorted(shown) == sorted(keys)
    assert len(keys) == 17
    assert len(numbers) <= 4, "a page takes as many queries wherever it lies"


def test_the_ended_come_latest_first(cast, ruth):
    now = clock.now()
    for days in (3, 1, 2):
        patient = make_patient(f"D{days}", "Sample", cast.ada.birth_date)
        PatientGroupMember.objects.create(
            patient_group=cast.south,
            member=patient,
            start_date=now - timedelta(days=9),
            end_date=now - timedelta(days=days),
        )
    text = ruth.get(at("members", cast.south.public_id) + "?state=ended")
    assert seen(text.content.decode()) == ["D1 Sample", "D2 Sample", "D3 Sample"]


def test_a_patient_of_several_memberships_is_on_one_page(cast, ruth, monkeypatch):
    """In this state; the page after it begins with the next patient."""
    monkeypatch.setattr(memberships, "ROWS", 1)
    now = clock.now()
    for days in (1, 2):
        PatientGroupMember.objects.create(
            patient_group=cast.south,
            member=cast.ada,
            start_date=now + timedelta(days=days),
            end_date=now + timedelta(days=days + 1),
        )
    later = PatientGroupMember(patient_group=cast.south, member=cast.cyn)
    later.start_date = now + timedelta(days=5)
    later.save()
    address = at("members", cast.south.public_id) + "?state=future"
    text = ruth.get(address).content.decode()
    assert seen(text) == ["Ada Alvarez", "Ada Alvarez"]
    behind = re.search(r'href="([^"]*after=[^"]*)"', text).group(1)
    text = ruth.get(behind.replace("&amp;", "&")).content.decode()
    assert seen(text) == ["Cyn Castillo"]


# Adding


def test_a_patient_is_added_without_the_chart_ever_being_open(cast, ruth, handle):
    assert not Patient.objects.accessible_to(cast.ruth.user).exists()
    add = at("member_add", cast.north.public_id)
    answer = ruth.post(add, dates(patient=handle(cast.ben), locked="on", add="1"))
    assert answer["Location"] == at("members", cast.north.public_id)
    row = cast.north.memberships.get(member=cast.ben)
    assert row.locked
    assert row.end_date is None
    assert Patient.objects.accessible_to(cast.nora.user).contains(cast.ben)
    assert not Patient.objects.accessible_to(cast.ruth.user).exists()
    done = AuditRow.objects.get(
        action="patient_group.member_added", patient=cast.ben.key, actor_name="ruth"
    )
    assert done.subject == f"patient_group/{cast.north.public_id}"


def test_add_and_find_another_stays(cast, ruth, handle):
    add = at("member_add", cast.north.public_id)
    answer = ruth.post(add, dates(patient=handle(cast.ben), another="1"))
    assert answer["Location"] == add


def test_a_membership_to_come_opens_nothing_yet(cast, ruth, handle):
    tomorrow = local(clock.now() + timedelta(days=1))
    post = dates(patient=handle(cast.ben), start_date=tomorrow, add="1")
    ruth.post(at("member_add", cast.north.public_id), post)
    assert cast.north.memberships.filter(member=cast.ben).exists()
    assert not Patient.objects.accessible_to(cast.nora.user).contains(cast.ben)


BAD_DATES = {
    "no date": {"start_date": "soon"},
    "no start": {"start_date": ""},
    "year 0": {"start_date": "0000-01-01T00:00"},
    "year 1": {"start_date": "0001-01-01T00:00"},
    "year 9999": {"start_date": "2026-01-01T00:00", "end_date": "9999-12-31T23:59"},
    "NUL": {"start_date": "\x00"},
    "end before start": {
        "start_date": "2026-01-02T00:00",
        "end_date": "2026-01-01T00:00",
    },
}


@pytest.mark.parametrize("case", BAD_DATES)
def test_bad_dates_are_refused(cast, ruth, handle, case):
    post = dates(patient=handle(cast.ben), add="1", **BAD_DATES[case])
    response = ruth.post(at("member_add", cast.north.public_id), post)
    assert response.status_code == 200
    assert "Nothing was saved yet" in response.content.decode()
    assert not cast.north.memberships.filter(member=cast.ben).exists()


def test_a_forged_choice_adds_nobody(cast, ruth, handle):
    foreign = handles.seal(cast.nora.user, cast.ben, handles.PICK)
    nameless = handles.seal(cast.ruth.user, cast.ben, handles.UNREACHABLE)
    forged = ["", "\x00", "x" * 10_000, cast.ben.key, str(cast.ben.pk)]
    for each in [*forged, foreign, nameless]:
        response = ruth.post(
            at("member_add", cast.north.public_id), dates(patient=each, add="1")
        )
        assert response.status_code == 200
        assert "Choose a patient" in response.content.decode()
        assert "Brandt" not in response.content.decode()
    assert cast.north.memberships.count() == 1


def test_nobody_is_in_a_group_twice(cast, ruth, handle):
    add = at("member_add", cast.north.public_id)
    response = ruth.post(add, dates(patient=handle(cast.ada), add="1"))
    assert "in the group already" in response.content.decode()
    assert cast.north.memberships.count() == 1


def test_whoever_is_in_until_a_day_is_not_put_in_beside_that(cast):
    row = cast.north.memberships.get(member=cast.ada)
    row.end_date = clock.now() + timedelta(days=7)
    row.save()
    assert cast.north.add(cast.ada) == row
    assert cast.north.memberships.filter(member=cast.ada).count() == 1


def test_an_excluded_patient_is_not_added(cast, ruth, handle):
    PatientGroupExclusion(patient_group=cast.north, patient=cast.ben, reason="x").save()
    add = at("member_add", cast.north.public_id)
    response = ruth.post(add, dates(patient=handle(cast.ben), add="1"))
    assert "excluded from the group" in response.content.decode()
    assert not cast.north.memberships.filter(member=cast.ben).exists()


# Changing


def page_of(cast, page="member"):
    row = cast.north.memberships.get(member=cast.ada)
    return row, at(page, cast.north.public_id, row.key)


def test_dates_and_lock_are_changed_and_seconds_are_kept(cast, ruth):
    row, page = page_of(cast)
    post = {"start_date": local(row.start_date), "end_date": "", "locked": "on"}
    answer = ruth.post(page, post | {"form_version": row.version})
    assert answer.status_code == 302
    start = row.start_date
    row.refresh_from_db()
    assert row.locked
    assert row.start_date == start
    post |= {"end_date": "2020-01-01T10:00", "start_date": "2019-01-01T10:00"}
    ruth.post(page, post | {"form_version": row.version})
    assert not Patient.objects.accessible_to(cast.nora.user).contains(cast.ada)


def test_two_people_changing_a_membership_see_both_versions(cast, ruth):
    row, page = page_of(cast)
    old = row.version
    row.locked = True
    row.save()
    post = {"start_date": local(row.start_date), "end_date": "2030-01-01T00:00"}
    response = ruth.post(page, post | {"form_version": old})
    assert "Somebody saved this while you were editing" in response.content.decode()
    row.refresh_from_db()
    assert row.locked
    assert row.end_date is None


def test_an_ended_membership_is_not_reopened_beside_another(cast, ruth):
    row, page = page_of(cast)
    row.end()
    cast.north.add(cast.ada)
    post = {"start_date": local(row.start_date), "end_date": ""}
    response = ruth.post(page, post | {"form_version": row.version})
    assert response.status_code == 200
    assert "in the group already" in response.content.decode()
    assert cast.north.memberships.in_force().count() == 1


def test_changing_one_waits_for_whoever_puts_a_patient_in(cast, ruth):
    """Both lock the group first, so two open memberships cannot be saved at once."""
    row, page = page_of(cast)
    post = {"start_date": local(row.start_date), "end_date": "", "locked": "on"}
    with CaptureQueriesContext(connection) as asked:
        ruth.post(page, post | {"form_version": row.version})
    locks = [
        q["sql"].partition(" FROM ")[2] for q in asked if q["sql"].endswith("UPDATE")
    ]
    if connection.features.has_select_for_update:
        assert locks[0].startswith('"patients_patientgroup"')
    row.refresh_from_db()
    assert row.locked


# Taking out, putting back


def test_remove_now_asks_then_ends_and_offers_the_way_back(cast, ruth):
    row, page = page_of(cast, "member_remove")
    asked = ruth.get(page).content.decode()
    assert "Ada Alvarez" in asked
    assert cast.north.memberships.in_force().exists()
    answer = ruth.post(page, follow=True).content.decode()
    assert not Patient.objects.accessible_to(cast.nora.user).contains(cast.ada)
    assert cast.north.memberships.count() == 1, "rows are history"
    restore = at("member_restore", cast.north.public_id, row.key)
    assert f'href="{restore}"' in answer
    assert "Ada" in ruth.get(restore).content.decode()
    ruth.post(restore)
    assert Patient.objects.accessible_to(cast.nora.user).contains(cast.ada)
    assert cast.north.memberships.count() == 2


def test_the_message_and_the_cookie_carry_no_name(cast, ruth):
    _row, page = page_of(cast, "member_remove")
    answer = ruth.post(page)
    assert "Alvarez" not in str(answer.cookies)
    for session in Session.objects.all():
        assert "Alvarez" not in str(session.get_decoded())


def test_putting_back_keeps_the_end_and_the_lock(cast, ruth):
    row, page = page_of(cast, "member_remove")
    row.end_date, row.locked = clock.now() + timedelta(days=3), True
    row.save()
    ruth.post(page)
    ruth.post(at("member_restore", cast.north.public_id, row.key))
    again = cast.north.memberships.in_force().get()
    assert (again.end_date, again.locked) == (row.end_date, True)


def test_only_the_session_that_took_out_puts_back_and_once(cast, ruth, signed_in):
    row, page = page_of(cast, "member_remove")
    ruth.post(page)
    restore = at("member_restore", cast.north.public_id, row.key)
    signed_in("ruth").post(restore)
    assert not cast.north.memberships.in_force().exists()
    ruth.post(restore)
    cast.north.remove(cast.ada)
    ruth.post(restore)
    assert not cast.north.memberships.in_force().exists()


def test_an_excluded_patient_is_not_put_back(cast, ruth):
    row, page = page_of(cast, "member_remove")
    ruth.post(page)
    PatientGroupExclusion(patient_group=cast.north, patient=cast.ada, reason="x").save()
    restore = at("member_restore", cast.north.public_id, row.key)
    assert "excluded" in ruth.post(restore).content.decode()
    assert not cast.north.memberships.in_force().exists()


def test_removing_twice_says_so(cast, ruth):
    _row, page = page_of(cast, "member_remove")
    ruth.post(page)
    answer = ruth.post(page, follow=True).content.decode()
    assert "has ended already" in answer


def test_the_groups_history_names_no_patient(cast, ruth, handle):
    add = at("member_add", cast.north.public_id)
    ruth.post(add, dates(patient=handle(cast.ben), add="1"))
    _row, page = page_of(cast, "member_remove")
    ruth.post(page)
    text = ruth.get(at("history", cast.north.public_id)).content.decode()
    assert "A member was put in." in text
    assert "A member was taken out." in text
    for entry in LogEntry.objects.all():
        assert "Brandt" not in f"{entry.object_repr} {entry.change_message}"
    for page in (at("history", cast.north.public_id), reverse("admin:index")):
        text = ruth.get(page).content.decode()
        assert "Brandt" not in text
        assert "Alvarez" not in text
