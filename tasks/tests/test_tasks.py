"""The life of a task: made, read, changed, commented, ended, opened again (facts 3)."""

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.testing import give, make_staff
from tasks.models import Task, TaskComment
from tasks.tests.asking import address, form_of, label_of, make, send, titles


def test_a_task_about_a_patient_is_made_and_read(cast, signed_in):
    nora, label = signed_in("nora"), label_of("Urgent")
    new = f"/patient/{cast.ada.key}/tasks/new/"
    assert f'href="{new}"' in nora.get(f"/patient/{cast.ada.key}/").content.decode()
    assert (
        f'href="{new}"'
        in nora.get(f"/patient/{cast.ada.key}/profile/").content.decode()
    )
    answer = send(
        nora,
        new,
        title="Call about the results",
        due="2030-05-06T09:30",
        priority="stat",
        labels=[label.key],
        assignee=cast.nora.key,
    )
    task = Task.objects.get()
    assert answer["Location"] == address(task)
    assert (task.patient, task.creator, task.assignee) == (
        cast.ada,
        cast.nora,
        cast.nora,
    )
    assert task.assigned_at is not None
    page = nora.get(address(task)).content.decode()
    for said in (
        "Call about the results",
        "Ada Alvarez",
        "6 May 2030",
        "Stat",
        "Urgent",
        "Nora Example",
    ):
        assert said in page, said
    assert titles(nora.get("/tasks/")) == ["Call about the results"]


def test_a_task_about_no_patient_is_everybody_s_to_see(cast, signed_in):
    send(signed_in("nora"), "/tasks/new/", title="Order gloves")
    task = Task.objects.get()
    assert (task.patient, task.holder) == (None, None)
    assert signed_in("sam").get(address(task)).status_code == 200
    assert titles(signed_in("sam").get("/tasks/?whose=unassigned")) == ["Order gloves"]
    assert signed_in("nil").get(address(task)).status_code == 403
    assert not Task.objects.visible_to(cast.ines.user).exists()
    assert not Task.objects.visible_to(cast.anonymous).exists()
    comment = task.comments.create(author=cast.nora, text="Size M")
    assert TaskComment.objects.visible_to(cast.sam.user).get() == comment
    assert not TaskComment.objects.visible_to(cast.ines.user).exists()


def test_a_task_is_edited_and_keeps_what_it_has(cast, signed_in):
    nora, old = signed_in("nora"), label_of("Routine")
    task = make(patient=cast.ada, team=None, assignee=cast.nora)
    task.add_labels([old])
    old.active = False
    old.save()
    new = label_of("Urgent")
    page = nora.get(address(task, "change/")).content.decode()
    assert old.key in page, "an inactive label stays on the tasks that have it"
    assert old.key not in nora.get("/tasks/new/").content.decode()
    send(
        nora,
        address(task, "change/"),
        title="Call again",
        labels=[old.key, new.key],
        priority="urgent",
    )
    task.refresh_from_db()
    assert (task.title, task.priority, task.assignee) == (
        "Call again",
        "urgent",
        cast.nora,
    )
    assert set(task.labels.all()) == {old, new}
    send(nora, address(task, "change/"), title="Call again")
    assert not task.labels.exists()


def test_a_change_by_another_is_not_overwritten(cast, signed_in):
    nora, task = signed_in("nora"), make(patient=cast.ada)
    data = form_of(nora, address(task, "change/")) | {"title": "Mine"}
    task.title = "Theirs"
    task.save()
    page = nora.post(address(task, "change/"), data).content.decode()
    assert "Somebody saved this" in page
    assert "saved is “Theirs”" in page
    task.refresh_from_db()
    assert task.title == "Theirs"
    data = form_of(nora, address(task, "hand-over/")) | {"assignee": cast.nora.key}
    task.save()
    page = nora.post(address(task, "hand-over/"), data).content.decode()
    assert "Somebody saved this" in page
    task.refresh_from_db()
    assert task.assignee is None


def test_a_task_ends_and_is_opened_again(cast, signed_in):
    nora, task = signed_in("nora"), make(patient=cast.ada, assignee=cast.nora)
    for status, tab in (("COMPLETED", "completed"), ("CLOSED", "closed")):
        version = form_of(nora, address(task))["form_version"]
        answer = nora.post(
            address(task, "status/"), {"status": status, "form_version": version}
        )
        assert answer.status_code == 302
        task.refresh_from_db()
        assert (task.status, task.ended_by) == (status, cast.nora)
        assert titles(nora.get("/tasks/")) == []
        assert titles(nora.get(f"/tasks/?status={tab}")) == ["Call back"]
        for page in ("change/", "hand-over/"):
            assert nora.get(address(task, page))["Location"] == address(task)
        assert nora.post(address(task, "claim/")).status_code == 409
        stale = {"status": "OPEN", "form_version": version}
        assert nora.post(address(task, "status/"), stale).status_code == 409
        fresh = {"status": "OPEN", "form_version": str(task.version)}
        assert nora.post(address(task, "status/"), fresh).status_code == 302
        task.refresh_from_db()
        assert (task.is_open, task.ended, task.ended_by) == (True, None, None)
    for wrong in ("", "open", "DELETED"):
        answer = nora.post(address(task, "status/"), {"status": wrong})
        assert answer.status_code == 400


