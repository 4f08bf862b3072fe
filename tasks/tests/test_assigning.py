"""S2: "It is critical to ensure that important clinical data like new lab results are not
assigned to staff who do not have access to the patient." Assigning says so before it saves.
"""

from canvas_admin.testing import give
from tasks.models import Task
from tasks.tests.asking import address, confirmation_in, form_of, make, send, team_of


def test_each_choice_says_beforehand_who_will_see_it(cast, signed_in):
    team = team_of("Triage", cast.nora, cast.sam, cast.ines)
    task = make(patient=cast.ada)
    page = signed_in("nora").get(address(task, "hand-over/")).content.decode()
    assert "Triage (1 of 2 will see it)" in page
    will, _separator, will_not = page.partition('<optgroup label="Will not see it">')
    assert "Nora Example" in will
    assert "Sam Example" in will_not
    assert cast.ines.key not in page
    give(cast.sam, "Patients: North")
    page = signed_in("nora").get(address(task, "hand-over/")).content.decode()
    assert "Triage (2 of 2 will see it)" in page
    assert team.key in page


def test_whoever_all_see_it_get_it_at_once(cast, signed_in):
    nora, task = signed_in("nora"), make(patient=cast.ada)
    team = team_of("North", cast.nora)
    assert send(nora, address(task, "hand-over/"), team=team.key).status_code == 302
    task.refresh_from_db()
    assert (task.team, task.assignee) == (team, None)
    since = task.assigned_at
    send(nora, address(task, "hand-over/"), team=team.key)
    task.refresh_from_db()
    assert task.assigned_at == since
    send(nora, address(task, "hand-over/"))
    task.refresh_from_db()
    assert (task.holder, task.assigned_at) == (None, None)


def test_people_of_whom_not_all_see_it_ask_for_a_confirmation(cast, signed_in):
    nora, task = signed_in("nora"), make(patient=cast.ada)
    some = team_of("Triage", cast.nora, cast.sam)
    none, empty = team_of("South", cast.sam), team_of("Nobody")
    hand_over = address(task, "hand-over/")
    said = {
        ("team", some.key): "1 of 2 people in “Triage” will see this",
        ("team", none.key): "Nobody in “South” will see this",
        ("team", empty.key): "“Nobody” has no members",
        ("assignee", cast.sam.key): "Sam Example will not see this",
    }
    for (field, key), sentence in said.items():
        data = form_of(nora, hand_over) | {field: key}
        page = nora.post(hand_over, data)
        assert sentence in page.content.decode()
        task.refresh_from_db()
        assert task.holder is None
        # It is good for these people alone, and for this version.
        data |= {"confirmation": confirmation_in(page)}
        other = cast.olga.key if field == "team" else cast.max.key
        wrong = nora.post(hand_over, data | {"assignee": other})
        assert "Assign all the same" in wrong.content.decode()
        assert nora.post(hand_over, data).status_code == 302
        task.refresh_from_db()
        assert key in (task.team and task.team.key, task.assignee and task.assignee.key)
        assert "Somebody saved this" in nora.post(hand_over, data).content.decode()
        task.hand_to()
        task.save()


def test_a_new_task_asks_as_well_and_is_made_once(cast, signed_in):
    nora, new = signed_in("nora"), f"/patient/{cast.ada.key}/tasks/new/"
    data = form_of(nora, new) | {"title": "Call", "assignee": cast.sam.key}
    page = nora.post(new, data)
    assert "Sam Example will not see this" in page.content.decode()
    assert not Task.objects.exists()
    data |= {"confirmation": confirmation_in(page)}
    for _twice in range(2):
        assert nora.post(new, data).status_code == 302
    task = Task.objects.get()
    assert task.assignee == cast.sam
    # S2: what is assigned to staff out of reach is not visible to them.
    assert signed_in("sam").get(address(task)).status_code == 403


def test_without_a_patient_the_right_alone_is_asked(cast, signed_in):
    page = signed_in("nora").get("/tasks/new/").content.decode()
    will, _separator, will_not = page.partition('<optgroup label="Will not see it">')
    assert "Sam Example" in will
    assert "Olga Example" in will_not


def test_an_edit_asks_nothing_about_whom_it_was_given_to(cast, signed_in):
    task = make(patient=cast.ada, assignee=cast.sam)
    answer = send(signed_in("nora"), address(task, "change/"), title="Call again")
    assert answer.status_code == 302
    # Whoever has it stays a choice, even after leaving.
    cast.sam.active = False
    cast.sam.save()
    page = signed_in("nora").get(address(task, "hand-over/")).content.decode()
    assert f'value="{cast.sam.key}" selected' in page
    assert (
        send(
            signed_in("nora"), address(task, "hand-over/"), assignee=cast.sam.key
        ).status_code
        == 302
    )
