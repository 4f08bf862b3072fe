"""The access rule in random worlds: every answer is the oracle's (DESIGN section 12).

PROOF_SEED=<seed> runs the same worlds again. A failing world says its own seed and is
cut down, person by person and row by row, to what still fails.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from django.db import connection, transaction

from canvas_admin.tests import proof
from canvas_admin.tests.worlds import by_hand, claims, work
from canvas_admin.tests.worlds.building import build, draw
from canvas_admin.tests.worlds.checks import as_if_many, disagreements
from canvas_admin.tests.worlds.oracle import World

PARTS = proof.count(2, 20)
WORLDS = proof.count(60, 10_000) // PARTS
# One world in so many is made by our own methods, the others are raw rows.
BY_HAND = 10


class Undone(Exception):
    """Rolls a world back."""


def judged(seed: int) -> list[str]:
    """What is wrong in the world of this seed, which is rolled back."""
    try:
        with transaction.atomic(), as_if_many(seed):
            if seed % BY_HAND == 0:
                built = by_hand.make(Random(seed))
                work.hand_over(Random(seed), built)
                claims.move(Random(seed), built)
            else:
                built = build(draw(Random(seed)), Random(seed))
                work.raw_work(Random(seed), built)
                claims.raw_claims(Random(seed), built)
            wrong = disagreements(built)
            raise Undone
    except Undone:
        return wrong


def judged_world(world: World, seed: int) -> list[str]:
    """What is wrong in this world of raw rows, which is rolled back."""
    try:
        with transaction.atomic(), as_if_many(seed):
            built = build(world, Random(seed))
            work.raw_work(Random(seed), built)
            claims.raw_claims(Random(seed), built)
            wrong = disagreements(built)
            raise Undone
    except Undone:
        return wrong


def smaller(world: World) -> Iterator[World]:
    """The world without one of its people, memberships, exclusions or holdings."""
    for n in range(len(world.people)):
        yield replace(world, people=world.people[:n] + world.people[n + 1 :])
    for n, group in enumerate(world.groups):
        rest = [
            *(replace(group, excluded=group.excluded - {p}) for p in group.excluded),
            *(
                replace(
                    group,
                    memberships=group.memberships[:m] + group.memberships[m + 1 :],
                )
                for m in range(len(group.memberships))
            ),
        ]
        for less in rest:
            yield replace(
                world, groups=(*world.groups[:n], less, *world.groups[n + 1 :])
            )
    for n, person in enumerate(world.people):
        rest = [
            *(replace(person, managed=person.managed - {m}) for m in person.managed),
            *(
                replace(person, patient_groups=person.patient_groups - {g})
                for g in person.patient_groups
            ),
        ]
        for less in rest:
            yield replace(
                world, people=(*world.people[:n], less, *world.people[n + 1 :])
            )


def cut_down(world: World, seed: int) -> World:
    """A world that fails still, with as little in it as this greedy search can leave."""
    while True:
        for less in smaller(world):
            if judged_world(less, seed):
                world = less
                break
        else:
            return world


def account(seed: int, wrong: list[str]) -> str:
    """What went wrong, for a person to read."""
    if seed % BY_HAND == 0:
        return f"world {seed}, made by our methods:\n" + "\n".join(wrong[:5])
    least = cut_down(draw(Random(seed)), seed)
    wrong = judged_world(least, seed)
    return "\n".join([f"world {seed}, cut down:", *_described(least), *wrong[:5]])


def _described(world: World) -> Iterator[str]:
    yield f"  {world.patients} patients"
    for n, person in enumerate(world.people):
        yield f"  person {n}: {person}"
    for n, group in enumerate(world.groups):
        yield (
            f"  group {n}: used={group.used_for_permissions} granted={group.granted} "
            f"retired={group.retired} excluded={set(group.excluded)}"
        )
        for row in group.memberships:
            end = row.end and row.end - world.now
            yield f"    patient {row.patient}: now + {row.start - world.now} to {end}"


@pytest.mark.proof
@pytest.mark.django_db
@pytest.mark.parametrize("part", range(PARTS))
def test_in_random_worlds_every_spelling_agrees_with_the_oracle(part):
    start, first = time.monotonic(), proof.seed() + part * WORLDS
    failed = {
        seed: wrong for seed in range(first, first + WORLDS) if (wrong := judged(seed))
    }
    proof.record(
        "worlds",
        connection.vendor,
        proof.SEED,
        WORLDS,
        len(failed),
        time.monotonic() - start,
        part=str(part),
    )
    for seed, wrong in failed.items():
        pytest.fail(account(seed, wrong))
