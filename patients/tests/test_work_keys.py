"""Keys of open work: what an item's are, who writes them, and how damage is mended."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from canvas_admin.records import clock
from canvas_admin.testing import make_group
from canvas_admin.tests.worlds.building import at
from patients.access import Reach
from patients.models import LabReport, RefillRequest, WorkKey
from patients.models.work_keys import (
    ANYBODY,
    LOOSE,
    NOBODY,
    person,
    stream_of,
    team,
)
from patients.search import stream_keys
from patients.tests.work import make_lab
from patients.work import kind_of, stranded, work_keys
from patients.work.queues import Person, Queue, Whose
from staffing.models import Team
from tasks.models import Task, TaskLabel
from tasks.shelves import SHELVES

LABS = 1


def keys(item):
    """The streams of the item's keys."""
    rows = WorkKey.objects.filter(item=item.pk, kind=LABS)
    return sorted(rows.values_list("stream", flat=True))


def streams(sources, *whose):
    """The streams of these patient groups, and of everyone, of what these have."""
    everywhere = [None, *(group.pk for group in sources)]
    return sorted(stream_of(who, source) for who in whose for source in everywhere)


def found_wrong(**options):
    return [pk for _number, wrong in stream_keys.check(**options) for pk in wrong]


def test_an_open_item_is_in_the_streams_of_its_patient_and_of_whoever_has_it(cast):
    lab, ours = make_lab(cast.ada), Team.objects.create(name="Lab team")
    assert keys(lab) == streams([cast.north], ANYBODY, NOBODY)
    for change, whose in (
        ({"team": ours}, team(ours.pk)),
        ({"team": ours, "assignee": cast.nora}, person(cast.nora.pk)),
    ):
        lab.hand_to(**change)
        lab.save()
        assert keys(lab) == streams([cast.north], ANYBODY, whose)
    lab.review(cast.nora, "fine")
    lab.save()
    assert keys(lab) == []


def test_keys_follow_the_memberships_of_the_patient(cast):
    lab = make_lab(cast.cyn)
    assert keys(lab) == streams([], ANYBODY, NOBODY)
    cast.south.add(cast.cyn)
    assert keys(lab) == streams([cast.south], ANYBODY, NOBODY)
    until, east = clock.now() + timedelta(days=1), make_group("East")
    east.add(cast.cyn, until=until)
    cast.south.remove(cast.cyn)
    assert keys(lab) == streams([east], ANYBODY, NOBODY)
    with at(until + timedelta(minutes=1)):
        stream_keys.sweep()
    assert keys(lab) == streams([], ANYBODY, NOBODY)


def test_keys_stand_by_date_and_what_has_none_comes_last(cast):
    dates = [datetime(2026, 2, 1, tzinfo=UTC), None, datetime(2025, 1, 1, tzinfo=UTC)]
    labs = [make_lab(cast.ada, reported=date) for date in dates]
    in_order = WorkKey.objects.filter(stream=0, kind=LABS).order_by("place")
    expected = [labs[2].pk, labs[0].pk, labs[1].pk]
    assert list(in_order.values_list("item", flat=True)) == expected


@pytest.mark.parametrize("damage", ["lost", "foreign stream", "closed past it"])
def test_damage_is_found_and_mended(cast, damage):
    lab = make_lab(cast.ada)
    before = keys(lab)
    if damage == "lost":
        WorkKey.objects.filter(item=lab.pk, stream=0).delete()
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


def test_migrate_makes_the_keys_of_a_shelf_that_is_new(cast):
    lab, task = make_lab(cast.ada), Task(patient=cast.ada, status="CLOSED")
    task.save()
    closed = WorkKey.objects.filter(kind=SHELVES["closed"].orders[""].number)
    before = closed.count()
    closed.delete()
    stream_keys.fill_after_migrate()
    assert (closed.count(), len(keys(lab))) == (before, 4)
    assert before == 4


def test_migrate_makes_the_keys_of_rows_about_no_patient_too(cast):
    make_lab(cast.ada)
    Task(patient=cast.ada, status="CLOSED").save()
    loose = Task(status="CLOSED")
    loose.save()
    keys_of = WorkKey.objects.filter(item=loose.pk, patient=None)
    before = keys_of.count()
    WorkKey.objects.filter(kind=SHELVES["closed"].orders[""].number).delete()
    stream_keys.fill_after_migrate()
    assert keys_of.count() == before > 0


def test_the_patient_of_an_item_can_change(cast):
    lab = make_lab(cast.ada)
    lab.patient = cast.ben
    lab.save()
    assert keys(lab) == streams([cast.south], ANYBODY, NOBODY)
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


