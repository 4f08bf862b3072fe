"""Putting claims aside until a day, and asking for them again when it has come."""

from collections.abc import Iterator

from django.db import transaction
from django.db.models import QuerySet

from canvas_admin.audit import trail
from canvas_admin.records import clock
from patients.models import Claim, ClaimSnooze

ACTOR = trail.Command("wake_claims")


def end(claim: Claim) -> None:
    """End the snooze of a claim, if it has one; nobody is asked for it."""
    claim.snoozes.filter(ended__isnull=True).update(ended=clock.now())


def wake() -> Iterator[ClaimSnooze]:
    """End each snooze whose day has come, with a task; each in a transaction of its own."""
    for pk in list(_due().values_list("pk", flat=True)):
        with transaction.atomic():
            snooze = _due().select_for_update(of=("self",)).filter(pk=pk).first()
            if snooze is None:
                # Somebody moved the claim meanwhile, or another run was here.
                continue
            snooze.ended = clock.now()
            snooze.save()
            snooze.wake()
            seen, about = [(snooze.patient.key, "")], f"claim/{snooze.claim.key}"
            trail.done(ACTOR, "claim.woken", seen, subject=about)
        yield snooze


def _due() -> QuerySet[ClaimSnooze]:
    rows = ClaimSnooze.objects.filter(ended__isnull=True, until__lte=clock.today())
    return rows.select_related("claim", "patient").order_by("until", "pk")
