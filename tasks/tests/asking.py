"""What the tests of tasks send, as a person would."""

from staffing.models import Team, TeamMember
from tasks.models import RoutingRule, Task, TaskLabel


def address(task, page=""):
    """The address of a page of a task."""
    return f"/task/{task.key}/{page}"


def team_of(name, *members):
    """A team with these members."""
    team = Team.objects.create(name=name)
    for staff in members:
        TeamMember.objects.create(team=team, staff=staff)
    return team


def form_of(client, page):
    """The hidden fields of a page's form, and those in which nothing is chosen."""
    text = client.get(page).content.decode()
    hidden = {
        name: text.rpartition(f'name="{name}" value="')[2].partition('"')[0]
        for name in ("form_token", "form_version")
        if f'name="{name}"' in text
    }
    return {"due": "", "priority": "", "assignee": "", "team": ""} | hidden


def send(client, page, **fields):
    """Fill in the form of a page and send it."""
    return client.post(page, form_of(client, page) | fields)


def confirmation_in(response):
    """What the confirming button of a page sends."""
    text = response.content.decode()
    return text.partition('name="confirmation" value="')[2].partition('"')[0]


def label_of(name):
    """The label of this name; a test that empties the database takes the first three."""
    return TaskLabel.objects.get_or_create(name=name)[0]


def make(**fields):
    """A task, as if somebody had made it."""
    return Task.objects.create(**({"title": "Call back"} | fields))


def ticked(*tasks):
    """What the list sends of the tasks that are ticked."""
    return [f"{task.key}.{task.version}" for task in tasks]


def together(client, act, *tasks, **fields):
    """Choose what to do with these tasks; with decided="yes" it is done."""
    data = {"act": act, "task": ticked(*tasks)} | fields
    return client.post("/tasks/bulk/", data)


def undo_in(response):
    """What the button sends that opens tasks again."""
    text = response.content.decode()
    return text.partition('name="undo" value="')[2].partition('"')[0]


def titles(response):
    """The titles on a page of the list, in their order."""
    return [task.title for task in response.context["rows"]]


def rule_of(name="Rule", labels=(), **fields):
    """A routing rule; for the title "Call back" where no condition is given."""
    conditions = {"title", "origin", "label", "patient_group"}
    if not conditions & fields.keys():
        fields["title"] = "Call back"
    if "title" in fields:
        fields.setdefault("comparison", "equals")
    rule = RoutingRule.objects.create(name=name, **fields)
    rule.labels.set(labels)
    return rule


def campaign_over(client, group, **fields):
    """Fill in the form of a new campaign and send it."""
    chosen = {"patient_group": str(group.externally_exposable_id), "title": "Flu shot"}
    return send(client, "/campaigns/new/", **chosen | fields)


def campaign_page(campaign, page=""):
    """The address of a page of a campaign."""
    return f"/campaign/{campaign.key}/{page}"
