"""Several tasks at once: what is passed over is said, and the rest is done."""

from datetime import timedelta

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import make_staff
from canvas_admin.tests.masking import masked
from canvas_admin.tests.signing_in import note_activity_ahead
from tasks import bulk
from tasks.models import TaskLabel
from tasks.tests.asking import (
    form_of,
    label_of,
    make,
    ticked,
    titles,
    together,
    undo_in,
)

NOBODY = "0123456789abcdef" * 2


def states(*tasks):
    for task in tasks:
        task.refresh_from_db()
    return [task.status for task in tasks]


@pytest.mark.parametrize(
    ("act", "status", "said"),
    [("complete", "COMPLETED", "completed"), ("close", "CLOSED", "closed")],
)
def test_tasks_are_ended_together_and_opened_again(cast, signed_in, act, status, said):
    nora = signed_in("nora")
    tasks = [make(title=f"t{n}", patient=cast.ada, assignee=cast.nora) for n in "123"]
    tasks.append(make(title="t4"))
    asked = together(nora, act, *tasks)
    assert all(f"t{n}" in asked.content.decode() for n in "1234")
    assert states(*tasks) == ["OPEN"] * 4
    done = together(nora, act, *tasks, decided="yes")
    assert f"4 tasks are {said}." in done.content.decode()
    assert states(*tasks) == [status] * 4
    assert tasks[3].ended_by == cast.nora
    assert titles(nora.get("/tasks/?whose=all")) == []
    ended = nora.get(f"/tasks/?whose=all&status={said}")
    assert sorted(titles(ended)) == ["t1", "t2", "t3", "t4"]
    tasks[0].save()
    undo = {"undo": undo_in(done)}
    other = signed_in("sam").post("/tasks/bulk/reopen/", undo, follow=True)
    assert "undone for 15 minutes" in other.content.decode()
    assert states(*tasks) == [status] * 4
    again = nora.post("/tasks/bulk/reopen/", undo, follow=True).content.decode()
    assert "3 tasks are open again." in again
    assert "1 task was changed meanwhile" in again
    assert states(*tasks) == [status, "OPEN", "OPEN", "OPEN"]
    assert sorted(titles(nora.get("/tasks/?whose=all"))) == ["t2", "t3", "t4"]


def test_undoing_ends_after_a_while(cast, signed_in, monkeypatch):
    nora, task = signed_in("nora"), make(patient=cast.ada)
    undo = undo_in(together(nora, "complete", task, decided="yes"))
    monkeypatch.setattr(bulk, "UNDO", timedelta(seconds=-1))
    for handle in (undo, undo[:-1], ""):
        answer = nora.post("/tasks/bulk/reopen/", {"undo": handle}, follow=True)
        assert "undone for 15 minutes" in answer.content.decode()
    assert states(task) == ["COMPLETED"]


def test_a_label_is_added_and_the_others_stay(cast, signed_in):
    nora, old, new = signed_in("nora"), label_of("Urgent"), label_of("Routine")
    tasks = [make(title=f"t{n}", patient=cast.ada) for n in "12"]
    tasks[0].add_labels([old])
    tasks[1].add_labels([new])
    editing = form_of(nora, f"/task/{tasks[0].key}/change/")
    done = together(nora, "label", *tasks, label=new.key, decided="yes")
    assert "1 task has the label “Routine” now." in done.content.decode()
    assert set(tasks[0].labels.all()) == {old, new}
    found = nora.get(f"/tasks/?whose=all&label={new.key}")
    assert sorted(titles(found)) == ["t1", "t2"]
    # Whoever was editing would have taken it off.
    page = nora.post(f"/task/{tasks[0].key}/change/", editing | {"title": "t1"})
    assert "Somebody saved this" in page.content.decode()
    TaskLabel.objects.filter(pk=new.pk).update(active=False)
    tasks[0].refresh_from_db()
    for wrong in (new.key, NOBODY, ""):
        answer = together(nora, "label", tasks[0], label=wrong, decided="yes")
        assert "Nothing was saved yet" in answer.content.decode()


def test_what_is_not_as_it_was_seen_is_passed_over_and_the_rest_is_done(
    cast, signed_in
):
    nora = signed_in("nora")
    fine, loose, ended, changed = (
        make(title=title, patient=patient)
        for title, patient in (
            ("fine", cast.ada),
            ("loose", None),
            ("over", cast.ada),
            ("other", cast.ada),
        )
    )
    hidden = make(title="Zebra", patient=cast.ben)
    chosen = [*ticked(fine, loose, ended, changed, hidden), f"{NOBODY}.1", "x\x00"]
    ended.set_status("COMPLETED", cast.sam)
    ended.save()
    changed.save()
    for decided in ({}, {"decided": "yes"}):
        data = {"act": "close", "task": chosen} | decided
        page = nora.post("/tasks/bulk/", data).content.decode()
        assert "It has ended meanwhile." in page
        assert "Somebody has changed it meanwhile." in page
        assert "3 tasks are not there." in page
        assert "Zebra" not in page
    assert "2 tasks are closed." in page
    tasks = (fine, loose, ended, changed, hidden)
    assert states(*tasks) == ["CLOSED", "CLOSED", "COMPLETED", "OPEN", "OPEN"]
    done = AuditRow.objects.filter(action="task.status", outcome="done")
    assert set(done.filter(patient="").values_list("subject", flat=True)) == {
        f"task/{fine.key}",
        f"task/{loose.key}",
    }
    about = done.exclude(patient="").values_list("patient", "access_path")
    assert list(about) == [(cast.ada.key, "patient-group")]


