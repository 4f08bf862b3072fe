"""Who may not change the profile, and what no form can be made to do (security P10)."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext

from canvas_admin.audit.models import AuditRow
from canvas_admin.records.models import new_key
from canvas_admin.testing import give
from canvas_admin.tests.addresses import belongings
from canvas_admin.tests.masking import masked
from patients import profile_changes
from patients.models import EligibilityCheck, Patient
from patients.tests.profile_pages import (
    CHANGES,
    FORM,
    SLUGS,
    address,
    change,
    good,
    problems,
    values_of,
    writer,
)
from staffing.models import CareTeamRole, Staff
from staffing.tests.pages import submit

pytestmark = pytest.mark.furnished

MISSING = "0123456789abcdef" * 2
TABLES = list(apps.get_app_config("patients").get_models())


def everything():
    """Every row of the patients' room, as it stands."""
    return {
        table: list(table._base_manager.order_by("pk").values()) for table in TABLES
    }


def pages(cast, patient, rows):
    """(address, methods that it answers to) of each page about this patient."""
    found = [(address(patient, "demographics"), ("get", "post"))]
    for slug in SLUGS:
        found.append((address(patient, slug), ("get",)))
        found.append((address(patient, slug, "new"), ("get", "post")))
        found.append((address(patient, slug, rows[slug].key), ("get", "post")))
    check = address(patient, "coverages", rows["coverages"].key, "eligibility")
    return [*found, (check, ("post",))]


@pytest.fixture
def olga(cast, signed_in):
    return writer(cast, signed_in)


# Who --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status"),
    [
        (None, 302),
        ("nora", 403),
        ("sam", 403),
        ("olga", 403),
        ("max", 403),
        ("ines", 302),
        ("nil", 403),
        ("ruth", 403),
    ],
)
def test_nobody_of_the_cast_changes_adas_profile(cast, signed_in, name, status):
    """nora reads it; olga may write and does not reach her."""
    client, before = signed_in(name), everything()
    for url, methods in pages(cast, cast.ada, cast.belongings):
        for method in methods:
            assert getattr(client, method)(url).status_code == status, (method, url)
    assert everything() == before


@pytest.mark.parametrize("taken", ["Patients: North", "Profile write", "Profile read"])
def test_what_is_taken_away_is_gone_at_the_next_click(cast, olga, taken):
    url = address(cast.ada, "addresses", cast.belongings["addresses"].key)
    values = values_of(olga, url) | {"city": "Salem"}
    if taken == "Profile read":
        cast.olga.revoke(Group.objects.get(name="Patient create"))
    cast.olga.revoke(Group.objects.get(name=taken))
    before = everything()
    assert olga.post(url, values).status_code == 403
    assert everything() == before


def test_reach_that_ends_while_a_form_is_saved_saves_nothing(cast, olga, monkeypatch):
    """Between the gate and the lock the patient leaves the group."""
    lock = profile_changes._lock

    def late(form):
        cast.north.remove(cast.ada)
        lock(form)

    monkeypatch.setattr(profile_changes, "_lock", late)
    for url, row in (
        (address(cast.ada, "demographics"), {"gender": "other"}),
        (address(cast.ada, "addresses", "new"), {"city": "Salem"}),
    ):
        values = values_of(olga, url) | row
        assert olga.post(url, values).status_code == 403
        assert cast.ada.addresses.count() == 1
        assert Patient.objects.get(pk=cast.ada.pk).gender == cast.ada.gender
        assert olga.get(url).status_code == 200


# Hidden, missing and no key ---------------------------------------------------------------


@pytest.fixture
def bens(cast, olga):
    """ben's rows, out of olga's reach."""
    return belongings(cast, cast.ben)


def test_hidden_missing_and_malformed_patients_are_alike_on_every_page(
    cast, olga, bens
):
    hidden = pages(cast, cast.ben, bens)
    for url, methods in hidden:
        for method in methods:
            answers = [
                masked(getattr(olga, method)(url.replace(cast.ben.key, key)), key)
                for key in (cast.ben.key, MISSING, "f" * 32, "x", "%00", "é" * 32)
            ]
            assert answers[0][0] == 403
            assert len({repr(a) for a in answers}) == 1, (method, url)


def test_hidden_and_missing_take_the_same_questions(cast, olga, bens):
    for url, methods in pages(cast, cast.ben, bens):
        taken = []
        for key in (MISSING, cast.ben.key, MISSING, cast.ben.key):
            with CaptureQueriesContext(connection) as captured:
                getattr(olga, methods[0])(url.replace(cast.ben.key, key))
            taken.append(len(captured))
        assert taken[2] == taken[3], url


