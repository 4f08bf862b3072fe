"""The world test is worth something only if it fails when the rule is wrong.

Each mutation breaks the rule in one place; the worlds of a fixed seed agree without it
and must disagree with it.
"""

import pytest
from django.apps import apps
from django.db.models import Exists, OuterRef, Q

from canvas_admin.records import clock
from canvas_admin.tests.worlds.test_worlds import judged
from patients import access, decisions, grants
from patients.models import Patient
from patients.querysets import MemberQuerySet
from patients.search import scans, streams
from staffing import standing

# Few and quick: between them they have what each mutation gets wrong; 30 is by hand.
SEEDS = (2, 4, 24, 25, 30, 58)


def _not_excluded(members):
    exclusions = apps.get_model("patients", "PatientGroupExclusion").objects
    return members.exclude(
        Exists(
            exclusions.filter(
                patient_group=OuterRef("patient_group"), patient=OuterRef("member")
            )
        )
    )


def end_dates_are_ignored(patch):
    patch.setattr(
        MemberQuerySet,
        "in_force",
        lambda self, at=None, **of: _not_excluded(
            self.filter(start_date__lte=at or clock.now(), **of)
        ),
    )


def the_end_still_counts(patch):
    def in_force(self, at=None, **of):
        now = at or clock.now()
        until = Q(end_date__isnull=True) | Q(end_date__gte=now)
        return _not_excluded(self.filter(until, start_date__lte=now, **of))

    patch.setattr(MemberQuerySet, "in_force", in_force)


def exclusions_are_ignored(patch):
    def in_force(self, at=None, **of):
        now = at or clock.now()
        until = Q(end_date__isnull=True) | Q(end_date__gt=now)
        return self.filter(until, start_date__lte=now, **of)

    patch.setattr(MemberQuerySet, "in_force", in_force)


def _opened_by(patch, **conditions):
    """opened_by() with these conditions in the place of all it asks of the group."""

    def opened_by(auth_groups):
        rows = grants._access_rows().filter(
            group__among=auth_groups, permission__codename=grants.CODENAME, **conditions
        )
        groups = apps.get_model("patients", "PatientGroup").objects
        return groups.filter(pk__in=rows.values("content_object"))

    patch.setattr(grants, "opened_by", opened_by)


def the_switch_is_ignored(patch):
    _opened_by(patch, content_object__retired__isnull=True)


def retirement_is_ignored(patch):
    _opened_by(patch, content_object__use_for_permissions=True)


def inactive_staff_count(patch):
    patch.setattr(standing, "is_live", lambda active, superuser, staff: active)


def all_patients_is_forgotten(patch):
    patch.setattr(
        access, "PATHS", tuple(p for p in access.PATHS if p.code != "all-patients")
    )


def pages_trust_the_streams(patch):
    def unjudged(account, patients):
        return dict.fromkeys(Patient.objects.filter(pk__in=patients), "")

    patch.setattr(streams.access, "opened", unjudged)


def the_bound_of_a_page_is_too_near(patch):
    def nearer(_end, span, backwards):
        return (span[1], span[1]) if backwards else (span[0], span[0])

    patch.setattr(scans, "_until", nearer)


MUTATIONS = (
    end_dates_are_ignored,
    the_end_still_counts,
    exclusions_are_ignored,
    the_switch_is_ignored,
    retirement_is_ignored,
    inactive_staff_count,
    all_patients_is_forgotten,
    pages_trust_the_streams,
    the_bound_of_a_page_is_too_near,
)


@pytest.fixture(autouse=True)
def _compiled_anew(monkeypatch):
    """No query that was compiled with a broken rule outlives its test."""
    for prepared in (
        access.OPENED_GROUPS,
        access.OPENED_BY_MANY,
        access.OPENED_PATIENTS,
        standing.HOLDINGS,
    ):
        monkeypatch.setattr(prepared, "compiled", {})
    decisions._answers.cache_clear()
    yield
    decisions._answers.cache_clear()


@pytest.mark.django_db
def test_the_worlds_of_the_fixed_seed_agree():
    assert not any(judged(seed) for seed in SEEDS)


@pytest.mark.django_db
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda broken: broken.__name__)
def test_the_world_test_fails_when(mutation, monkeypatch):
    mutation(monkeypatch)
    assert any(judged(seed) for seed in SEEDS)
