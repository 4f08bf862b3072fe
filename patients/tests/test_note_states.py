"""The life of a note and of its commands: what may follow on what, and what never changes."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from patients.models import (
    Addendum,
    ChartChange,
    Condition,
    Diagnosis,
    Medication,
    Note,
    NoteClosed,
    NoteStateChange,
    Observation,
    Plan,
    Prescription,
    VitalSigns,
)
from patients.tests.appointments import appoint, furnish_schedule
from patients.tests.notes import CONTENT, note_of, signed_note, write

NEW, LOCKED, DELETED = "NEW", "LKD", "DLT"

# Acts on a note and on a command in it, by the note's state: whether they are allowed.
NOTES = """
act           NEW  LKD  DLT
edit          yes  no   no
sign          yes  no   no
error         yes  yes  no
write         yes  no   no
addendum      no   yes  no
"""
COMMANDS = """
act           staged  committed  removed  entered-in-error
edit          yes     no         no       no
commit        yes     no         no       no
remove        yes     no         no       no
error         no      yes        no       no
"""


def _cells(text):
    (_act, *states), *lines = (line.split() for line in text.strip().splitlines())
    return [
        (line[0], state, cell == "yes")
        for line in lines
        for state, cell in zip(states, line[1:], strict=True)
    ]


def _note_in(cast, state):
    note = note_of(cast.ada, cast.nora)
    write(note, Plan).commit(cast.nora.user)
    if state != NEW:
        note.sign(cast.nora.user)
    if state == DELETED:
        note.enter_in_error("wrong patient", cast.nora.user)
    return note


def _edit(note, user):
    note.title = "Another"
    note.save()


NOTE_ACTS = {
    "edit": _edit,
    "sign": lambda note, user: note.sign(user),
    "error": lambda note, user: note.enter_in_error("why", user),
    "write": lambda note, user: write(note, Plan),
    "addendum": lambda note, user: Addendum.objects.create(note=note, text="More"),
}


def test_what_may_be_done_with_a_note_in_each_state(cast):
    for act, state, allowed in _cells(NOTES):
        note = _note_in(cast, state)
        if allowed:
            NOTE_ACTS[act](note, cast.nora.user)
        else:
            with pytest.raises(NoteClosed), transaction.atomic():
                NOTE_ACTS[act](note, cast.nora.user)
            assert Note.objects.get(pk=note.pk).state == state, (act, state)


def _command_in(cast, state):
    command = write(note_of(cast.ada, cast.nora), Plan)
    if state == "removed":
        command.remove(cast.nora.user)
    elif state != "staged":
        command.commit(cast.nora.user)
    if state == "entered-in-error":
        command.enter_in_error("wrong", cast.nora.user)
    return command


def _rewrite(command, user):
    command.narrative = "Another"
    command.save()


COMMAND_ACTS = {
    "edit": _rewrite,
    "commit": lambda command, user: command.commit(user),
    "remove": lambda command, user: command.remove(user),
    "error": lambda command, user: command.enter_in_error("why", user),
}


def test_what_may_be_done_with_a_command_in_each_state(cast):
    for act, state, allowed in _cells(COMMANDS):
        command = _command_in(cast, state)
        if allowed:
            COMMAND_ACTS[act](command, cast.nora.user)
        else:
            with pytest.raises(NoteClosed), transaction.atomic():
                COMMAND_ACTS[act](command, cast.nora.user)
            stored = Plan.objects.get(pk=command.pk)
            assert (stored.state, stored.narrative) == (state, "Rest for a week")


def test_the_commands_of_a_signed_note_do_not_change(cast):
    note = signed_note(cast.ada, cast.nora, Plan)
    command = Plan.objects.get(note=note)
    for act in COMMAND_ACTS.values():
        with pytest.raises(NoteClosed), transaction.atomic():
            act(command, cast.nora.user)
        command.refresh_from_db()
        assert command.committed
    for field, value in (("signed_by", cast.sam), ("started", note.created)):
        changed = Note.objects.get(pk=note.pk)
        changed.state = DELETED
        setattr(changed, field, value)
        with pytest.raises(NoteClosed), transaction.atomic():
            changed.save()


def test_a_note_with_drafts_is_not_signed(cast):
    note = note_of(cast.ada, cast.nora)
    draft = write(note, Plan)
    with pytest.raises(ValidationError, match="staged"), transaction.atomic():
        note.sign(cast.nora.user)
    draft.commit(cast.nora.user)
    note.refresh_from_db()
    note.sign(cast.nora.user)
    assert (note.signed_by, note.locked) == (cast.nora, True)
    states = NoteStateChange.objects.filter(note=note)
    assert [(row.state, row.by) for row in states] == [
        (NEW, cast.nora),
        (LOCKED, cast.nora),
    ]


def test_a_note_in_which_nothing_stands_is_not_signed(cast):
    user, note = cast.nora.user, note_of(cast.ada, cast.nora)
    for takes_away in (
        lambda: None,
        lambda: write(note, Plan).remove(user),
        lambda: _committed(note, user).enter_in_error("mistyped", user),
    ):
        takes_away()
        note.refresh_from_db()
        with pytest.raises(ValidationError, match="Nothing is written"):
            note.sign(user)
        stored = Note.objects.get(pk=note.pk)
        assert (stored.state, stored.signed, note.state) == (NEW, None, NEW)
    assert NoteStateChange.objects.filter(note=note).count() == 1


def _committed(note, user):
    plan = write(note, Plan)
    plan.commit(user)
    return plan


def test_an_addendum_is_written_once(cast):
    addendum = Addendum(note=signed_note(cast.ada, cast.nora), text="More")
    addendum.save()
    addendum.text = "Less"
    with pytest.raises(NoteClosed), transaction.atomic():
        addendum.save()


def test_an_appointment_has_one_note_that_counts(cast):
    furnish_schedule(cast)
    visit = appoint(cast, cast.ada)
    note = note_of(cast.ada, cast.nora, appointment=visit)
    with pytest.raises(IntegrityError), transaction.atomic():
        note_of(cast.ada, cast.nora, appointment=visit)
    note.enter_in_error("wrong visit", cast.nora.user)
    note_of(cast.ada, cast.nora, appointment=visit)


def test_every_kind_is_written_and_committed(cast):
    note = note_of(cast.ada, cast.nora)
    assert set(CONTENT) == set(Note.command_models())
    for model in CONTENT:
        write(note, model)
    commands = note.commands()
    assert [command.position for command in commands] == list(range(1, 11))
    assert {command.patient for command in commands} == {cast.ada}


def test_vital_signs_make_observations(cast):
    note = note_of(cast.ada, cast.nora)
    signs = write(note, VitalSigns, temperature=Decimal("98.60"))
    signs.commit(cast.nora.user)
    made = Observation.objects.filter(patient=cast.ada)
    assert {(row.code, row.value, row.unit) for row in made} == {
        ("8302-2", "70", "in"),
        ("29463-7", "154", "lb"),
        ("8310-5", "98.6", "°F"),
        ("85354-9", "120/80", "mmHg"),
        ("39156-5", "22.1", "kg/m2"),
    }
    assert {row.category for row in made} == {"vital-signs"}
    signs.enter_in_error("cuff too small", cast.nora.user)
    assert set(made.values_list("entered_in_error", "entered_in_error_reason")) == {
        (True, "cuff too small")
    }


def test_a_prescription_makes_a_medication(cast):
    order = write(note_of(cast.ada, cast.nora), Prescription)
    order.commit(cast.nora.user)
    made = Medication.objects.get(patient=cast.ada)
    assert (made.display, made.directions, made.refills, made.status) == (
        "Ibuprofen 400 mg",
        "Take one",
        2,
        "active",
    )
    order.enter_in_error("wrong dose", cast.nora.user)
    made.refresh_from_db()
    assert made.entered_in_error_reason == "wrong dose"
    assert [change.by for change in ChartChange.of(made)] == [cast.nora.user] * 2


def test_a_diagnosis_makes_a_condition_or_names_one(cast):
    note = note_of(cast.ada, cast.nora)
    first = write(note, Diagnosis)
    first.commit(cast.nora.user)
    condition = Condition.objects.get(patient=cast.ada)
    assert (condition.code, condition.clinical_status) == ("G43.909", "active")
    second = write(note, Diagnosis, condition=condition)
    second.commit(cast.nora.user)
    assert Condition.objects.count() == 1
    first.enter_in_error("mistyped", cast.nora.user)
    condition.refresh_from_db()
    assert not condition.entered_in_error
    second.enter_in_error("mistyped", cast.nora.user)
    condition.refresh_from_db()
    assert condition.entered_in_error


def test_a_condition_that_was_there_before_outlives_its_diagnosis(cast):
    there = Condition.objects.create(
        patient=cast.ada, display="Asthma", clinical_status="active"
    )
    diagnosis = write(note_of(cast.ada, cast.nora), Diagnosis, condition=there)
    diagnosis.commit(cast.nora.user)
    diagnosis.enter_in_error("mistyped", cast.nora.user)
    there.refresh_from_db()
    assert not there.entered_in_error


def test_a_note_in_error_takes_what_its_commands_made(cast):
    note = note_of(cast.ada, cast.nora)
    for model in (Diagnosis, VitalSigns, Prescription):
        write(note, model).commit(cast.nora.user)
    draft = write(note, Plan)
    draft.remove(cast.nora.user)
    note.sign(cast.nora.user)
    note.enter_in_error("wrong patient", cast.nora.user)
    for model in (Condition, Observation, Medication):
        rows = model.objects.filter(patient=cast.ada)
        assert rows
        assert all(row.entered_in_error_reason == "wrong patient" for row in rows)
    assert {command.state for command in note.commands()} == {
        "entered-in-error",
        "removed",
    }
