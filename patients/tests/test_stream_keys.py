"""Stream keys: what a patient's are, who writes them, and how damage is found and mended."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from canvas_admin.records import clock
from canvas_admin.testing import give, make_group, make_patient
from canvas_admin.tests.worlds.building import at
from patients import work
from patients.models import (
    Patient,
    PatientGroupExclusion,
    PatientGroupMember,
    StreamKey,
)
from patients.models.stream_keys import place_of, stream_of
from patients.search import scans, stream_keys

NAME, BIRTH, WORD = StreamKey.Kind.values


def keys(patient, stream=None):
    """(kind, word) of the patient's keys in a stream; everyone's unless told.

    Behind the word, each key's place has the patient's sort name.
    """
    stream = stream_of(None, patient.listed) if stream is None else stream
    rows = patient.stream_keys.filter(stream=stream).values_list("kind", "place")
    behind = place_of("", patient.sort_name)
    assert all(place.endswith(behind) for _kind, place in rows)
    return sorted((kind, place.removesuffix(behind)) for kind, place in rows)


def found_wrong(**options):
    return [pk for _number, wrong in stream_keys.check(**options) for pk in wrong]


def check_access(*options):
    out = StringIO()
    call_command("check_access", *options, stdout=out)
    return out.getvalue()


def test_a_patient_has_a_key_for_the_name_the_birth_and_each_folded_word(db):
    zoe = make_patient("Zoë", "O’Brien-Núñez", date(1990, 12, 31), middle_name="Ann")
    assert keys(zoe) == [
        (NAME, ""),
        (BIRTH, "1990-12-31"),
        (WORD, "ann "),
        (WORD, "nunez"),
        (WORD, "obrien"),
        (WORD, "zoe "),
    ]


def test_a_word_of_both_names_is_a_family_name(db):
    kim = make_patient("Kim", "Kim", date(1990, 1, 1))
    assert keys(kim) == [(NAME, ""), (BIRTH, "1990-01-01"), (WORD, "kim")]


@pytest.mark.parametrize("used", [True, False])
def test_every_group_has_a_stream_used_for_permissions_or_not(cast, used):
    group = make_group("Fresh", use_for_permissions=used)
    group.add(cast.cyn)
    assert keys(cast.cyn, stream_of(group.pk, True)) == keys(cast.cyn)
    group.remove(cast.cyn)
    assert keys(cast.cyn, stream_of(group.pk, True)) == []


def test_the_inactive_and_the_deceased_have_their_keys_in_the_other_half(cast):
    before = keys(cast.ada)
    for change in ({"active": False}, {"active": True, "deceased": True}):
        for field, value in change.items():
            setattr(cast.ada, field, value)
        cast.ada.save()
        assert keys(cast.ada, stream_of(cast.north.pk, False)) == before
        assert keys(cast.ada, stream_of(cast.north.pk, True)) == []
        assert not found_wrong()


def test_a_new_name_is_in_all_streams_at_once(cast):
    cast.south.add(cast.ada)
    cast.ada.last_name = "Zimmer"
    cast.ada.save()
    for group in (None, cast.north.pk, cast.south.pk):
        assert (WORD, "zimmer") in keys(cast.ada, stream_of(group, True))
    assert not StreamKey.objects.filter(place__contains="alvarez").exists()


def test_excluding_takes_the_keys_out(cast):
    PatientGroupExclusion(
        patient_group=cast.north, patient=cast.ada, reason="asked"
    ).save()
    assert keys(cast.ada, stream_of(cast.north.pk, True)) == []


def test_of_two_memberships_the_later_end_counts(cast):
    now = clock.now()
    for days in (1, 3, 2):
        PatientGroupMember.objects.create(
            patient_group=cast.south,
            member=cast.ada,
            start_date=now,
            end_date=now + timedelta(days=days),
        )
    stream = stream_of(cast.south.pk, True)
    ends = cast.ada.stream_keys.filter(stream=stream).values_list("kind", "ends")
    assert set(ends) == {
        (NAME, now + timedelta(days=3)),
        *((kind, None) for kind in (BIRTH, WORD)),
    }


def test_at_its_end_a_membership_opens_nothing_and_the_sweep_takes_its_keys(
    cast, signed_in
):
    soon = clock.now() + timedelta(days=1)
    row = PatientGroupMember.objects.get(member=cast.ada)
    row.end_date = soon
    row.save()
    stream = stream_of(cast.north.pk, True)
    assert stream_keys.sweep() == 0
    with at(soon):
        assert keys(cast.ada, stream)
        assert "1 patients" in check_access("--sweep")
        assert not keys(cast.ada, stream)
        assert not found_wrong()


def written(work):
    """How many keys an act adds and takes out, and the queries that it takes."""
    before = set(StreamKey.objects.values_list("pk", flat=True))
    with CaptureQueriesContext(connection) as captured:
        work()
    after = set(StreamKey.objects.values_list("pk", flat=True))
    return len(before ^ after), len(captured)


def test_putting_in_and_taking_out_write_the_same_whatever_the_size(cast):
    few, many = make_group("Few"), make_group("Many")
    for number in range(30):
        many.add(make_patient("Al", f"A{number:02}", date(1990, 1, 1)))
    assert written(lambda: few.add(cast.cyn)) == written(lambda: many.add(cast.cyn))
    taken = written(lambda: few.remove(cast.cyn))
    assert taken == written(lambda: many.remove(cast.cyn))
    assert taken[0] == len(keys(cast.cyn))


def test_the_switch_writes_no_key(cast):
    def switch():
        cast.north.use_for_permissions = not cast.north.use_for_permissions
        cast.north.save()

    assert written(switch)[0] == written(switch)[0] == 0


def test_saving_what_did_not_change_writes_no_key(cast):
    assert written(cast.ada.save)[0] == 0


@pytest.mark.parametrize(
    "change",
    [
        {"place": place_of("other", "other")},
        {"stream": 999},
        {"kind": BIRTH},
        {"words": " other"},
        {"ends": "2030-01-01T00:00Z"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_check_access_finds_a_wrong_key_and_puts_it_right(cast, change):
    key = cast.ada.stream_keys.filter(kind=WORD).first()
    StreamKey.objects.filter(pk=key.pk).update(**change)
    with pytest.raises(CommandError, match=cast.ada.key):
        check_access()
    assert found_wrong() == [cast.ada.pk]
    assert cast.ada.key in check_access("--repair")
    assert "right" in check_access()


def test_check_access_finds_a_key_that_is_lost_one_too_many_and_one_twice(cast):
    cast.ada.stream_keys.first().delete()
    twice = cast.ben.stream_keys.first()
    StreamKey.objects.create(
        **{
            f.name: getattr(twice, f.name)
            for f in StreamKey._meta.fields
            if f.name != "id"
        }
    )
    StreamKey.objects.create(
        stream=stream_of(cast.north.pk, True),
        kind=NAME,
        place=place_of("", cast.cyn.sort_name),
        patient=cast.cyn,
    )
    wrong = [cast.ada.pk, cast.ben.pk, cast.cyn.pk]
    assert found_wrong() == sorted(wrong)
    assert found_wrong(repair=True) == sorted(wrong)
    assert not found_wrong()


def test_memberships_that_came_round_our_methods_are_found(cast):
    PatientGroupMember.objects.bulk_create(
        [PatientGroupMember(patient_group=cast.south, member=cast.cyn)]
    )
    assert found_wrong() == [cast.cyn.pk]


def test_a_clinic_that_had_patients_before_keys_gets_them_at_migrate(cast):
    StreamKey.objects.all().delete()
    stream_keys.fill_after_migrate()
    assert keys(cast.ada)
    assert not found_wrong()


def test_where_there_are_keys_migrate_looks_at_no_patient(cast):
    cast.ada.stream_keys.all().delete()
    with CaptureQueriesContext(connection) as captured:
        stream_keys.fill_after_migrate()
    assert len(captured) == 3 + len(work.SHELVES), "names with their keys, and claims"
    assert not keys(cast.ada)


@pytest.mark.django_db(transaction=True)
def test_two_changes_of_one_patient_at_once_leave_the_keys_of_both(cast):
    """A new name and a new group, each blind to the other until it is committed."""
    groups = [make_group(f"G{number}") for number in range(6)]
    barrier = threading.Barrier(2)

    def at_once(work):
        try:
            for number in range(len(groups)):
                barrier.wait(20)
                work(number)
        finally:
            connection.close()

    def rename(number):
        patient = Patient.objects.get(pk=cast.cyn.pk)
        patient.last_name = f"Name{number}"
        patient.save()

    def join(number):
        groups[number].add(Patient.objects.get(pk=cast.cyn.pk))

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(at_once, work) for work in (rename, join)]:
            done.result()
    assert not found_wrong()


@pytest.mark.parametrize("number", [1, 8, 40])
def test_a_list_and_a_search_take_no_more_queries_for_more_groups(
    cast, signed_in, number
):
    """Above a few groups a sample of them bounds the page (DESIGN section 6)."""
    for place in range(number - 1):
        give(cast.nora, f"Patients: {make_group(f'G{place}', [cast.ada])}")
    client = signed_in("nora")
    for ask, most in (
        (lambda: client.get("/patients/"), 11),
        (lambda: client.post("/patients/search/", {"q": "ada"}), 12),
    ):
        ask()
        with CaptureQueriesContext(connection) as captured:
            assert b"Alvarez" in ask().content
        assert len(captured) <= most + (number > 16)


def test_of_one_word_family_names_come_first_and_longer_words_last(db):
    given = make_patient("Thomas", "Aab", date(1990, 1, 1))
    longer = make_patient("Ada", "Thomason", date(1990, 1, 1))
    family = make_patient("Zoë", "Thomas", date(1990, 1, 1))
    rows = scans.read(scans.Scan.prefix("tho"), [stream_of(None, True)], 3)
    assert [row.about for row in rows] == [family.pk, given.pk, longer.pk]
