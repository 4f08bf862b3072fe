"""Trying a routing rule out: numbers of all tasks, rows within reach, nothing changed."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from canvas_admin.audit.models import AuditRow
from canvas_admin.records import clock
from canvas_admin.records.addresses import address
from canvas_admin.testing import give, make_group
from staffing.models import TeamResponsibility
from tasks import trying
from tasks.models import Task
from tasks.tests.asking import label_of, make, rule_of, team_of

ROOMS = ("staffing", "patients", "tasks")


@pytest.fixture
def nora(cast, signed_in):
    """She has Tasking access, reaches ada, and is given Settings."""
    give(cast.nora, "Settings")
    return signed_in("nora")


def trial(client, rule, query=""):
    """What the page is made from."""
    answer = client.get(f"{address(rule, page='trial')}{query}")
    assert answer.status_code == 200
    return answer


def numbers(response):
    tried = response.context["tried"]
    return tried.looked, tried.matched, tried.changed


def rows(response):
    return [(task.title, said) for task, said in response.context["rows"]]


def counts():
    """How many rows each table has, and the newest versions."""
    models = [m for room in ROOMS for m in apps.get_app_config(room).get_models()]
    found = {model.__name__: model._base_manager.count() for model in models}
    return found, list(Task.objects.order_by("pk").values())


def test_numbers_are_of_all_and_titles_of_those_within_reach(cast, nora, signed_in):
    for patient in (cast.ada, cast.ben, cast.cyn, None):
        make(title=f"Call {patient and patient.first_name}", patient=patient)
    make(title="Something else")
    old = make(title="Call long ago")
    Task.objects.filter(pk=old.pk).update(created=clock.now() - timedelta(days=31))
    rule = rule_of(comparison="begins", title="Call", team=team_of("Callers"))
    give(cast.ruth, "Settings")
    before = counts()
    answer = trial(nora, rule)
    assert numbers(answer) == (5, 4, 4)
    assert rows(answer) == [
        ("Call None", ["assign to the team Callers"]),
        ("Call Ada", ["assign to the team Callers"]),
    ]
    text = answer.content.decode()
    assert "2 matched tasks are not shown" in text
    assert not [name for name in ("Ben", "Brandt", "Cyn", "Castillo") if name in text]
    shown = AuditRow.objects.filter(action="routingrule.trial")
    assert sorted(shown.values_list("patient", flat=True)) == ["", cast.ada.key]
    answer = trial(signed_in("ruth"), rule)
    assert (numbers(answer), rows(answer)) == ((5, 4, 4), [])
    assert "Call Ada" not in answer.content.decode()
    assert counts() == before
    give(cast.ruth, "All Patients")
    assert rows(trial(signed_in("ruth"), rule)) == [], "without Tasking access"


def test_what_would_be_otherwise(cast, nora):
    """Whom somebody chose keeps it; whom the responsible team or a rule gave it may not."""
    responsible, team = team_of("Responsible"), team_of("Callers")
    label = label_of("Urgent")
    TeamResponsibility.objects.create(team=responsible, code="REVIEW_COVERAGES")
    earlier = rule_of("earlier", title="by a rule", team=responsible)
    make(title="by a rule")
    earlier.delete()
    make(title="automated", origin="INC_COV")
    specimens = "COLLECT_SPECIMENS_FROM_PATIENT"
    TeamResponsibility.objects.create(team=responsible, code=specimens)
    make(title="named", origin="CMP_LAB_ORD", responsibility=specimens)
    make(title="chosen", assignee=cast.nora, due=clock.now())
    make(title="has it", team=team)
    has_label = make(title="has the label")
    has_label.add_labels([label])
    group = make_group("All of these", [cast.ada], use_for_permissions=False)
    Task.objects.update(patient=cast.ada)
    rule = rule_of(patient_group=group, team=team, labels=[label], due_days=1)
    gives, labels, due = (
        "assign to the team Callers",
        "add the label Urgent",
        "due in 1 day",
    )
    assert dict(rows(trial(nora, rule))) == {
        "by a rule": [gives, labels, due],
        "automated": [gives, labels, due],
        "named": [gives, labels, due],
        "chosen": [labels],
        "has it": [labels, due],
        "has the label": [gives, due],
    }
    by_label = rule_of("by label", label=label, labels=[label])
    answer = trial(nora, by_label)
    assert (numbers(answer), rows(answer)) == ((6, 1, 0), [("has the label", [])])
    group.remove(cast.ada)
    assert numbers(trial(nora, rule)) == (6, 0, 0)


def test_pages_by_keys_within_reach_and_constant_queries(cast, nora, monkeypatch):
    rule = rule_of(title="x", label=label_of("Urgent"), patient_group=cast.north)
    trial(nora, rule)
    queries = []
    for size in (1, 30):
        for _n in range(size):
            task = Task(title="x", patient=cast.ada)
            task.begin_with([label_of("Urgent"), label_of("Routine")])
            task.save()
        with CaptureQueriesContext(connection) as captured:
            first = trial(nora, rule)
        queries.append(len(captured))
    assert queries[0] == queries[1]
    assert len(rows(first)) == 25
    last, _said = first.context["rows"][-1]
    second = trial(nora, rule, f"?after={last.key}")
    assert len(rows(second)) == 6
    assert not {t.pk for t, _ in first.context["rows"]} & {
        t.pk for t, _ in second.context["rows"]
    }
    hidden = make(title="x", patient=cast.ben)
    for key in (hidden.key, "0" * 32, "no key"):
        assert rows(trial(nora, rule, f"?after={key}")) == rows(first)
    monkeypatch.setattr(trying, "LOOKED", 10)
    answer = trial(nora, rule)
    assert numbers(answer)[0] == 10
    assert "older ones were not looked at" in answer.content.decode()


def test_a_rule_that_is_not_there(cast, nora):
    rule = rule_of(due_days=1)
    page = address(rule, page="trial")
    for key in ("0" * 32, "nothing"):
        assert nora.get(page.replace(rule.key, key)).status_code == 404
