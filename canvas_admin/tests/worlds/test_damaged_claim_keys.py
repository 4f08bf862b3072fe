"""Keys of claims damaged on purpose: no worklist shows what it must not, all is found."""

import time

import pytest
from django.db import connection

from canvas_admin.tests import proof
from canvas_admin.tests.worlds import claims, damage
from patients.models import Claim
from patients.models.claim_keys import NUMBERS
from patients.models.work_keys import ANYBODY, person, stream_of
from patients.revenue import claim_keys, worklist
from staffing.models import Staff

WORLDS = proof.count(12, 2_000)
SEEDS = range(700, 800)


def alterations(rng, built, key):
    staff = Staff.objects.values_list("pk", flat=True)
    streams = [
        stream_of(whose, source)
        for whose in (ANYBODY, *map(person, staff))
        for source in (None, *(group.pk for group in built.groups))
    ]
    return [
        ("stream", rng.choice(streams)),
        ("stream", rng.choice(streams)),
        ("kind", rng.choice([0, *NUMBERS.values()])),
        ("place", key.place.replace("2026", "2027")),
        ("item", rng.choice(list(Claim.objects.values_list("pk", flat=True)))),
    ]


TRIAL = damage.Trial(
    claim_keys.CLAIMS,
    claims.raw_claims,
    alterations,
    claims.shown_wrongly,
    claims.about_worklist,
)


@pytest.mark.proof
@pytest.mark.django_db
def test_damaged_keys_show_no_claim_out_of_reach_and_are_found():
    start, first = time.monotonic(), proof.seed()
    seeds = range(first, first + WORLDS)
    failed = [wrong for seed in seeds if (wrong := TRIAL.judged(seed))]
    proof.record(
        "damaged_claim_keys",
        connection.vendor,
        proof.SEED,
        WORLDS,
        len(failed),
        time.monotonic() - start,
    )
    assert not failed, "\n".join(failed[0][:10])


# The test is worth something only if it fails when a guard is gone -----------------------


def keys_say_which_state(patch):
    def any_state(self, pks):
        return Claim.objects.filter(pk__in=pks)

    patch.setattr(worklist.Worklist, "confirmed", any_state)


def keys_are_believed(patch):
    patch.setattr(worklist.Worklist, "_says_so", lambda *_said: True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "mutation",
    [keys_say_which_state, keys_are_believed, damage.the_rule_is_not_asked(worklist)],
    ids=lambda broken: broken.__name__,
)
def test_the_damage_shows_when(mutation, monkeypatch):
    mutation(monkeypatch)
    assert any(TRIAL.judged(seed) for seed in SEEDS)
