"""The streams propose at least what the rule opens, and pages hold nothing else."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser

from canvas_admin.records import clock
from canvas_admin.testing import STAFF_NAMES, make_group, make_patient
from patients.models import Patient, PatientGroupExclusion, PatientGroupMember
from patients.search import scans, streams


def proposed_to(user):
    """The patients whom the streams propose, before the rule decides."""
    walk = streams.Walk.within(user)
    read = scans.read(scans.BY_NAME, walk.streams, 1000)
    return {candidate.about for candidate in read}


@pytest.mark.parametrize("name", STAFF_NAMES)
def test_the_streams_hold_at_least_what_the_rule_opens(cast, name):
    user = getattr(cast, name).user
    opened = Patient.objects.accessible_to(user).values_list("pk", flat=True)
    assert proposed_to(user) >= set(opened)


def test_nobody_has_no_stream(cast):
    assert not proposed_to(AnonymousUser())
    assert streams.page(AnonymousUser()).patients == []


@pytest.fixture
def crowd(cast):
    """Thirteen members of North, three of whom the rule drops, in order of name."""
    members = []
    for number, letter in enumerate("bcdefghijklmn"):
        patient = make_patient("Kim", letter * 3, date(2000 - number // 2, 1, 1))
        cast.north.add(patient)
        members.append(patient)
    ended = PatientGroupMember.objects.get(member=members[1])
    ended.end()
    PatientGroupExclusion(
        patient_group=cast.north, patient=members[4], reason="asked"
    ).save()
    later = PatientGroupMember.objects.get(member=members[5])
    later.start_date = clock.now() + timedelta(days=1)
    later.save()
    return [p for n, p in enumerate(members) if n not in (1, 4, 5)]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("order", [streams.BY_NAME, streams.BY_BIRTH])
def test_pages_forward_and_back_hold_exactly_what_is_within_reach(
    cast, crowd, limit, order
):
    user = cast.nora.user
    expected = sorted(
        [cast.ada, *crowd], key=lambda p: [getattr(p, f) for f in order.fields]
    )
    page, forward = streams.page(user, order, limit=limit), []
    assert not page.has_previous
    while True:
        assert len(page.patients) <= limit
        forward.append(page.patients)
        if not page.has_next:
            break
        page = streams.page(user, order, after=page.patients[-1], limit=limit)
        assert page.has_previous
    assert sum(forward, []) == expected
    backward = [forward[-1]]
    while backward[0][0] != expected[0]:
        page = streams.page(user, order, before=backward[0][0], limit=limit)
        assert page.has_next
        backward.insert(0, page.patients)
    assert backward == forward
    assert not page.has_previous


def test_a_page_is_full_although_the_rule_drops_many(cast):
    for number in range(40):
        patient = make_patient("Al", f"A{number:02}", date(1990, 1, 1))
        cast.north.add(patient)
        PatientGroupMember.objects.get(member=patient).end()
    zed = make_patient("Zed", "Zorn", date(1990, 1, 1))
    cast.north.add(zed)
    assert streams.page(cast.nora.user, limit=2).patients == [cast.ada, zed]


def test_a_switched_off_group_proposes_nobody(cast):
    cast.north.use_for_permissions = False
    cast.north.save()
    assert not proposed_to(cast.nora.user)


def test_a_patient_of_two_groups_is_shown_once(cast):
    cast.nora.grant(make_group("East", [cast.ada]).auth_group)
    assert streams.page(cast.nora.user).patients == [cast.ada]


def test_a_page_takes_the_same_queries_wherever_it_lies(
    cast, crowd, django_assert_num_queries
):
    user = cast.nora.user
    for arguments in (
        {},
        {"after": crowd[5]},
        {"before": crowd[5]},
        {"listed": True},
    ):
        with django_assert_num_queries(4, info=str(arguments)):
            streams.page(user, limit=1, **arguments)


def test_listed_leaves_active_living_patients(cast):
    for fields in ({"active": False}, {"deceased": True}):
        cast.north.add(make_patient("Ada", "Absent", date(1950, 1, 1), **fields))
    assert len(streams.page(cast.nora.user).patients) == 3
    assert streams.page(cast.nora.user, listed=True).patients == [cast.ada]
