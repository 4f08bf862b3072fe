"""Acts that each person may do only so often, counted in the database for all processes."""

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from canvas_admin.audit.models import RationedUse
from canvas_admin.records import clock

PERIOD = timedelta(hours=1)


def take(user: Any, act: str, per_hour: int) -> bool:
    """Count one use of `act` by `user`; False, and not counted, once the hour's are used.

    The account's row is locked, so that two uses at the same moment count as two.
    """
    with transaction.atomic():
        get_user_model().objects.select_for_update().get(pk=user.pk)
        uses = RationedUse.objects.filter(actor=user.key, act=act)
        uses.filter(used__lte=clock.now() - PERIOD).delete()
        if uses.count() >= per_hour:
            return False
        RationedUse.objects.create(actor=user.key, act=act)
        return True


def spent(actor: str, act: str, most: int, period: timedelta = PERIOD) -> bool:
    """Whether so many uses are on record already, of somebody who has no account."""
    uses = RationedUse.objects.filter(actor=actor, act=act)
    return uses.filter(used__gt=clock.now() - period).count() >= most


def note(actor: str, act: str, period: timedelta = PERIOD) -> None:
    """Put one use on record; `actor` is any text of 32 characters."""
    uses = RationedUse.objects.filter(actor=actor, act=act)
    uses.filter(used__lte=clock.now() - period).delete()
    RationedUse.objects.create(actor=actor, act=act)


def forget(actor: str, act: str) -> None:
    """Begin to count anew."""
    RationedUse.objects.filter(actor=actor, act=act).delete()
