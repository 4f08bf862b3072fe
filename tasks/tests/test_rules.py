"""What routing rules make of new tasks (S1: "When a task is created ...")."""

import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from canvas_admin.records import clock
from canvas_admin.testing import give, make_group
from patients.models import PatientGroupExclusion, WorkKey
from staffing.models import TeamResponsibility
from tasks.models import RoutingRule, Task, TaskLabel, TaskLabelOrigin
from tasks.patterns import compiled
from tasks.tests.asking import address, label_of, make, rule_of, send, team_of

PSYCHIATRY = "Refer patient to Psychiatry (TBD)"


def did(task):
    """The rules that matched, and what they did."""
    return [(row.rule_name, row.said) for row in task.routings.all()]


def labels_on(task):
    return sorted(label.name for label in task.labels.all())


def test_the_example_of_s1(cast, signed_in):
    """S1: "targeted_task_title = Y" ... "Assign to group_name or practitioner and add
    label(s)"."""
    team = team_of("Behavioral Health Coordinators", cast.nora)
    label = TaskLabel.objects.create(name="Internal Referral")
    rule_of("Psychiatry", title=PSYCHIATRY, team=team, labels=[label], due_days=3)
    task = cast.ada.tasks.create(title=PSYCHIATRY, origin="REF_CMD")
    task.refresh_from_db()
    assert (task.team, task.assignee) == (team, None)
    assert task.assigned_at
    assert labels_on(task) == ["Internal Referral"]
    page = signed_in("nora").get(address(task)).content.decode()
    assert "Routed by" in page
    assert "assigned it, added labels, set when it is due" in page
    other = cast.ada.tasks.create(title=f"{PSYCHIATRY} ", origin="REF_CMD")
    assert (other.team, did(other)) == (None, [])
    assert "Routed by" not in signed_in("nora").get(address(other)).content.decode()


def test_each_condition_and_all_of_them(cast):
    """A table: what the rule asks, and which of the tasks it matches."""
    label, other = label_of("Urgent"), label_of("Routine")
    group = make_group("Diabetes", [cast.ada], use_for_permissions=False)
    tasks = {
        "call": {"title": "Call back"},
        "CALL": {"title": "CALL BACK"},
        "call Ada": {"title": "Call back at noon", "patient": cast.ada},
        "call Ben": {"title": "Call back at noon", "patient": cast.ben},
        "referral": {"title": "Refer", "origin": "REF_CMD", "patient": cast.ada},
        "urgent": {"title": "Refer", "label": label},
        "routine": {"title": "Refer", "label": other},
    }
    begins = {"comparison": "begins", "title": "Call"}
    asked = (
        ({"title": "Call back"}, "call"),
        (begins, "call, call Ada, call Ben"),
        ({"comparison": "matches", "title": "C*noon"}, "call Ada, call Ben"),
        ({"origin": "REF_CMD"}, "referral"),
        ({"label": label}, "urgent"),
        ({"patient_group": group}, "call Ada, referral"),
        ({**begins, "patient_group": group}, "call Ada"),
        ({**begins, "patient_group": group, "label": label}, ""),
    )
    for fields, expected in asked:
        rule = rule_of(**fields, due_days=1)
        matched = []
        for name, content in tasks.items():
            chosen = content.get("label")
            task = Task(**{k: v for k, v in content.items() if k != "label"})
            task.begin_with([chosen] if chosen else [])
            task.save()
            if task.routings.exists():
                matched.append(name)
        assert ", ".join(matched) == expected, fields
        rule.delete()


def test_a_group_counts_as_it_is_when_the_task_is_made(cast):
    group = make_group("Diabetes", [cast.ada], use_for_permissions=False)
    rule_of(patient_group=group, due_days=1)

    def matched():
        return cast.ada.tasks.create(title="x").routings.exists()

    assert matched()
    group.remove(cast.ada)
    assert not matched()
    group.add(cast.ada)
    assert matched()
    PatientGroupExclusion(patient_group=group, patient=cast.ada, reason="no").save()
    assert not matched()
    other = make_group("Asthma", [cast.ada], use_for_permissions=False)
    rule_of("Other", patient_group=other, due_days=1)
    other.retire()
    assert not matched()
    assert not make(title="about nobody").routings.exists()