def test_whatever_is_not_the_person_s_to_see_is_answered_alike(cast, signed_in):
    nora, fine = signed_in("nora"), make(patient=cast.ada)
    hidden = make(patient=cast.ben)
    for act in ("assign", "complete", "close", "label"):
        answers = []
        for key in (hidden.key, NOBODY, cast.ben.key, "\x00" + "0" * 31):
            data = {"act": act, "task": [*ticked(fine), f"{key}.1"]}
            answers.append(masked(nora.post("/tasks/bulk/", data), key))
        assert answers[1:] == answers[:-1]
        assert b"1 task is not there." in answers[0][2]


def test_all_on_a_page_and_the_way_back(cast, signed_in):
    nora = signed_in("nora")
    tasks = [make(title=f"t{n}", patient=cast.ada) for n in "123"]
    page = nora.get("/tasks/?whose=unassigned&sort=newest").content.decode()
    origin = "?from=list&amp;whose=unassigned&amp;sort=newest"
    assert f'action="/tasks/bulk/{origin}"' in page
    for value in ticked(*tasks):
        assert f'name="shown" value="{value}"' in page
        assert f'name="task" value="{value}" form="bulk"' in page
    data = {"act": "close", "all": "on", "shown": ticked(*tasks)}
    asked = nora.post(f"/tasks/bulk/{origin.replace('&amp;', '&')}", data)
    assert [t.title for t in asked.context["found"].ready] == ["t1", "t2", "t3"]
    assert 'href="/tasks/?whose=unassigned&amp;sort=newest"' in asked.content.decode()
    assert 'id="bulk"' not in nora.get("/tasks/?status=closed").content.decode()


def test_a_wrong_choice_leads_back_with_a_sentence(cast, signed_in):
    nora, task = signed_in("nora"), make()
    many = [f"{number:032x}.1" for number in range(bulk.MOST + 1)]
    for data, said in (
        ({}, "Tick tasks"),
        ({"act": "complete"}, "Tick tasks"),
        ({"act": "burn", "task": ticked(task)}, "Tick tasks"),
        ({"act": "complete", "task": many}, "Choose 25 tasks at most."),
    ):
        answer = nora.post("/tasks/bulk/", data | {"decided": "yes"}, follow=True)
        assert said in answer.content.decode()
    assert states(task) == ["OPEN"]


def test_a_patient_who_has_left_the_reach_meanwhile_is_not_written_to(cast, signed_in):
    nora, task = signed_in("nora"), make(patient=cast.ada)
    together(nora, "complete", task)
    cast.north.remove(cast.ada)
    answer = together(nora, "complete", task, decided="yes").content.decode()
    assert "1 task is not there." in answer
    assert "Nothing is left to do" in answer
    assert states(task) == ["OPEN"]
    assert not AuditRow.objects.filter(action="task.status").exists()


@pytest.mark.parametrize(
    ("groups", "status"),
    [
        (("Tasking access", "Patients: North"), 200),
        (("Tasking access", "Patients: South"), 200),
        (("Clinical read", "Clinical write", "Patients: North"), 403),
        (("All Patients",), 403),
    ],
)
def test_right_and_reach_are_both_needed(cast, client, groups, status):
    task = make(patient=cast.ada)
    staff = make_staff("pat", *groups)
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    assert together(client, "close", task, decided="yes").status_code == status
    may = "Patients: North" in groups and status == 200
    assert states(task) == ["CLOSED" if may else "OPEN"]
    reopened = client.post("/tasks/bulk/reopen/", {"undo": "x"})
    assert reopened.status_code == (403 if status == 403 else 302)


@pytest.mark.parametrize("act", ["assign", "close"])
def test_looking_costs_the_same_whatever_is_chosen(
    cast, signed_in, django_assert_num_queries, django_assert_max_num_queries, act
):
    nora, label = signed_in("nora"), label_of("Urgent")
    note_activity_ahead(nora)
    task = make(patient=cast.ada, assignee=cast.sam)
    together(nora, act, task)
    with django_assert_max_num_queries(26) as few:
        together(nora, act, task)
    others = [cast.cyn, cast.ben, None]
    for patient in others[:2]:
        cast.north.add(patient)
    tasks = [make(patient=others[n % 3], team=None) for n in range(bulk.MOST)]
    for task in tasks:
        task.add_labels([label])
    with django_assert_num_queries(len(few)):
        assert len(together(nora, act, *tasks).context["found"].ready) == bulk.MOST
