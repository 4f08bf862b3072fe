"""The access rule in random worlds: every answer is the oracle's (DESIGN section 12).

PROOF_SEED=<seed> runs the same worlds again; a failing world says its own seed.
"""

import time
from random import Random

import pytest
from django.db import connection, transaction

from canvas_admin.tests import proof
from canvas_admin.tests.worlds.building import Built, build, draw
from canvas_admin.tests.worlds.checks import disagreements

PARTS = proof.count(2, 20)
WORLDS = proof.count(60, 10_000) // PARTS


class Undone(Exception):
    """Rolls a world back."""


def judged(seed: int) -> list[str]:
    """What is wrong in the world of this seed, which is rolled back."""
    rng = Random(seed)
    wrong: list[str] = []
    try:
        with transaction.atomic():
            built = build(draw(rng), rng)
            wrong = disagreements(built)
            raise Undone
    except Undone:
        return [f"world {seed}: {what}\n{built.world}" for what in wrong]


@pytest.mark.proof
@pytest.mark.django_db
@pytest.mark.parametrize("part", range(PARTS))
def test_in_random_worlds_every_spelling_agrees_with_the_oracle(part):
    start, first = time.monotonic(), proof.seed() + part * WORLDS
    failed = [wrong for seed in range(first, first + WORLDS) if (wrong := judged(seed))]
    proof.record(
        "worlds",
        connection.vendor,
        proof.SEED,
        WORLDS,
        len(failed),
        time.monotonic() - start,
        part=str(part),
    )
    assert not failed, "\n".join(failed[0][:3])
