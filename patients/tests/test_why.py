"""manage.py why and who_can: the decision, in sentences that name what they rest on."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.testing import STAFF_NAMES, give, make_group
from patients import review
from patients.decisions import decide
from patients.models import PatientGroupExclusion, PatientGroupMember
from staffing.models import Staff, User


def said(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_why_somebody_may_names_each_group_and_where_it_came_from(cast):
    text = said("why", "nora", cast.ada.mrn)
    assert text.startswith("Yes: Nora Example may open the chart of this patient.")
    assert "“Clinical read”, by the role Nurse on" in text
    assert (
        "gives the right to view patients, view conditions, view medications, "
        "view allergies, view immunizations and " in text
    )
    assert re.search(r"immunizations and \d+ more\.", text)
    assert "The patient is in the patient group “North” since" in text
    assert "“Patients: North”, by hand on" in text


def test_why_not_names_what_is_missing_and_what_would_give_it(cast):
    text = said("why", "max", cast.ben.key)
    assert text.startswith("No: Max Example may not open the chart of this patient.")
    assert "The right to view conditions, view medications, view allergies" in text
    assert text.count("It comes with: “Clinical read”.") == 1
    assert "Every patient is open through “All Patients”" in text
    text = said("why", "nora", cast.ben.key)
    assert (
        "This person holds these patient groups, and the patient is in none of them "
        "now: “North”."
    ) in text
    assert "is in “South”: whoever holds “Patients: South” can open it" in text


def _ended(cast):
    cast.north.remove(cast.ada)


def _to_come(cast):
    row = cast.north.memberships.get()
    row.start_date = clock.now() + timedelta(days=9)
    row.save()


def _excluded(cast):
    PatientGroupExclusion(
        patient_group=cast.north, patient=cast.ada, reason="secret reason"
    ).save()


def _switched_off(cast):
    cast.north.use_for_permissions = False
    cast.north.save()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_ended, "but the patient left the group on"),
        (_to_come, "but the patient joins the group on"),
        (_excluded, "is excluded from “North”: lift the exclusion first."),
        (
            _switched_off,
            "“North” opens nothing while its switch for permissions is off.",
        ),
    ],
)
def test_a_group_that_is_held_and_does_not_open_is_explained(cast, change, sentence):
    change(cast)
    text = said("why", "nora", cast.ada.key)
    assert text.startswith("No:")
    assert sentence in text
    assert "secret reason" not in text


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("access", "reach this patient"),
        ("find", "find patients by name"),
        ("create", "create patients"),
        ("chart", "open the chart of this patient"),
        ("profile", "open the profile of this patient"),
        ("edit-profile", "change the profile of this patient"),
        ("patients.view_condition", "view conditions for this patient"),
        ("patients.find_patient", "find patients by name for this patient"),
        ("patients.add_patient", "add patients for this patient"),
    ],
)
def test_each_action_has_words_that_name_no_permission(cast, action, words):
    text = said("why", "nil", cast.ada.key, action)
    assert text.startswith(f"No: Nil Example may not {words}.\n")
    for name in ("Can ", "_patient", "_condition"):
        assert name not in text
    assert said("who_can", cast.ada.key, action).endswith(f" may {words}.\n")


def test_a_permission_of_no_group_is_said_to_come_with_none(cast):
    text = said("why", "nil", cast.ada.key, "patients.delete_patient")
    assert "The right to delete patients is missing. No group gives it." in text


def test_who_holds_nothing_that_opens_patients_is_told(cast):
    text = said("why", "olga", cast.ada.key, "access")
    assert "neither “All Patients” nor a patient group that opens patients." in text


def test_the_advice_for_an_excluded_patient_begins_with_the_exclusion(cast):
    _excluded(cast)
    west = make_group("West", use_for_permissions=False)
    PatientGroupExclusion(patient_group=west, patient=cast.ada, reason="x").save()
    gone = make_group("Gone")
    PatientGroupExclusion(patient_group=gone, patient=cast.ada, reason="x").save()
    gone.retire()
    lines = said("why", "nora", cast.ada.key, "access").splitlines()
    assert lines[2:] == [
        "- The patient is excluded from “North”: lift the exclusion first.",
        "- The patient is excluded from “West”: lift the exclusion first.",
        "- “West” opens nothing while its switch for permissions is off.",
        "- The patient is in no group that is used for permissions; add it to one "
        "that does not exclude it.",
        "- “All Patients” opens every patient.",
    ]


def test_a_switched_off_group_is_said_to_be_off_before_its_dates(cast):
    _to_come(cast)
    _switched_off(cast)
    text = said("why", "nora", cast.ada.key, "access")
    off = text.index("“North” opens nothing while its switch for permissions is off.")
    assert off < text.index("but the patient joins the group on")


def test_a_patient_in_no_group_gets_advice(cast):
    text = said("why", "nora", cast.cyn.key, "access")
    assert "in no group that is used for permissions" in text
    assert "“All Patients” opens every patient." in text


def test_inactive_people_and_people_without_an_account_have_nothing(cast):
    assert "not active" in said("why", "ines", cast.ada.key)
    listed = Staff(first_name="Dora", last_name="Directory")
    listed.save()
    text = said("why", listed.key, cast.ada.key)
    assert text.startswith("No: Dora Directory")
    assert "no account" in text


def test_a_superuser_may_and_is_marked(cast):
    User.objects.create_superuser("root", password="long enough for a test")
    assert "superuser" in said("why", "root", cast.cyn.key)
    assert "root, root (superuser)" in said("who_can", cast.cyn.key)


def test_an_action_about_nobody_does_not_ask_for_reach(cast):
    assert said("why", "olga", cast.ben.key, "create").startswith("Yes:")
    assert said("why", "sam", cast.ada.key, "find").startswith("Yes:")


@pytest.mark.parametrize("action", [*review.actions(), "patients.view_condition"])
def test_who_can_lists_exactly_those_for_whom_the_decision_is_yes(cast, action):
    give(cast.max, "Clinical read")
    shared = make_group("Shared", [cast.ada])
    give(cast.sam, f"Patients: {shared.name}")
    about = None if action in ("find", "create", "schedule") else cast.ada
    able = {
        name
        for name in STAFF_NAMES
        if decide(getattr(cast, name).user, action, about).allowed
    }
    text = said("who_can", cast.ada.mrn, action)
    lines = [line for line in text.splitlines() if not line.startswith("-")]
    assert {line.rpartition(", ")[2] for line in lines[:-1]} == able
    assert lines[-1].startswith(f"7 accounts were asked; {len(able)} may ")


def test_every_reason_is_given_when_there_are_several(cast):
    row = PatientGroupMember(patient_group=cast.south, member=cast.ada)
    row.save()
    give(cast.nora, "Patients: South", "All Patients")
    text = said("who_can", cast.ada.key, "access")
    reasons = text.partition("Nora Example, nora\n")[2].partition("\nSam")[0]
    for name in ("“All Patients”", "“North”", "“South”"):
        assert name in reasons


@pytest.mark.parametrize(
    "action", ["fly", "patients.fly", "chart ", "", "x" * 999, "."]
)
def test_an_unknown_action_lists_the_actions(cast, action):
    for arguments in (["why", "nora", cast.ada.key], ["who_can", cast.ada.key]):
        with pytest.raises(
            CommandError, match="There are: access, find, schedule, .*chart, "
        ):
            said(*arguments, action)


@pytest.mark.parametrize("patient", ["", "1", "0" * 32, "nobody", "x" * 999, "ada"])
def test_an_unknown_patient_is_said(cast, patient):
    for arguments in (["why", "nora", patient], ["who_can", patient]):
        with pytest.raises(CommandError, match="No patient has this key or MRN"):
            said(*arguments)


def test_an_unknown_person_gets_names_alike(cast):
    with pytest.raises(CommandError, match="nora"):
        said("why", "nore", cast.ada.key)


def test_both_commands_are_in_the_trail(cast):
    said("why", "nora", cast.ada.key)
    said("who_can", cast.ada.key, "access")
    rows = AuditRow.objects.filter(action__startswith="access.").order_by("pk")
    assert [(row.action, row.patient) for row in rows] == [
        ("access.why", ""),
        ("access.why", cast.ada.key),
        ("access.who_can", ""),
        ("access.who_can", cast.ada.key),
    ]
    assert rows[0].actor_name == "manage.py why"
    assert rows[0].detail == {"about": "nora", "asked": "chart", "allowed": True}
