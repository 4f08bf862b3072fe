"""Routing rules in the administration, for holders of "Settings"."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from canvas_admin.audit.models import AuditRow
from canvas_admin.records.addresses import address
from canvas_admin.testing import make_group, make_staff
from staffing.models import Team
from staffing.tests.pages import errors_of, fields_of, history_of, submit
from tasks.models import RoutingRule, TaskLabel
from tasks.tests.asking import label_of, make, rule_of, team_of

LIST = "/admin/tasks/routingrule/"
FORM = "routingrule_form"


@pytest.fixture
def seth(cast, client):
    staff = make_staff("seth", "Settings")
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    return client


def add(seth, **fields):
    return submit(seth, f"{LIST}add/", FORM, **{"name": "New", "active": "on"} | fields)


def names():
    return list(RoutingRule.objects.values_list("name", flat=True))


def test_a_rule_is_made_listed_changed_and_deleted(cast, seth):
    team, label = team_of("Coordination"), label_of("Urgent")
    group = make_group("Diabetes", use_for_permissions=False)
    answer = add(
        seth,
        comparison="begins",
        title="Refer",
        origin="REF_CMD",
        patient_group=group.public_id,
        assignee=cast.nora.key,
        team=team.key,
        labels=[label.key, label_of("Routine").key],
        due_days="3",
    )
    assert answer.status_code == 302, errors_of(answer)
    rule = RoutingRule.objects.get()
    page = seth.get(LIST).content.decode()
    for words in (
        "the title begins with “Refer”",
        "the origin is Referral command",
        "the patient is in the group Diabetes",
        "assign to Nora Example",
        "assign to the team Coordination",
        "add the labels Urgent, Routine",
        "due in 3 days",
    ):
        assert words in page
    assert "ask no further rule" not in page
    submit(seth, address(rule), FORM, stop_after_match="on", due_days="0")
    page = seth.get(LIST).content.decode()
    assert "due on the same day" in page
    assert "ask no further rule" in page
    assert "Stranded work" in seth.get(address(rule)).content.decode()
    delete = address(rule, page="delete")
    assert "keep its name" in seth.get(delete).content.decode()
    task = make(title="Refer", origin="REF_CMD")
    task.routings.create(rule_key=rule.key, rule_name=rule.name)
    assert seth.post(delete, {"post": "yes"}).status_code == 302
    assert (names(), task.routings.get().rule_name) == ([], "New")


def test_a_rule_needs_a_condition_an_effect_and_a_pattern_that_says_something(
    cast, seth
):
    urgent = label_of("Urgent").key
    title = {"comparison": "equals", "title": "Call"}
    for fields, said in (
        ({"labels": [urgent]}, "at least one condition"),
        (title, "at least one thing that is to happen"),
        ({"comparison": "begins", "due_days": "1"}, "Type with what"),
        ({"title": "Call", "due_days": "1"}, "Choose how the title"),
        (title | {"due_days": "366"}, "less than or equal to 365"),
        (title | {"due_days": "-1"}, "greater than or equal to 0"),
        (title | {"due_days": "1", "title": "a\x00b"}, "cannot be saved"),
        ({"comparison": "matches", "title": "* ?", "due_days": "1"}, "letters"),
        ({"comparison": "matches", "title": "a" * 101, "due_days": "1"}, "at most 100"),
        ({"origin": "NONE", "due_days": "1"}, "not one of the available choices"),
        (title | {"due_days": "1", "name": ""}, "required"),
    ):
        answer = add(seth, **fields)
        assert said in errors_of(answer), fields
    assert not RoutingRule.objects.exists()
    assert add(seth, **title, due_days="0").status_code == 302
    assert "already exists" in errors_of(add(seth, **title, due_days="0"))


def test_offered_is_who_and_what_is_in_use_and_what_the_rule_has(cast, seth):
    """Those who have left, inactive labels and deleted groups are not to be chosen."""
    old = TaskLabel.objects.create(name="Old", active=False)
    group = make_group("Gone", use_for_permissions=False)
    group.retire()
    gone = {
        "assignee": cast.ines.key,
        "label": old.key,
        "labels": [old.key],
        "patient_group": group.public_id,
    }
    good = {"comparison": "equals", "title": "Call", "due_days": "1"}
    for name, value in gone.items():
        answer = add(seth, **good, **{name: value})
        assert "choice" in errors_of(answer), name
    assert not RoutingRule.objects.exists()
    rule = rule_of(
        assignee=cast.ines, label=old, labels=[old], patient_group=group, title="Call"
    )
    kept = fields_of(seth.get(address(rule)), FORM)
    for name, value in gone.items():
        assert kept[name] == (value if isinstance(value, list) else [value])
    page = seth.get(LIST).content.decode()
    assert "assign to nobody, because Ines Example is inactive" in page
    assert "a group that was deleted" in page
    assert submit(seth, address(rule), FORM, name="Same").status_code == 302


def test_of_patient_groups_settings_sees_the_names_alone(cast, seth):
    rule = rule_of(patient_group=cast.north, due_days=1)
    for page in (LIST, address(rule)):
        text = seth.get(page).content.decode()
        assert "North" in text
        assert "Alvarez" not in text
    members = f"/admin/patients/patientgroup/{cast.north.public_id}/members/"
    assert seth.get(members).status_code == 403


def test_two_who_edit_at_once(cast, seth):
    rule = rule_of(due_days=1)
    data = fields_of(seth.get(address(rule)), FORM) | {"_save": "Save"}
    submit(seth, address(rule), FORM, name="Theirs")
    answer = seth.post(address(rule), data | {"name": "Mine"})
    assert "Somebody saved this while you were editing" in errors_of(answer)
    assert names() == ["Theirs"]


def test_rules_are_moved_once_by_whoever_sees_where_they_are(cast, seth):
    for name in "abc":
        rule_of(name, due_days=1)
    a, b, c = RoutingRule.objects.all()

    def move(rule, to):
        return seth.post(address(rule, page="move"), {"to": to}, follow=True)

    move(b, f"up {b.position}")
    assert names() == ["b", "a", "c"]
    assert history_of(seth, b) == ["Moved up."]
    assert AuditRow.objects.filter(action="routingrule.moved").count() == 1
    for rule, to in (
        (b, f"up {b.position}"),
        (b, "up 1"),
        (c, "down 3"),
        (c, "sideways 3"),
        (c, "up"),
        (c, ""),
    ):
        text = move(rule, to).content.decode()
        assert "Somebody changed the order meanwhile" in text
    assert names() == ["b", "a", "c"]
    assert seth.post(f"{LIST}{'0' * 32}/move/", {"to": "up 1"}).status_code == 302
    move(a, "down 2")
    assert names() == ["b", "c", "a"]
    b.refresh_from_db()
    assert b.version == 1, "whoever edits a rule is in nobody's way"
    page = seth.get(LIST).content.decode()
    assert page.count('name="to"') == 4
    assert 'value="up 1"' not in page


def test_the_list_takes_constant_queries(cast, seth):
    seth.get(LIST)
    asked = []
    for numbers in (range(1), range(1, 9)):
        for n in numbers:
            rule_of(str(n), team=team_of(f"T{n}"), labels=TaskLabel.objects.all())
        with CaptureQueriesContext(connection) as captured:
            seth.get(LIST)
        asked.append(len(captured))
    assert asked[0] == asked[1]


def test_a_team_that_a_rule_names_says_so_before_it_is_deleted(cast, signed_in):
    rule_of(team=team_of("Named"))
    page = signed_in("ruth").get(address(Team.objects.get(), page="delete"))
    assert "It is named here: routing rule." in page.content.decode()
