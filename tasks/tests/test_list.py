"""The list of tasks: whose, which, in what order; nothing out of reach, not even counted."""

import re
from datetime import UTC, datetime

import pytest

from canvas_admin.testing import give
from tasks.models import Task
from tasks.tests.asking import label_of, make, team_of, titles
from tasks.views.listing import PAGE


def day(number):
    return datetime(2030, 1, number, 12, tzinfo=UTC)


@pytest.fixture
def clinic(cast):
    """Tasks of everybody, about ada (North), about ben (South), and about no patient."""
    cast.team = team_of("Triage", cast.nora, cast.sam)
    other = team_of("Office", cast.max)
    for title, fields in {
        "nora ada": {"assignee": cast.nora, "patient": cast.ada},
        "nora ben": {"assignee": cast.nora, "patient": cast.ben},
        "nora none": {"assignee": cast.nora},
        "team ada": {"team": cast.team, "patient": cast.ada},
        "team ben": {"team": cast.team, "patient": cast.ben},
        "taken": {"team": cast.team, "assignee": cast.sam},
        "other team": {"team": other},
        "free ada": {"patient": cast.ada},
        "free cyn": {"patient": cast.cyn},
        "done": {"assignee": cast.nora, "status": "COMPLETED"},
    }.items():
        make(title=title, **fields)
    return cast


def number(response):
    """How many tasks the bar of the panels says there are for this person."""
    found = re.search(
        r'/tasks/"[^>]*>Tasks <span class="badge">(\d+)', str(response.content)
    )
    return int(found[1]) if found else 0


def test_the_panel_shows_mine_and_my_teams_within_reach(clinic, signed_in):
    """S2: "Items assigned to staff will not be visible to them if they do not have access
    to the patient." """
    nora = signed_in("nora")
    page = nora.get("/tasks/")
    assert sorted(titles(page)) == ["nora ada", "nora none", "team ada"]
    assert number(page) == 3
    assert "ben" not in page.content.decode().lower()
    assert titles(nora.get("/tasks/?whose=unassigned")) == ["free ada"]
    assert sorted(titles(nora.get("/tasks/?whose=all"))) == [
        "free ada",
        "nora ada",
        "nora none",
        "other team",
        "taken",
        "team ada",
    ]
    assert titles(nora.get("/tasks/?status=completed")) == ["done"]
    assert sorted(titles(signed_in("sam").get("/tasks/"))) == ["taken", "team ben"]
    give(clinic.max, "Tasking access")
    everything = titles(signed_in("max").get("/tasks/?whose=all"))
    assert len(everything) == Task.objects.open().count()


def test_a_task_that_ended_shows_when_and_not_its_due_date(cast, signed_in):
    for status in ("COMPLETED", "CLOSED"):
        make(title=status, assignee=cast.nora, due=day(2), ended=day(9), status=status)
        page = signed_in("nora").get(f"/tasks/?status={status.lower()}")
        text = page.content.decode()
        assert "9 Jan 2030" in text, status
        assert "2 Jan 2030" not in text, status
        assert '<th scope="col">Ended</th>' in text, status


def test_taking_a_task_leads_back_to_the_list_as_it_was(clinic, signed_in):
    nora = signed_in("nora")
    page = nora.get("/tasks/?whose=unassigned&sort=newest").content.decode()
    (take,) = re.findall(r'action="(/task/[^"]*claim/[^"]*)"', page)
    answer = nora.post(take.replace("&amp;", "&"), follow=True)
    assert answer.redirect_chain == [("/tasks/?whose=unassigned&sort=newest", 302)]
    assert "The task is yours." in answer.content.decode()
    row = Task.objects.get(title="team ada")
    detail = f"/task/{row.key}/"
    assert nora.post(f"{detail}claim/")["Location"] == detail