@pytest.mark.parametrize(
    ("pattern", "title", "fits"),
    [
        ("Refer patient to *", "Refer patient to Cardiology (TBD)", True),
        ("refer patient to *", "Refer patient to Cardiology (TBD)", False),
        ("*Cardiology*", "Refer patient to Cardiology (TBD)", True),
        ("*(TBD)", "Refer patient to Cardiology (TBD)", True),
        ("*(TBD)", "Refer (TBD) later", False),
        ("Room ?", "Room 7", True),
        ("Room ?", "Room 12", False),
        ("Room ?*", "Room 12", True),
        ("a*b*c", "a b b c c", True),
        ("a*b*c", "a c b", False),
        ("ab*ba", "aba", False),
        ("a**b", "ab", True),
        ("a.c[x]", "abcx", False),
        ("a.c[x]+", "a.c[x]+", True),
        ("*", "", True),
        ("a*b", "a\nb", True),
    ],
)
def test_patterns(pattern, title, fits):
    assert bool(compiled(pattern).fullmatch(title)) == fits


def test_no_pattern_takes_long():
    started = time.process_time()
    for pattern in ("a*" * 49 + "b", "*" + "a?" * 49 + "b", "*a" * 50):
        for title in ("a" * 500, "a" * 499 + "c", "ab" * 250):
            compiled(pattern).fullmatch(title)
    assert time.process_time() - started < 1


def test_in_their_order_and_the_last_word_counts(cast):
    """Labels of all that match, and the person and due date of the last."""
    first, last = team_of("First"), team_of("Last")
    urgent, routine, emergent = map(label_of, ("Urgent", "Routine", "Emergent"))
    rule_of("1", team=first, due_days=1, labels=[urgent])
    rule_of("2", label=urgent, labels=[routine])
    rule_of("3", label=routine, team=last, due_days=9)
    rule_of("4", label=emergent, assignee=cast.nora)
    rule_of("5", active=False, assignee=cast.nora)
    task = make()
    assert (task.team, task.assignee) == (last, None)
    assert task.due > clock.now() + timedelta(days=8)
    assert labels_on(task) == ["Routine", "Urgent"]
    assert did(task) == [
        ("1", "added labels"),
        ("2", "added labels"),
        ("3", "assigned it, set when it is due"),
    ]
    RoutingRule.objects.filter(name="1").update(stop_after_match=True)
    task = make()
    assert (task.team, labels_on(task)) == (first, ["Urgent"])
    RoutingRule.objects.filter(name="1").update(position=9)
    assert [name for name, _said in did(make())] == ["1"]


def test_what_was_chosen_stays(cast):
    """By hand, by the API or by a protocol: each makes a task with what it chose."""
    chosen, rules = team_of("Chosen"), team_of("Of the rule")
    label, due = label_of("Urgent"), clock.now() + timedelta(days=2)
    rule_of(team=rules, due_days=30, labels=[label])
    assert make().team == rules
    for fields in ({"team": chosen}, {"assignee": cast.nora}):
        task = make(**fields, due=due)
        assert (task.team, task.assignee) == (
            fields.get("team"),
            fields.get("assignee"),
        )
        assert task.due == due
        assert labels_on(task) == ["Urgent"]
        assert did(task) == [("Rule", "added labels")]
    task = make()
    task.hand_to(cast.nora)
    task.save()
    assert (task.assignee, len(did(task))) == (cast.nora, 1), "routed once"


def test_a_rule_goes_before_the_responsible_team(cast):
    responsible, rules = team_of("Responsible"), team_of("Of the rule")
    TeamResponsibility.objects.create(team=responsible, code="REVIEW_COVERAGES")
    label = label_of("Routine")
    TaskLabelOrigin.objects.create(label=label, origin="INC_COV")
    rule_of(origin="INC_COV", label=label, team=rules, assignee=cast.sam)
    assert make(title="Coverage", origin="INC_COV").assignee == cast.sam
    RoutingRule.objects.update(team=None, assignee=None, due_days=1)
    task = make(title="Coverage", origin="INC_COV")
    assert (task.team, did(task)) == (responsible, [("Rule", "set when it is due")])


