"""Handing several tasks over: how many of the people will see each is said before (S2)."""

from canvas_admin.testing import give
from tasks.tests.asking import confirmation_in, make, team_of, titles, together


def test_a_person_gets_tasks_as_if_taken_and_a_team_gets_them_from_their_people(
    cast, signed_in
):
    nora, team = signed_in("nora"), team_of("North", cast.nora)
    other = team_of("Others", cast.nora)
    tasks = [
        make(title="of a team", patient=cast.ada, team=team),
        make(title="nobody's", patient=cast.ada),
        make(title="mine", patient=cast.ada, assignee=cast.nora),
    ]
    done = together(nora, "assign", *tasks, assignee=cast.nora.key, decided="yes")
    page = done.content.decode()
    assert "2 tasks are handed to Nora Example." in page
    assert "It was so before" in page
    for task in tasks:
        task.refresh_from_db()
    assert [(t.assignee, t.team) for t in tasks] == [
        (cast.nora, team),
        (cast.nora, None),
        (cast.nora, None),
    ]
    done = together(nora, "assign", *tasks, team=other.key, decided="yes")
    assert "3 tasks are handed to Others." in done.content.decode()
    for task in tasks:
        task.refresh_from_db()
    assert {(t.assignee, t.team) for t in tasks} == {(None, other)}
    assert len(titles(nora.get("/tasks/"))) == 3
    wrong = together(nora, "assign", *tasks, decided="yes").content.decode()
    assert "Choose a person or a team." in wrong


def test_each_choice_says_how_many_of_the_tasks_they_will_see(cast, signed_in):
    nora = signed_in("nora")
    team_of("Triage", cast.nora, cast.sam)
    tasks = [make(patient=cast.ada), make()]
    page = together(nora, "assign", *tasks).content.decode()
    every, some, none = (
        page.index(f'label="Will see {what} of them"')
        for what in ("all", "some", "none")
    )
    assert every < page.index(">Nora Example<") < some
    assert some < page.index("Sam Example (1 of 2)") < none
    assert none < page.index(">Olga Example<")
    assert "Triage (1 of 2 will see all of them)" in page


def test_people_of_whom_not_all_see_all_ask_for_a_confirmation(cast, signed_in):
    nora = signed_in("nora")
    team = team_of("Triage", cast.nora, cast.sam)
    about_ada, loose = make(title="about ada", patient=cast.ada), make(title="loose")
    data = {"team": team.key, "decided": "yes"}
    asked = together(nora, "assign", about_ada, loose, **data)
    page = asked.content.decode()
    assert "Not everybody to whom they go" in page
    assert "1 of 2 will see it" in page
    assert page.count("will see it</li>") == 1
    about_ada.refresh_from_db()
    assert about_ada.team is None
    # It is good for these tasks, in these versions, and for these people alone.
    data |= {"confirmation": confirmation_in(asked)}
    fewer = together(nora, "assign", about_ada, **data)
    assert "Assign all the same" in fewer.content.decode()
    done = together(nora, "assign", about_ada, loose, **data)
    assert "2 tasks are handed to Triage." in done.content.decode()
    for task in (about_ada, loose):
        task.refresh_from_db()
        assert (task.team, task.assignee) == (team, None)
    empty = team_of("Nobody")
    page = together(nora, "assign", loose, team=empty.key, decided="yes")
    assert "“Nobody” has no members" in page.content.decode()


def test_whoever_sees_all_gets_them_at_once(cast, signed_in):
    give(cast.sam, "Patients: North")
    give(cast.nora, "Patients: South")
    tasks = [make(patient=cast.ada), make(patient=cast.ben), make()]
    done = together(
        signed_in("nora"), "assign", *tasks, assignee=cast.sam.key, decided="yes"
    )
    assert "3 tasks are handed to Sam Example." in done.content.decode()
    assert len(titles(signed_in("sam").get("/tasks/"))) == 3
