"""Each kind of command over HTTP: what its form takes, what it refuses, what it makes."""

import pytest

from patients.command_kinds import KINDS
from patients.models import Condition, Diagnosis, Note, Observation, VitalSigns
from patients.tests.note_pages import at, of, opened, post
from patients.tests.notes import note_of

GOOD = {
    "reason": {"comment": "Headache"},
    "vitals": {"weight": "154.5", "systolic": "120", "diastolic": "80"},
    "diagnose": {"display": "Migraine", "code": "u071", "assessment": "Stable"},
    "plan": {"narrative": "Rest"},
    "prescribe": {"display": "Ibuprofen 400 mg", "sig": "One daily", "refills": "2"},
    "lab-order": {"tests": "Metabolic panel\nLipid panel", "fasting": "on"},
    "imaging-order": {"study": "Chest X-ray", "priority": "urgent"},
    "refer": {"refer_to": "Psychiatry", "priority": "routine"},
    "instruct": {"display": "Drink water", "code": "1234567"},
    "task": {"title": "Call the patient"},
}
SHOWN = {
    "reason": ["Headache"],
    "vitals": ["154.5 lb", "120/80 mmHg"],
    "diagnose": ["Migraine (U07.1)", "Stable"],
    "plan": ["Rest"],
    "prescribe": ["Ibuprofen 400 mg", "One daily"],
    "lab-order": ["Metabolic panel", "Lipid panel", "The patient must fast"],
    "imaging-order": ["Chest X-ray", "Urgent"],
    "refer": ["Psychiatry (TBD)"],
    "instruct": ["Drink water", "1234567"],
    "task": ["Call the patient"],
}


def problems(response):
    assert response.status_code == 200
    errors = response.context["form"].errors.values()
    return " ".join(str(each) for listed in errors for each in listed)


def test_each_kind_is_staged_edited_committed_and_entered_in_error(cast, signed_in):
    assert set(GOOD) == set(SHOWN) == set(KINDS)
    client, note = signed_in("nora"), note_of(cast.ada, cast.nora)
    for code, kind in KINDS.items():
        url = at(cast.ada, note.key, "commands", code)
        assert post(client, url, **GOOD[code]).status_code == 302, code
        row = kind.model.objects.get()
        assert (row.originator, row.staged, row.patient) == (cast.nora, True, cast.ada)
        assert (
            post(client, of(row, code), **GOOD[code], then="commit").status_code == 302
        )
        row.refresh_from_db()
        assert (row.committer, row.committed) == (cast.nora, True), code
    page = client.get(at(cast.ada, note.key)).content.decode()
    for code, texts in SHOWN.items():
        for text in texts:
            assert text in page, (code, text)
    assert "<dt>ID</dt>" not in page
    for code, kind in KINDS.items():
        row = kind.model.objects.get()
        assert (
            post(client, of(row, code, "error"), error_reason="no").status_code == 302
        )
        row.refresh_from_db()
        assert (row.state, row.ended_by) == ("entered-in-error", cast.nora)
    for model in (Observation, Condition):
        assert not model.objects.filter(entered_in_error=False).exists()


@pytest.mark.parametrize(
    ("code", "values", "said"),
    [
        ("plan", {"narrative": "  "}, "required"),
        ("plan", {"narrative": "x" * 10_001}, "at most 10000"),
        ("plan", {"narrative": "a\x07b"}, "cannot be saved"),
        ("vitals", {}, "at least one value"),
        ("vitals", {"systolic": "120"}, "two numbers"),
        ("vitals", {"systolic": "80", "diastolic": "120"}, "below"),
        ("vitals", {"pulse": "4000"}, "less than or equal"),
        ("vitals", {"pulse": "fast"}, "number"),
        ("vitals", {"weight": "1e400"}, "6 digits"),
        ("diagnose", {}, "Choose a condition"),
        ("diagnose", {"display": "x", "code": "nonsense"}, "ICD-10"),
        ("diagnose", {"display": "x", "condition": "0" * 32}, "valid choice"),
        ("diagnose", {"display": "x", "onset": "2199-01-01"}, "not come yet"),
        ("prescribe", {"display": "x", "sig": "y", "refills": "-1"}, "greater than"),
        ("prescribe", {"display": "x", "sig": "y", "quantity": "NaN"}, "number"),
        ("lab-order", {"tests": ""}, "required"),
        ("refer", {"refer_to": "x", "priority": "soon"}, "valid choice"),
        ("instruct", {"display": "x", "code": "abc"}, "digits"),
        ("task", {"title": "x", "assignee": "0" * 32}, "valid choice"),
        ("task", {"title": "x", "form_token": "x"}, "damaged"),
    ],
)
def test_bad_commands_are_refused(cast, signed_in, code, values, said):
    client, note = signed_in("nora"), note_of(cast.ada, cast.nora)
    answer = post(client, at(cast.ada, note.key, "commands", code), **values)
    assert said in problems(answer)
    assert not note.commands()


def test_a_diagnosis_names_conditions_of_this_chart_alone(cast, signed_in):
    client, note = signed_in("nora"), note_of(cast.ada, cast.nora)
    row = {"display": "Asthma", "clinical_status": "active"}
    own = Condition.objects.create(
        patient=cast.ada, **row, system="http://snomed.info/sct", code="38341003"
    )
    foreign = Condition.objects.create(patient=cast.ben, **row)
    wrong = Condition.objects.create(patient=cast.ada, **row, entered_in_error=True)
    url = at(cast.ada, note.key, "commands", "diagnose")
    for key in (foreign.key, wrong.key, str(own.pk)):
        assert "valid choice" in problems(post(client, url, condition=key))
    post(client, url, condition=own.key, assessment="Better", then="commit")
    diagnosis = Diagnosis.objects.get()
    said = (diagnosis.condition, diagnosis.display, diagnosis.code)
    assert said == (own, "Asthma", "")
    assert Condition.objects.count() == 3


def test_sending_a_command_twice_writes_it_once(cast, signed_in):
    client, note = signed_in("nora"), note_of(cast.ada, cast.nora)
    url = at(cast.ada, note.key, "commands", "vitals")
    values = opened(client, url) | {"pulse": "60", "then": "commit"}
    for _time in range(2):
        assert client.post(url, values).status_code == 302
    assert VitalSigns.objects.count() == Observation.objects.count() == 1
    chart = client.get(f"/patient/{cast.ada.key}/").content.decode()
    assert "Heart rate" in chart


def test_a_removed_draft_is_kept_and_not_shown(cast, signed_in):
    client, note = signed_in("nora"), note_of(cast.ada, cast.nora)
    post(client, at(cast.ada, note.key, "commands", "plan"), narrative="Rest")
    (plan,) = note.commands()
    post(client, of(plan, "plan", "remove"))
    assert "Rest" not in client.get(at(cast.ada, note.key)).content.decode()
    plan.refresh_from_db()
    assert (plan.state, plan.ended_by) == ("removed", cast.nora)
    for act in ("commit", "remove", "error"):
        url = of(plan, "plan", act)
        assert client.post(url, {"error_reason": "x"}).status_code == 409
    assert Note.objects.get().open


def test_the_fields_of_vital_signs_stand_side_by_side(cast, signed_in):
    client, note = signed_in("nora"), note_of(cast.ada, cast.nora)
    for code in ("vitals", "plan"):
        page = client.get(at(cast.ada, note.key, "commands", code)).content.decode()
        assert ('class="field-row"' in page) is (code == "vitals")
