"""Keys of open work damaged on purpose: no queue shows what it must not, all is found."""

import time
from random import Random

import pytest
from django.db import connection, transaction
from django.db.models import Q

from canvas_admin.tests import proof
from canvas_admin.tests.worlds import checks, work
from canvas_admin.tests.worlds.building import Built, at, build, draw
from canvas_admin.tests.worlds.damage import differing, found_by_check
from patients.models import LabReport, Patient, WorkKey
from patients.models.work_keys import ANYBODY, NOBODY, person, stream_of
from patients.work import queues, work_keys
from staffing.models import Staff, User

WORLDS = proof.count(16, 2_000)
SEEDS = range(300, 1_000)


def damage(rng: Random, built: Built) -> None:
    """A field of a key of open work says something else, or the key is gone."""
    keys = list(WorkKey.objects.all())
    if not keys:
        return
    key = rng.choice(keys)
    staff = Staff.objects.values_list("pk", flat=True)
    streams = [
        stream_of(whose, source)
        for whose in (ANYBODY, NOBODY, *map(person, staff))
        for source in (None, *(group.pk for group in built.groups))
    ]
    items = list(LabReport.objects.values_list("pk", flat=True))
    field, value = rng.choice(
        [
            ("stream", rng.choice(streams)),
            ("stream", rng.choice(streams)),
            ("kind", rng.choice([1, 2])),
            ("place", key.place.replace("2026", "2027")),
            ("item", rng.choice(items)),
            ("patient_id", rng.choice(built.patients).pk),
            ("gone", True),
        ]
    )
    about = WorkKey.objects.filter(pk=key.pk)
    if field == "gone":
        about.delete()
    else:
        about.update(**{field: value})


def judged(seed: int) -> list[str]:
    """What is wrong with a damaged world of this seed, which is rolled back."""
    rng = Random(seed)
    with transaction.atomic(), checks.as_if_many(seed):
        built = build(draw(rng), Random(seed))
        work.raw_work(rng, built)
        with at(built.world.now):
            for _ in range(rng.randint(1, 6)):
                damage(rng, built)
            rows = User.objects.select_related("staff")
            people = [
                (person, rows.get(pk=user.pk))
                for person, user in zip(built.world.people, built.users, strict=True)
            ]
            wrong = [w for p in people for w in work.shown_wrongly(built, *p)]
            really = differing(built, work_keys.WORK)
            if found_by_check(repair=True) != really or found_by_check():
                wrong.append("the check finds other damage than there is")
            for turn, (person, user) in enumerate(people):
                wrong += work.about_queues(built, person, user, turn + seed)
        transaction.set_rollback(True)
    return [f"world {seed}: {what}" for what in wrong]


@pytest.mark.proof
@pytest.mark.django_db
def test_damaged_keys_show_no_work_out_of_reach_and_are_found():
    start, first = time.monotonic(), proof.seed()
    failed = [wrong for seed in range(first, first + WORLDS) if (wrong := judged(seed))]
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


def the_rule_is_not_asked(patch):
    def unjudged(_reach, patients):
        rows = Patient.objects.filter(pk__in=patients)
        return dict.fromkeys(rows, "")

    patch.setattr(queues.access, "opened", unjudged)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "mutation",
    [keys_say_whose_it_is, keys_are_believed, the_rule_is_not_asked],
    ids=lambda broken: broken.__name__,
)
def test_the_damage_shows_when(mutation, monkeypatch):
    mutation(monkeypatch)
    assert any(judged(seed) for seed in SEEDS)