@pytest.mark.parametrize("slug", SLUGS)
def test_another_patients_row_is_like_a_missing_one(cast, olga, bens, slug):
    """By ada's address: of ben, whom olga does not reach, and of cyn once she does."""
    cyns = belongings(cast, cast.cyn)
    cast.north.add(cast.cyn)
    before = everything()
    own = values_of(olga, address(cast.ada, slug, cast.belongings[slug].key))
    ends = [("",)] + ([("eligibility",)] if slug == "coverages" else [])
    for end in ends:
        for method in ("get", "post") if end == ("",) else ("post",):
            answers = set()
            for key in (bens[slug].key, cyns[slug].key, MISSING, "1", "%00", "new2"):
                url = address(cast.ada, slug, key, *filter(None, end))
                answer = getattr(olga, method)(url, own | CHANGES[slug])
                assert answer.status_code == 403
                answers.add(repr(masked(answer, key)))
            assert len(answers) == 1
    assert everything() == before


def test_a_refusal_is_audited_with_the_patient_it_was_about(cast, olga, bens):
    AuditRow.objects.all().delete()
    olga.get(address(cast.ada, "names", bens["names"].key))
    olga.get(address(cast.ben, "names"))
    refused = AuditRow.objects.filter(outcome="refused").exclude(patient="")
    assert [(row.action, row.patient) for row in refused.order_by("pk")] == [
        ("page:patients:names-change", cast.ada.key),
        ("page:patients:names", cast.ben.key),
    ]


# P10: foreign keys in forms ---------------------------------------------------------------


def strangers(cast):
    """label → (section, field, keys that must not be taken)."""
    inactive_coding = type(cast.consent_coding).objects.create(
        code="old", display="Old", active=False
    )
    inactive_role = CareTeamRole.objects.create(code="y", display="Y", active=False)
    directory = Staff.objects.create(first_name="Dora", last_name="Directory")
    known = (MISSING, "1", "0", "é", cast.ada.key, cast.ben.key, new_key())
    return {
        "consents": ("coding", (*known, inactive_coding.key, cast.consent_coding.key)),
        "care-team staff": (
            "staff",
            (*known, cast.ines.key, cast.nil.key, cast.ruth.key, directory.key),
        ),
        "care-team role": ("role", (*known, inactive_role.key)),
    }


@pytest.mark.parametrize("about", ["consents", "care-team staff", "care-team role"])
def test_a_foreign_key_is_refused_like_a_missing_one(cast, olga, bens, about):
    slug = about.partition(" ")[0]
    field, keys = strangers(cast)[about]
    url, values = address(cast.ada, slug, "new"), good(cast, slug)
    before, answers = everything(), set()
    for key in (*keys, bens[slug].key, bens["names"].key):
        response = submit(olga, url, FORM, **values | {field: key})
        assert list(response.context["form"].errors) == [field]
        answers.add(problems(response))
    assert len(answers) == 1
    assert everything() == before


OF_OTHERS = ("patient", "patient_id", "patient_key", "key", "id")


@pytest.mark.parametrize("slug", SLUGS)
def test_no_row_moves_to_another_patient(cast, olga, bens, slug):
    row = cast.belongings[slug]
    for value in (cast.ben.key, str(cast.ben.pk), bens[slug].key, bens[slug].pk):
        forged = dict.fromkeys(OF_OTHERS, value)
        assert change(olga, cast, slug, **forged).status_code == 302
    assert type(row).objects.get(pk=row.pk).patient_id == cast.ada.pk
    forged = dict.fromkeys(OF_OTHERS, 1)
    url = address(cast.ada, slug, "new")
    new = submit(olga, url, FORM, **good(cast, slug), **forged)
    assert new.status_code == 302
    assert type(row).objects.filter(patient=cast.ben).count() == 1
    latest = type(row).objects.latest("pk")
    assert latest.patient_id == cast.ada.pk


def test_a_form_of_one_patient_sent_for_another_saves_nothing_there(cast, olga):
    """The token makes one row, wherever it is sent."""
    cast.north.add(cast.cyn)
    values = values_of(olga, address(cast.ada, "addresses", "new")) | {"city": "Salem"}
    olga.post(address(cast.ada, "addresses", "new"), values)
    olga.post(address(cast.cyn, "addresses", "new"), values)
    assert cast.ada.addresses.filter(city="Salem").count() == 1
    assert not cast.cyn.addresses.exists()


# Methods ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_undeclared_methods_are_refused(cast, olga, method):
    for url, _methods in pages(cast, cast.ada, cast.belongings):
        assert getattr(olga, method)(url).status_code == 405


def test_a_form_without_its_csrf_value_saves_nothing(cast, olga):
    olga.handler.enforce_csrf_checks = True
    before = everything()
    for url, methods in pages(cast, cast.ada, cast.belongings):
        if "post" in methods:
            assert olga.post(url, {"city": "Salem"}).status_code == 403
    assert everything() == before
    assert Patient.objects.count() == 3
    assert not EligibilityCheck.objects.exists()


def test_everyone_s_holder_writes_with_profile_write(cast, signed_in):
    give(cast.max, "Profile write", "Profile read")
    url = address(cast.cyn, "addresses", "new")
    assert submit(signed_in("max"), url, FORM, city="Salem").status_code == 302
    row = AuditRow.objects.get(action="patient.addresses.added", patient=cast.cyn.key)
    assert row.access_path == "all-patients"
