"""Keys of claims: what a claim's are, who writes them, and how damage is mended."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from canvas_admin.tests.worlds.damage import found_by_check
from patients.models import Claim, ClaimKey, ClaimState
from patients.models.claim_keys import COUNTED, NUMBERS, kind_of
from patients.models.work_keys import ANYBODY, person, stream_of
from patients.search import stream_keys
from patients.tests.claims import a_claim


def keys(claim):
    """The (stream, kind) of the claim's keys."""
    rows = ClaimKey.objects.filter(item=claim.pk)
    return sorted(rows.values_list("stream", "kind"))


def expected(sources, whose, kinds):
    """Those of these patient groups, and of everyone, of what these have."""
    everywhere = [None, *(group.pk for group in sources)]
    return sorted(
        (stream_of(who, source), kind)
        for who in whose
        for source in everywhere
        for kind in kinds
    )


def test_every_state_has_a_number_of_its_own():
    assert set(NUMBERS) == set(ClaimState)
    assert len({COUNTED, *NUMBERS.values()}) == len(ClaimState) + 1


def test_keys_follow_the_claim_and_the_memberships_of_its_patient(cast):
    claim = a_claim(cast.ada, state="queued")
    queued, sam = [COUNTED, kind_of("queued")], person(cast.sam.pk)
    assert keys(claim) == expected([cast.north], [ANYBODY], queued)
    claim.provider = cast.sam
    claim.save()
    assert keys(claim) == expected([cast.north], [ANYBODY, sam], queued)
    claim.state = "trash"
    claim.save()
    trash = [kind_of("trash")]
    assert keys(claim) == expected([cast.north], [ANYBODY, sam], trash)
    cast.north.remove(cast.ada)
    cast.south.add(cast.ada)
    assert keys(claim) == expected([cast.south], [ANYBODY, sam], trash)


def test_keys_stand_by_date_and_of_one_day_in_the_order_of_making(cast):
    days = (date(2026, 1, 2), date(2026, 1, 1), date(2026, 1, 2))
    first, earlier, second = (a_claim(cast.ada, service_date=day) for day in days)
    rows = ClaimKey.objects.filter(stream=0, kind=COUNTED).order_by("place")
    in_order = [earlier.pk, first.pk, second.pk]
    assert list(rows.values_list("item", flat=True)) == in_order


@pytest.mark.parametrize("damage", ["lost", "foreign stream", "moved past it"])
def test_damage_is_found_and_mended(cast, damage):
    claim = a_claim(cast.ada)
    before, about = keys(claim), ClaimKey.objects.filter(item=claim.pk)
    if damage == "lost":
        about.filter(stream=0).delete()
    elif damage == "foreign stream":
        about.filter(stream=0).update(stream=cast.south.pk)
    else:
        Claim.objects.filter(pk=claim.pk).update(state="trash")
        before = expected([cast.north], [ANYBODY], [kind_of("trash")])
    assert found_by_check() == {cast.ada.pk}
    assert found_by_check(repair=True) == {cast.ada.pk}
    assert found_by_check() == set()
    assert keys(claim) == before


def test_migrate_makes_the_keys_of_claims_that_were_there_before_them(cast):
    claim = a_claim(cast.ada)
    before = keys(claim)
    ClaimKey.objects.all().delete()
    stream_keys.fill_after_migrate()
    assert keys(claim) == before


def test_saving_one_claim_reads_the_keys_of_no_other(cast):
    claim, other = a_claim(cast.ada), a_claim(cast.ada)
    ClaimKey.objects.filter(item=other.pk).delete()
    with CaptureQueriesContext(connection) as few:
        claim.save()
    assert not keys(other)
    for _ in range(5):
        a_claim(cast.ada)
    with CaptureQueriesContext(connection) as many:
        claim.save()
    assert len(few) == len(many)