def test_what_leaves_the_reach_leaves_the_list(clinic, signed_in):
    nora = signed_in("nora")
    clinic.north.remove(clinic.ada)
    page = nora.get("/tasks/")
    assert (titles(page), number(page)) == (["nora none"], 1)
    clinic.south.add(clinic.ada)
    assert "team ada" in titles(signed_in("sam").get("/tasks/"))


def test_sorted_and_filtered_by_codes(cast, signed_in):
    nora, label = signed_in("nora"), label_of("Emergent")
    tasks = [
        make(title=title, assignee=cast.nora, due=due and day(due), priority=priority)
        for title, due, priority in (
            ("late", 20, "stat"),
            ("never", None, "urgent"),
            ("early", 10, ""),
            ("soon", 11, "urgent"),
            ("once", None, "stat"),
        )
    ]
    tasks[1].add_labels([label])
    orders = {
        "due": ["early", "soon", "late"],
        "priority": ["late", "once", "soon", "never", "early"],
        "newest": ["once", "soon", "early", "never", "late"],
    }
    for sort, expected in orders.items():
        found = titles(nora.get(f"/tasks/?sort={sort}"))
        assert found[: len(expected)] == expected, sort
        assert len(found) == len(tasks)
    assert titles(nora.get(f"/tasks/?label={label.key}")) == ["never"]
    label.active = False
    label.save()
    assert titles(nora.get(f"/tasks/?label={label.key}")) == ["never"]
    for wrong in (
        "sort=title",
        "whose=ben",
        "status=OPEN",
        f"label={'0' * 32}",
        "label=%00",
        "after=x",
        f"after={'0' * 32}",
        "whose=all%00",
    ):
        assert titles(nora.get(f"/tasks/?{wrong}"))[:3] == orders["due"], wrong


def test_pages_go_on_where_they_ended_in_every_order(
    cast, signed_in, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr("tasks.views.listing.PAGE", 2)
    nora = signed_in("nora")
    for number in range(7):
        due, priority = (None, 5, 6)[number % 3], ("", "stat")[number % 2]
        make(
            title=f"t{number}",
            assignee=cast.nora,
            due=due and day(due),
            priority=priority,
        )
    for sort in ("due", "priority", "newest"):
        places = {
            "due": lambda task: task.due or day(31),
            "priority": lambda task: task.rank,
            "newest": lambda task: task.created,
        }
        found, address = [], f"/tasks/?sort={sort}"
        while address:
            page = nora.get(address)
            assert len(titles(page)) <= 2
            found += page.context["rows"]
            address = page.context["next"]
        assert len({task.pk for task in found}) == len(found) == 7, sort
        reverse = sort == "newest"
        assert found == sorted(found, key=places[sort], reverse=reverse)
    # A page goes on behind its last task even when somebody has ended it meanwhile.
    page = nora.get("/tasks/")
    last = page.context["rows"][-1]
    last.set_status("COMPLETED", cast.nora)
    last.save()
    assert titles(nora.get(page.context["next"]))[0] not in titles(page)


def test_the_list_costs_the_same_whatever_it_shows(
    cast, signed_in, django_assert_num_queries, django_assert_max_num_queries
):
    nora, label = signed_in("nora"), label_of("Urgent")
    make(assignee=cast.nora, patient=cast.ada).add_labels([label])
    nora.get("/tasks/")
    with django_assert_max_num_queries(26) as few:
        nora.get("/tasks/")
    team = team_of("Triage", cast.nora)
    for number in range(PAGE + 1):
        task = make(title=f"t{number}", patient=cast.ada, team=team, creator=cast.sam)
        task.add_labels([label])
    with django_assert_num_queries(len(few)):
        assert nora.get("/tasks/").context["next"]
    with django_assert_max_num_queries(18) as few:
        nora.get(f"/task/{task.key}/")
    for number in range(9):
        task.comments.create(author=cast.nora, text=f"c{number}")
    with django_assert_num_queries(len(few)):
        nora.get(f"/task/{task.key}/")
