"""A protocol over everybody within its reach, each once."""

import pytest

from canvas_admin.events import turns
from canvas_admin.protocols import recomputing
from canvas_admin.protocols.models import ProtocolResult, ProtocolRun, Recompute
from canvas_admin.protocols.recomputing import recompute_some
from canvas_admin.protocols.sandbox import Sandbox
from canvas_admin.protocols.uploading import recompute, switch
from canvas_admin.tests.protocols.running import measure, protocol

READS = ("Profile read", "Patients: North", "Patients: South")


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as made:
        yield made


def everybody(sandbox):
    """All that is left of the recomputes; how many patients that were."""
    total = 0
    while done := recompute_some(sandbox):
        total += done
    return total


def test_it_computes_everybody_active_within_reach_once(cast, sandbox, monkeypatch):
    monkeypatch.setattr(recomputing, "SLICE", 1)
    one = protocol(measure("result.status = 'due'"), *READS)
    cast.south.add(cast.cyn)
    cast.ben.active = False
    cast.ben.save()
    wanted = recompute(one, cast.ruth.user)
    assert everybody(sandbox) == 2
    wanted.refresh_from_db()
    assert (wanted.patients, wanted.handled, wanted.stopped) == (2, 2, False)
    assert wanted.ended
    assert wanted.wanted_by == cast.ruth.user
    found = ProtocolResult.objects.order_by("patient").values_list("patient", "status")
    assert list(found) == [(cast.ada.pk, "due"), (cast.cyn.pk, "due")]
    assert everybody(sandbox) == 0
    assert ProtocolRun.objects.count() == 2


def test_whom_another_acts_for_is_come_back_to(cast, sandbox, monkeypatch):
    one = protocol(measure("pass"), *READS)
    wanted = recompute(one, cast.ruth.user)
    turn = turns.take(cast.ada.pk, 60)
    assert everybody(sandbox) == 1
    assert wanted.handled == 0
    turns.release(turn)
    wanted.slices.update(until=turns.FREE)
    assert everybody(sandbox) == 2
    assert ProtocolRun.objects.count() == wanted.handled == 2


def test_a_later_one_stops_it(cast, sandbox):
    one = protocol(measure("pass"), *READS)
    first, second = (recompute(one, cast.ruth.user) for _ in range(2))
    assert everybody(sandbox) == 2
    first.refresh_from_db()
    assert (first.stopped, first.patients) == (True, None)
    assert second.runs.count() == 2


def test_what_is_switched_off_stops(cast, sandbox):
    one = protocol(measure("pass"), *READS)
    recompute(one, cast.ruth.user)
    switch(one, False, cast.ruth.user)
    assert everybody(sandbox) == 0
    assert Recompute.objects.get().stopped
    switch(one, True, cast.ruth.user)
    assert everybody(sandbox) == 2
    one.current.notification_only = True
    one.current.save()
    one.refresh_from_db()
    assert recompute(one, cast.ruth.user) is None


def test_who_comes_to_be_out_of_reach_is_not_computed(cast, sandbox):
    one = protocol(measure("pass"), *READS)
    wanted = recompute(one, cast.ruth.user)
    recomputing.cut(wanted, one)
    cast.south.remove(cast.ben)
    everybody(sandbox)
    assert [run.patient for run in wanted.runs.all()] == [cast.ada]
    wanted.refresh_from_db()
    assert wanted.ended
