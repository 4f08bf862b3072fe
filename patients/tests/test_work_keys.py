"""Keys of open work: what an item's are, who writes them, and how damage is mended."""

from datetime import UTC, datetime, timedelta

import pytest

from canvas_admin.records import clock
from canvas_admin.testing import make_group
from canvas_admin.tests.worlds.building import at
from patients import stream_keys, work_keys
from patients.models import LabReport, RefillRequest, WorkKey
from patients.models.work_keys import (
    kind_number,
    stream_of_group,
    stream_of_staff,
    stream_of_team,
)
from patients.tests.work import make_lab
from staffing.models import Team

OPEN, ALONE = kind_number(1), kind_number(1, unassigned=True)


def keys(item):
    """(stream, kind) of the item's keys."""
    rows = WorkKey.objects.filter(item=item.pk)
    return sorted(rows.values_list("stream", "kind"))


def found_wrong(**options):
    return [pk for _number, wrong in stream_keys.check(**options) for pk in wrong]


def test_an_open_item_is_in_the_streams_of_its_patient_and_of_whoever_has_it(cast):
    lab, team = make_lab(cast.ada), Team.objects.create(name="Lab team")
    patients = [0, stream_of_group(cast.north.pk)]
    assert keys(lab) == sorted((s, kind) for s in patients for kind in (OPEN, ALONE))
    for change, stream in (
        ({"team": team}, stream_of_team(team.pk)),
        ({"team": team, "assignee": cast.nora}, stream_of_staff(cast.nora.pk)),
    ):
        lab.hand_to(**change)
        lab.save()
        assert keys(lab) == sorted((s, OPEN) for s in [*patients, stream])
    lab.review(cast.nora, "fine")
    lab.save()
    assert keys(lab) == []


def test_keys_follow_the_memberships_of_the_patient(cast):
    lab = make_lab(cast.cyn)
    assert {stream for stream, _kind in keys(lab)} == {0}
    cast.south.add(cast.cyn)
    assert {stream for stream, _kind in keys(lab)} == {0, cast.south.pk}
    until = clock.now() + timedelta(days=1)
    make_group("East").add(cast.cyn, until=until)
    cast.south.remove(cast.cyn)
    assert len({stream for stream, _kind in keys(lab)}) == 2
    with at(until + timedelta(minutes=1)):
        stream_keys.sweep()
    assert {stream for stream, _kind in keys(lab)} == {0}


def test_keys_stand_by_date_and_what_has_none_comes_last(cast):
    dates = [datetime(2026, 2, 1, tzinfo=UTC), None, datetime(2025, 1, 1, tzinfo=UTC)]
    labs = [make_lab(cast.ada, reported=date) for date in dates]
    in_order = WorkKey.objects.filter(stream=0, kind=OPEN).order_by("place")
    expected = [labs[2].pk, labs[0].pk, labs[1].pk]
    assert list(in_order.values_list("item", flat=True)) == expected


@pytest.mark.parametrize("damage", ["lost", "foreign stream", "closed past it"])
def test_damage_is_found_and_mended(cast, damage):
    lab = make_lab(cast.ada)
    before = keys(lab)
    if damage == "lost":
        WorkKey.objects.filter(item=lab.pk, kind=ALONE).delete()
    elif damage == "foreign stream":
        WorkKey.objects.filter(item=lab.pk, stream=0).update(stream=cast.south.pk)
    else:
        LabReport.objects.filter(pk=lab.pk).update(reviewed=clock.now())
        before = []
    assert found_wrong() == [cast.ada.pk]
    assert found_wrong(repair=True) == [cast.ada.pk]
    assert found_wrong() == []
    assert keys(lab) == before


def test_migrate_makes_the_keys_of_work_that_was_there_before_them(cast):
    lab = make_lab(cast.ada)
    before = keys(lab)
    WorkKey.objects.all().delete()
    stream_keys.fill_after_migrate()
    assert keys(lab) == before


def test_the_patient_of_an_item_can_change(cast):
    lab = make_lab(cast.ada)
    lab.patient = cast.ben
    lab.save()
    assert {stream for stream, _kind in keys(lab)} == {0, cast.south.pk}
    assert not cast.ada.work_keys.exists()


def test_a_date_is_the_same_instant_in_every_zone(cast):
    refill = RefillRequest.objects.create(
        patient=cast.ada,
        medication=cast.ada.medications.create(display="Aspirin", status="active"),
        requested=datetime.fromisoformat("2026-03-01T01:00:00+02:00"),
    )
    place = WorkKey.objects.filter(item=refill.pk, stream=0).first().place
    assert place.startswith("2026-02-28T23:00:00.000000")
    refill.refresh_from_db()
    assert work_keys.place_of(refill.requested, refill.key) == place