def test_comments_count_as_a_change_and_are_in_nobody_s_way(cast, signed_in):
    nora, task = signed_in("nora"), make(patient=cast.ada)
    before = (task.version, task.modified)
    data = form_of(nora, address(task)) | {"text": "Left a message\nTry at noon"}
    for _twice in range(2):
        assert nora.post(address(task, "comment/"), data).status_code == 302
    comment = task.comments.get()
    assert (comment.author, comment.text) == (cast.nora, "Left a message\nTry at noon")
    page = nora.get(address(task)).content.decode()
    assert "Left a message<br>Try at noon" in page
    task.refresh_from_db()
    assert task.version == before[0]
    assert task.modified > before[1]
    for number in range(30):
        task.comments.create(author=cast.nora, text=f"Comment {number}")
    page = nora.get(address(task))
    assert len(page.context["rows"]) == 25
    older = nora.get(f"{address(task)}?after={page.context['next']}")
    assert [row.text for row in older.context["rows"]][-1].startswith("Left a message")


BAD = {
    "title": ["", " ", "x" * 501, "a\x00b", "a\u202eb"],
    "due": ["soon", "0001-01-01T00:00", "9999-12-31T23:59", "2026-02-30T10:00"],
    "priority": ["high"],
    "labels": ["x", "0" * 32],
    "assignee": ["1", "0" * 32, "\x00"],
    "team": ["1", "0" * 32],
    "form_token": ["", "short"],
}


def test_bad_input_says_what_is_wrong_and_saves_nothing(cast, signed_in):
    nora = signed_in("nora")
    good = form_of(nora, "/tasks/new/") | {"title": "Order gloves"}
    for field, texts in BAD.items():
        for text in texts:
            answer = nora.post("/tasks/new/", good | {field: text})
            assert answer.status_code == 200, (field, text)
            assert "Nothing was saved yet" in answer.content.decode(), (field, text)
    assert not Task.objects.exists()
    task = make()
    for text in ("", "  \n ", "a\x07b", "x" * 5001):
        data = form_of(nora, address(task)) | {"text": text}
        answer = nora.post(address(task, "comment/"), data)
        assert "Nothing was saved yet" in answer.content.decode()
    assert not task.comments.exists()


def test_one_form_makes_one_task(cast, signed_in):
    nora = signed_in("nora")
    data = form_of(nora, "/tasks/new/") | {"title": "Order gloves"}
    first, second = (nora.post("/tasks/new/", data) for _time in range(2))
    assert first["Location"] == second["Location"] == address(Task.objects.get())


# Who may do what: the groups, and whether ada is within reach.
MATRIX = [
    (("Tasking access", "Patients: North"), True),
    (("Tasking access", "All Patients"), True),
    (("Tasking access", "Patients: South"), False),
    (("Tasking access",), False),
    (("Clinical read", "Clinical write", "Profile write", "Patients: North"), False),
    (("All Patients",), False),
]
READ = ("", "change/", "hand-over/")
WRITE = ("change/", "hand-over/", "claim/", "status/", "comment/")


@pytest.mark.parametrize(("groups", "may"), MATRIX)
def test_right_and_reach_are_both_needed_for_every_act(cast, client, groups, may):
    task = make(patient=cast.ada)
    staff = make_staff("pat", *groups)
    client.force_login(staff.user, backend="staffing.backends.StaffBackend")
    new = f"/patient/{cast.ada.key}/tasks/new/"
    pages = [new, *(address(task, page) for page in READ)]
    assert {client.get(page).status_code for page in pages} == {200 if may else 403}
    if not may:
        for page in [new, *(address(task, page) for page in WRITE)]:
            data = {"title": "x", "text": "x", "status": "CLOSED", "form_version": "1"}
            assert client.post(page, data).status_code == 403, page
        task.refresh_from_db()
        assert (task.title, task.status, task.version) == ("Call back", "OPEN", 1)
        assert Task.objects.count() == 1
        assert not task.comments.exists()


def test_every_act_is_on_the_trail_without_a_word_of_the_task(cast, signed_in):
    nora, task = signed_in("nora"), make(patient=cast.ada, title="Secret title")
    nora.get("/tasks/?whose=all")
    nora.post(address(task, "claim/"))
    send(nora, address(task, "change/"), title="Secret too")
    data = form_of(nora, address(task)) | {"text": "Secret comment"}
    nora.post(address(task, "comment/"), data)
    rows = AuditRow.objects.filter(patient=cast.ada.key)
    assert {
        "tasks",
        "task",
        "task.form",
        "task.claim",
        "task.change",
        "task.comment",
    } <= set(rows.values_list("action", flat=True))
    ours = rows.filter(action__startswith="task")
    assert set(ours.values_list("access_path", flat=True)) == {"patient-group"}
    assert "Secret" not in str(list(AuditRow.objects.values()))
    sam = signed_in("sam")
    assert sam.get(address(task)).status_code == 403
    refused = AuditRow.objects.filter(outcome="refused").latest("pk")
    assert refused.detail == {"about": f"task/{task.key}"}


def test_whoever_may_only_find_patients_has_no_link_to_tasks(cast, signed_in):
    olga = signed_in("olga")
    give(cast.olga, "Patients: North")
    assert 'href="/tasks/"' not in olga.get("/patients/").content.decode()
    profile = olga.get(f"/patient/{cast.ada.key}/profile/").content.decode()
    assert "tasks/new/" not in profile
    assert 'href="/tasks/"' in signed_in("nora").get("/patients/").content.decode()