def test_work_about_no_patient_has_keys_that_are_checked_too(cast):
    task = Task(title="Order gloves", assignee=cast.ines)
    task.save()
    rows = WorkKey.objects.filter(patient=None)
    both = {stream_of(ANYBODY, LOOSE), stream_of(person(cast.ines.pk), LOOSE)}
    assert set(rows.values_list("stream", flat=True)) == both
    assert [item.key for item in stranded.Walk()] == [task.key], "ines has left"
    task.hand_to(assignee=cast.nora)
    task.save()
    assert list(stranded.Walk()) == []
    rows.filter(stream=stream_of(ANYBODY, LOOSE)).delete()
    with pytest.raises(CommandError, match="with wrong keys: 1"):
        call_command("check_access", stdout=StringIO())
    call_command("check_access", "--repair", stdout=StringIO())
    both = {stream_of(ANYBODY, LOOSE), stream_of(person(cast.nora.pk), LOOSE)}
    assert set(rows.values_list("stream", flat=True)) == both
    task.patient = cast.ada
    task.save()
    assert not rows.exists()
    orders = len(kind_of(Task).shelf.orders)
    assert cast.ada.work_keys.count() == 4 * orders


def test_tasks_have_keys_in_every_order_and_queues_read_them(cast):
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    rows = [
        Task(patient=cast.ada, title="a", priority="routine", due=days[0]),
        Task(patient=cast.ada, title="b", priority="stat"),
        Task(patient=cast.ben, title="c", priority="stat", due=days[0]),
        Task(title="d", priority="stat", due=days[1]),
    ]
    for row, created in zip(rows, [days[2], days[0], days[1], days[1]], strict=True):
        row.created = created
        row.save()
    looking = Person.of(Reach.of(cast.nora.user))
    for sort, expected in (("", "adb"), ("priority", "dba"), ("newest", "adb")):
        queue = Queue(kind_of(Task).shelf, looking, Whose.ALL, sort)
        assert "".join(row.title for row in queue.page("", 5)["rows"]) == expected
        second = queue.page(queue.page("", 1)["next"], 5)
        assert "".join(row.title for row in second["rows"]) == expected[1:]


def titles(queue):
    """The titles of what is in a queue, read a row at a time."""
    found, after = [], ""
    while True:
        page = queue.page(after, 1)
        found += [row.title for row in page["rows"]]
        if not (after := page["next"]):
            return found


def test_ended_tasks_are_found_by_keys_the_latest_first(cast):
    looking = Person.of(Reach.of(cast.nora.user))
    for title, patient, whose in (
        ("a", cast.ada, {"assignee": cast.nora}),
        ("b", cast.ben, {"assignee": cast.nora}),
        ("c", cast.ada, {}),
        ("d", None, {"assignee": cast.nora}),
    ):
        task = Task(title=title, patient=patient, **whose)
        task.save()
        task.set_status("COMPLETED", cast.nora)
        task.save()
    for whose, expected in (
        (Whose.ALL, ["d", "c", "a"]),
        (Whose.MINE, ["d", "a"]),
        (Whose.UNASSIGNED, ["c"]),
    ):
        assert titles(Queue(SHELVES["completed"], looking, whose)) == expected
        assert titles(Queue(SHELVES["open"], looking, whose)) == []
        assert titles(Queue(SHELVES["closed"], looking, whose)) == []


def test_what_has_a_label_is_found_by_it_in_every_order(cast):
    red, blue = (TaskLabel.objects.create(name=name) for name in ("Red", "Blue"))
    looking = Person.of(Reach.of(cast.nora.user))
    for title, patient, labels in (
        ("a", cast.ada, [red]),
        ("b", cast.ben, [red]),
        ("c", None, [red, blue]),
        ("d", cast.ada, []),
    ):
        task = Task(title=title, patient=patient)
        task.save()
        task.set_labels(labels)

    def found(label, shelf="open"):
        orders = SHELVES[shelf].orders
        queues = [
            Queue(SHELVES[shelf], looking, Whose.ALL, o, label.pk) for o in orders
        ]
        return [sorted(titles(queue)) for queue in queues]

    assert found(red) == [["a", "c"]] * 3
    assert found(blue) == [["c"]] * 3
    assert found_wrong() == []
    task = Task.objects.get(title="a")
    task.set_labels([blue])
    assert (found(red), found(blue)) == ([["c"]] * 3, [["a", "c"]] * 3)
    task.set_status("CLOSED", cast.nora)
    task.save()
    assert (found(blue), found(blue, "closed")) == ([["c"]] * 3, [["a"]])
    WorkKey.objects.filter(item=task.pk, place__startswith=str(blue.pk)).delete()
    assert found_wrong(repair=True) == [cast.ada.pk]
    assert found(blue, "closed") == [["a"]]


def test_a_key_of_a_label_that_an_item_lost_shows_nothing(cast):
    red = TaskLabel.objects.create(name="Red")
    task = Task(patient=cast.ada)
    task.save()
    task.set_labels([red])
    task.labelled.all().delete()
    looking = Person.of(Reach.of(cast.nora.user))
    assert titles(Queue(SHELVES["open"], looking, Whose.ALL, "", red.pk)) == []


def test_saving_one_item_of_many_writes_the_keys_of_that_one(cast):
    lab = make_lab(cast.ada)
    others = [make_lab(cast.ada) for _ in range(3)]
    WorkKey.objects.filter(item=others[0].pk).delete()
    lab.hand_to(assignee=cast.nora)
    lab.save()
    assert keys(others[0]) == [], "check_access mends that"
    assert keys(lab) == streams([cast.north], ANYBODY, person(cast.nora.pk))