def test_who_has_left_gets_nothing_and_an_inactive_label_goes_nowhere(cast):
    label = label_of("Urgent")
    label.active = False
    label.save()
    rule_of(assignee=cast.ines, labels=[label])
    task = make()
    assert (task.assignee, labels_on(task)) == (None, [])
    assert did(task) == [("Rule", "changed nothing")]
    RoutingRule.objects.update(team=team_of("Instead"))
    assert (make().assignee, make().team.name) == (None, "Instead")


def test_due_at_the_end_of_a_day_of_the_clinic(cast, settings, monkeypatch):
    settings.TIME_ZONE = "America/New_York"
    zone = ZoneInfo("America/New_York")
    rule = rule_of(due_days=0)
    # In London it is tomorrow, and the clocks go back within the three days.
    now = datetime(2026, 10, 30, 22, 30, tzinfo=zone)
    monkeypatch.setattr(clock, "now", lambda: now)
    assert make().due == datetime(2026, 10, 30, 23, 59, tzinfo=zone)
    rule.due_days = 3
    rule.save()
    assert make().due == datetime(2026, 11, 2, 23, 59, tzinfo=zone)


def test_a_task_that_has_ended_already_is_not_routed(cast):
    rule_of(assignee=cast.nora)
    task = make(status="COMPLETED")
    assert (task.assignee, did(task)) == (None, [])


def test_a_person_makes_a_task_and_the_rules_add_to_it(cast, signed_in):
    """Labels that were chosen stay beside those of the rules, which know them."""
    chosen, added = label_of("Urgent"), label_of("Routine")
    team = team_of("Callers", cast.nora)
    rule_of(label=chosen, team=team, labels=[added])
    nora = signed_in("nora")
    answer = send(nora, "/tasks/new/", title="Call back", labels=[chosen.key])
    assert answer.status_code == 302
    task = Task.objects.get()
    assert (task.team, labels_on(task)) == (team, ["Routine", "Urgent"])
    send(nora, address(task, "change/"), title="Call", labels=[chosen.key])
    assert labels_on(task) == ["Urgent"], "rules are asked once"


def test_constant_queries_and_keys_written_once(cast):
    """Whatever rules there are, and as right as check_access finds them."""
    label = label_of("Urgent")
    groups = [make_group(f"G{n}", [cast.ada], False) for n in range(6)]
    teams = [team_of(f"T{n}") for n in range(6)]

    def queries():
        with CaptureQueriesContext(connection) as captured:
            cast.ada.tasks.create(title="Call back", origin="REF_CMD")
        return captured.captured_queries

    rule_of("first", patient_group=groups[0], team=teams[0], labels=[label])
    few = queries()
    for n in range(30):
        fields = {"patient_group": groups[n % 6]} if n % 2 else {"title": "Call back"}
        rule = rule_of(str(n), team=teams[n % 6], **fields)
        rule.labels.set(TaskLabel.objects.all())
    many = queries()
    assert len(many) == len(few)
    written = [q["sql"] for q in many if '"patients_workkey"' in q["sql"]]
    assert sum(sql.startswith("INSERT") for sql in written) == 1
    assert not any(sql.startswith("DELETE") for sql in written)
    assert not wrong_keys()


def wrong_keys():
    """The work keys that are not what they must be."""
    before = set(WorkKey.objects.values_list("stream", "kind", "place", "item"))
    for task in Task.objects.all():
        task.keep_keys()
    after = set(WorkKey.objects.values_list("stream", "kind", "place", "item"))
    return before ^ after


def test_the_database_refuses_a_rule_that_would_catch_everything(cast):
    for fields in (
        {"due_days": 1},
        {"comparison": "equals", "due_days": 1},
        {"title": "Call", "origin": "REF_CMD", "due_days": 1},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            RoutingRule.objects.create(name="x", **fields)


def test_what_a_rule_gives_to_who_cannot_see_it_is_stranded(cast, signed_in):
    """S2: "Items assigned to staff will not be visible to them if they do not have access
    to the patient."""
    rule_of(assignee=cast.sam)
    cast.ada.tasks.create(title="Call back")
    assert "Call back" not in signed_in("sam").get("/tasks/").content.decode()
    page = signed_in("ruth").get("/admin/patients/patientgroup/stranded/")
    assert "Sam Example" in page.content.decode()
    give(cast.sam, "Patients: North")
    assert "Call back" in signed_in("sam").get("/tasks/").content.decode()
