"""Rationed acts: so many an hour and person, counted in the database."""

from datetime import timedelta

import pytest

from canvas_admin.audit import ration
from canvas_admin.audit.models import RationedUse


@pytest.fixture
def used_up(cast):
    """nora has used her three."""
    assert all(ration.take(cast.nora.user, "act", 3) for _ in range(3))


def test_the_ration_ends_and_is_each_persons_own(cast, used_up):
    assert not ration.take(cast.nora.user, "act", 3)
    assert ration.take(cast.sam.user, "act", 3)
    assert ration.take(cast.nora.user, "another act", 3)


def test_an_hour_later_there_is_more(cast, used_up):
    first = RationedUse.objects.order_by("pk").first()
    first.used -= timedelta(hours=1)
    first.save()
    assert ration.take(cast.nora.user, "act", 3)
    assert not ration.take(cast.nora.user, "act", 3)


def test_it_takes_the_account_of_a_request(cast, rf):
    request = rf.get("/")
    request.user = cast.nora.user
    assert ration.take(request.user, "act", 1)
