"""Keys of work damaged on purpose: no queue shows what it must not, all is found."""

import time

import pytest
from django.db import connection
from django.db.models import Q

from canvas_admin.tests import proof
from canvas_admin.tests.worlds import damage, work
from patients.models import LabReport
from patients.models.work_keys import ANYBODY, NOBODY, person, stream_of
from patients.work import queues, work_keys
from staffing.models import Staff

WORLDS = proof.count(16, 2_000)
SEEDS = range(300, 1_000)


def alterations(rng, built, key):
    staff = Staff.objects.values_list("pk", flat=True)
    streams = [
        stream_of(whose, source)
        for whose in (ANYBODY, NOBODY, *map(person, staff))
        for source in (None, *(group.pk for group in built.groups))
    ]
    return [
        ("stream", rng.choice(streams)),
        ("stream", rng.choice(streams)),
        ("kind", rng.choice([1, 2])),
        ("place", key.place.replace("2026", "2027")),
        ("item", rng.choice(list(LabReport.objects.values_list("pk", flat=True)))),
    ]


TRIAL = damage.Trial(
    work_keys.WORK, work.raw_work, alterations, work.shown_wrongly, work.about_queues
)


@pytest.mark.proof
@pytest.mark.django_db
def test_damaged_keys_show_no_work_out_of_reach_and_are_found():
    start, first = time.monotonic(), proof.seed()
    seeds = range(first, first + WORLDS)
    failed = [wrong for seed in seeds if (wrong := TRIAL.judged(seed))]
    proof.record(
        "damaged_work_keys",
        connection.vendor,
        proof.SEED,
        WORLDS,
        len(failed),
        time.monotonic() - start,
    )
    assert not failed, "\n".join(failed[0][:10])


# The test is worth something only if it fails when a guard is gone -----------------------


def keys_say_whose_it_is(patch):
    patch.setattr(queues.Queue, "_whose", lambda self: Q())


def keys_are_believed(patch):
    patch.setattr(queues.Queue, "_says_so", lambda *_said: True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "mutation",
    [keys_say_whose_it_is, keys_are_believed, damage.the_rule_is_not_asked(queues)],
    ids=lambda broken: broken.__name__,
)
def test_the_damage_shows_when(mutation, monkeypatch):
    mutation(monkeypatch)
    assert any(TRIAL.judged(seed) for seed in SEEDS)
