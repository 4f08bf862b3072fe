"""One acts for a patient at a time, and whoever was away too long is told so (P44, P45)."""

import pytest
from django.db import transaction

from canvas_admin.events import turns
from canvas_admin.events.models import Turn

pytestmark = pytest.mark.django_db


def test_one_at_a_time():
    mine = turns.take(5, 60)
    assert mine.patient == 5
    assert turns.take(5, 60) is None
    assert turns.take(6, 60)
    turns.release(mine)
    other = turns.take(5, 60)
    assert other.fence == mine.fence + 1


def test_who_was_away_too_long_has_lost_it():
    stale = turns.take(5, 60)
    Turn.objects.update(until=turns.FREE)
    fresh = turns.take(5, 60)
    for late in (lambda: turns.check(stale), lambda: turns.renew(stale)):
        with pytest.raises(turns.Lost), transaction.atomic():
            late()
    turns.release(stale)
    assert turns.take(5, 60) is None
    with transaction.atomic():
        turns.check(fresh)
    Turn.objects.update(until=turns.FREE)
    turns.renew(fresh)
    assert turns.take(5, 60) is None


def test_a_turn_is_put_off_and_freed():
    mine = turns.take(5, 60)
    turns.release(mine, put_off=60)
    assert turns.take(5, 60) is None
    turns.free(5)
    mine = turns.take(5, 60)
    assert mine
    turns.free(5)
    with pytest.raises(turns.Lost), transaction.atomic():
        turns.check(mine)


def test_only_the_patients_own_turn_is_freed():
    mine = turns.take(5, 60)
    turns.free(6)
    with transaction.atomic():
        turns.check(mine)
    assert turns.take(5, 60) is None
