"""FHIR Task: read, search, create, update (facts 3)."""

from datetime import UTC, datetime

import pytest

from canvas_admin.audit.models import AuditRow
from canvas_admin.fhir import paging, searching
from canvas_admin.testing import give, make_staff
from canvas_admin.tests.programs import FHIR_JSON, Program, ids, queries, said
from patients.search import narrow
from tasks.models import Task, TaskComment, TaskLabel
from tasks.tests.asking import label_of, make, team_of

GROUP = "http://schemas.canvasmedical.com/fhir/extensions/task-group"
DUE = datetime(2030, 5, 6, 9, 30, tzinfo=UTC)


@pytest.fixture
def program(cast):
    """A program with Tasking access that reaches North."""
    return Program(make_staff("bot", "Tasking access", "Patients: North"))


def minimal(cast, **fields):
    """The least that a Task says."""
    requester = {"reference": f"Practitioner/{cast.nora.key}"}
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "unknown",
        "description": "Call back",
        "requester": requester,
    } | fields


def test_a_task_is_read_as_it_is(cast, program):
    team = team_of("Payment Collection", cast.nora)
    task = make(
        patient=cast.ada,
        team=team,
        assignee=cast.sam,
        creator=cast.nora,
        priority="urgent",
        due=DUE,
        created=DUE,
    )
    task.add_labels([label_of("Urgent")])
    TaskComment.objects.create(task=task, author=cast.sam, text="Rang", written=DUE)
    found = program.read(f"Task/{task.externally_exposable_id}")
    assert found.pop("lastModified") > "2026"
    assert found.pop("extension") == [
        {
            "url": GROUP,
            "valueReference": {
                "reference": f"Group/{team.externally_exposable_id}",
                "type": "Group",
                "display": "Payment Collection",
            },
        },
        {
            "url": GROUP.replace("task-group", "task-permalink"),
            "valueString": f"http://testserver/task/{task.key}/",
        },
    ]
    nora = {"reference": f"Practitioner/{cast.nora.key}", "type": "Practitioner"}
    sam = {"reference": f"Practitioner/{cast.sam.key}", "type": "Practitioner"}
    assert found == {
        "resourceType": "Task",
        "id": str(task.externally_exposable_id),
        "status": "requested",
        "priority": "urgent",
        "description": "Call back",
        "for": {"reference": f"Patient/{cast.ada.key}", "type": "Patient"},
        "authoredOn": "2030-05-06T09:30:00+00:00",
        "requester": nora,
        "owner": sam,
        "intent": "unknown",
        "restriction": {"period": {"end": "2030-05-06T09:30:00+00:00"}},
        "note": [
            {
                "authorReference": sam,
                "time": "2030-05-06T09:30:00+00:00",
                "text": "Rang",
            }
        ],
        "input": [{"type": {"text": "label"}, "valueString": "Urgent"}],
    }


def test_a_task_without_anything_has_no_empty_elements(cast, program):
    task = make(title="", creator=cast.nora)
    found = program.read(f"Task/{task.externally_exposable_id}")
    assert {"owner", "for", "note", "input", "restriction", "priority"}.isdisjoint(
        found
    )
    assert "description" not in found


def test_what_is_out_of_reach_is_missing(cast, program):
    hidden = make(patient=cast.ben)
    missing = "00000000-0000-4000-8000-000000000000"
    for task in (str(hidden.externally_exposable_id), missing):
        text = f"Unknown Task resource '{task}'"
        assert said(program.get(f"Task/{task}")) == (404, "not-found", text)
        answer = program.update(f"Task/{task}", minimal(cast, id=task))
        assert said(answer) == (404, "not-found", text)
    for patient in (cast.ben.key, "0" * 32):
        answer = program.send(
            "POST",
            "Task",
            minimal(cast, **{"for": {"reference": f"Patient/{patient}"}}),
        )
        text = f"Unknown Patient resource '{patient}'"
        assert said(answer) == (422, "business-rule", text)
    assert program.bundle("Task", patient=f"Patient/{cast.ben.key}")["total"] == 0
    assert program.search("Task", _id=str(hidden.externally_exposable_id)) == []
    assert Task.objects.count() == 1


def test_without_tasking_access_nothing_is_open(cast):
    program = Program(make_staff("bot", "Clinical read", "All Patients"))
    task = make(patient=cast.ada)
    forbidden = (403, "forbidden", "Authorization failed")
    assert said(program.get("Task")) == forbidden
    assert said(program.get(f"Task/{task.externally_exposable_id}")) == forbidden
    assert said(program.send("POST", "Task", minimal(cast))) == forbidden
    assert AuditRow.objects.filter(
        action="fhir:Task.search", outcome="refused"
    ).exists()


def test_the_protocol_of_s1_moves_a_task(cast, program):
    """Facts 3.4: the task as found, with a second group and a label, and without notes."""
    before, after = team_of("Referrals"), team_of("Behavioral Health Coordinators")
    task = make(
        title="Refer patient to Psychiatry (TBD)",
        patient=cast.ada,
        team=before,
        creator=cast.nora,
    )
    task.add_labels([label_of("Routine")])
    TaskComment.objects.create(task=task, author=cast.nora, text="Please hurry")
    (found,) = program.search("Task", _id=str(task.externally_exposable_id))
    group = {
        "url": GROUP,
        "valueReference": {
            "reference": f"Group/{after.externally_exposable_id}",
            "display": after.name,
        },
    }
    label = {"type": {"text": "label"}, "valueString": "Internal Referral"}
    changed = found | {
        "extension": [*found["extension"], group],
        "input": [*found["input"], label],
    }
    changed = {k: v for k, v in changed.items() if k != "note"}
    answer = program.update(f"Task/{task.externally_exposable_id}", changed)
    assert (answer.status_code, answer.content) == (200, b"")
    task.refresh_from_db()
    assert (task.team, task.patient, task.title) == (
        after,
        cast.ada,
        found["description"],
    )
    assert sorted(map(str, task.labels.all())) == ["Internal Referral", "Routine"]
    assert [comment.text for comment in task.comments.all()] == ["Please hurry"]
    assert TaskLabel.objects.filter(name="Internal Referral").exists()


@pytest.mark.parametrize(
    ("element", "value_of", "kept"),
    [
        ("description", lambda t: t.title, ""),
        ("owner", lambda t: t.assignee, None),
        ("restriction", lambda t: t.due, None),
        ("priority", lambda t: t.priority, ""),
        ("input", lambda t: list(t.labels.all()), []),
        ("extension", lambda t: t.team.name, "Referrals"),
        ("for", lambda t: t.patient.first_name, "Ada"),
        ("authoredOn", lambda t: t.created, DUE),
    ],
)
def test_what_an_update_leaves_out(cast, program, element, value_of, kept):
    task = make(
        patient=cast.ada,
        team=team_of("Referrals"),
        assignee=cast.nora,
        creator=cast.nora,
        priority="stat",
        due=DUE,
        created=DUE,
    )
    task.add_labels([label_of("Routine")])
    path = f"Task/{task.externally_exposable_id}"
    found = program.read(path)
    assert program.update(path, found).status_code == 200
    whole = Task.objects.get()
    assert value_of(whole) not in ("", None, [])
    found.pop(element)
    assert program.update(path, found).status_code == 200
    assert value_of(Task.objects.get()) == kept


def test_every_note_of_an_update_is_one_more_comment(cast, program):
    task = make(creator=cast.nora)
    path = f"Task/{task.externally_exposable_id}"
    note = {
        "authorReference": {"reference": f"Practitioner/{cast.sam.key}"},
        "time": "2026-01-02T03:04:05Z",
        "text": "Done",
    }
    for _time in range(2):
        program.update(path, minimal(cast, id=path[5:], note=[note]))
    assert [(c.text, c.author) for c in task.comments.all()] == [("Done", cast.sam)] * 2
    bare = {"text": "Nobody"}
    answer = program.update(path, minimal(cast, note=[bare]))
    text = "body -> note -> 0 -> reference — Field required (type=missing)"
    assert said(answer) == (400, "invalid", text)
    assert task.comments.count() == 2


def test_a_task_is_made_whole(cast, program):
    team = team_of("Referrals")
    made = program.create(
        "Task",
        minimal(
            cast,
            **{"for": {"reference": f"Patient/{cast.ada.key}"}},
            owner={"reference": f"Practitioner/{cast.sam.key}"},
            extension=[
                {
                    "url": GROUP,
                    "valueReference": {
                        "reference": f"Group/{team.externally_exposable_id}"
                    },
                }
            ],
            priority="stat",
            restriction={"period": {"end": "2030-05-06T09:30:00Z"}},
            input=[{"type": {"text": "label"}, "valueString": "Urgent"}],
        ),
    )
    task = Task.objects.get(externally_exposable_id=made)
    assert (task.patient, task.assignee, task.team) == (cast.ada, cast.sam, team)
    assert (task.priority, task.due, task.creator) == ("stat", DUE, cast.nora)
    assert [label.name for label in task.labels.all()] == ["Urgent"]
    row = AuditRow.objects.get(action="task.create", patient=cast.ada.key)
    assert row.actor_name == "bot"


@pytest.mark.parametrize("again", [False, True])
def test_many_notes_and_labels_take_no_more_queries_than_few(cast, program, again):
    task = make(creator=cast.nora)
    staff = [make_staff(f"n{n}") for n in range(9)]

    def send(number):
        notes = [
            {
                "authorReference": {"reference": f"Practitioner/{each.key}"},
                "text": "Rang",
            }
            for each in staff[:number]
        ]
        labels = [
            {"type": {"text": "label"}, "valueString": f"Label {n} of {number}"}
            for n in range(number)
        ]
        data = minimal(cast, note=notes, input=labels)
        before = TaskComment.objects.count()
        if again:
            answer = program.update(f"Task/{task.externally_exposable_id}", data)
            assert answer.status_code == 200
        else:
            program.create("Task", data)
        last = TaskComment.objects.latest("pk").task
        assert TaskComment.objects.count() - before == last.labels.count() == number

    send(1)
    send(2)
    assert queries(send, 9) == queries(send, 3)


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ({"intent": "order"}, 400, "body -> intent"),
        ({"status": "draft"}, 400, "body -> status"),
        ({"priority": "asap"}, 400, "body -> priority"),
        ({"requester": None}, 400, "requester"),
        (
            {"requester": {"reference": "Practitioner/none"}},
            422,
            "Unknown Practitioner",
        ),
        ({"owner": {"reference": "Group/none"}}, 400, "is not Practitioner/<id>"),
        ({"description": "x" * 501}, 400, "characters are too many"),
        ({"restriction": {"period": {"end": "2030-13-01"}}}, 400, "body"),
        ({"input": [{"type": {"text": "label"}, "valueString": " "}]}, 400, "label"),
        (
            {"input": [{"type": {"text": "label"}, "valueString": "Old"}]},
            422,
            "inactive",
        ),
        ({"unheardOf": 1}, 400, "body -> unheardOf"),
        ({"resourceType": "Patient"}, 400, "resourceType"),
    ],
)
def test_what_cannot_be_is_refused_whole(cast, program, change, status, text):
    TaskLabel.objects.create(name="Old", active=False)
    data = {k: v for k, v in (minimal(cast) | change).items() if v is not None}
    got, _code, why = said(program.send("POST", "Task", data))
    assert (got, text in why) == (status, True), why
    assert not Task.objects.exists()
    assert not TaskLabel.objects.filter(name=" ").exists()


def test_a_task_stays_with_its_patient(cast, program):
    give(cast.max, "Tasking access")
    task = make(patient=cast.ada, creator=cast.nora)
    loose = make(creator=cast.nora)
    to_ben = minimal(cast, **{"for": {"reference": f"Patient/{cast.ben.key}"}})
    full = Program(cast.max)
    answer = full.update(f"Task/{task.externally_exposable_id}", to_ben)
    assert said(answer) == (422, "business-rule", "A task stays with its patient")
    path = f"Task/{loose.externally_exposable_id}"
    assert said(program.update(path, to_ben))[0] == 422
    assert full.update(path, to_ben).status_code == 200
    assert Task.objects.get(pk=loose.pk).patient == cast.ben
    assert Task.objects.get(pk=task.pk).patient == cast.ada


def test_an_older_view_of_a_task_changes_nothing(cast, program):
    task = make(creator=cast.nora)
    path = f"Task/{task.externally_exposable_id}"
    seen = program.get(path)
    program.update(path, minimal(cast, description="First"))
    late = {"if-match": seen["ETag"]}
    conflict = (
        412,
        "conflict",
        "Resource updated since If-Unmodified-Since date",
    )
    assert said(program.update(path, minimal(cast), **late)) == conflict
    since = {"if-unmodified-since": "Sat, 21 Nov 2020 10:00:00 GMT"}
    assert said(program.update(path, minimal(cast), **since)) == conflict
    now = {"if-unmodified-since": program.get(path)["Last-Modified"]}
    assert program.update(path, minimal(cast), **now).status_code == 200


def test_searches_find_what_they_ask_for(cast, program):
    team = team_of("Referrals")
    one = make(
        title="Call Müller",
        patient=cast.ada,
        creator=cast.nora,
        assignee=cast.sam,
        priority="stat",
        due=DUE,
    )
    one.add_labels([label_of("Urgent")])
    two = make(title="Order gloves", creator=cast.sam, team=team)
    two.set_status("COMPLETED", cast.sam)
    two.save()
    make(patient=cast.ben, assignee=cast.sam)
    ones, twos = str(one.externally_exposable_id), str(two.externally_exposable_id)
    for query, wanted in [
        ({}, [ones, twos]),
        ({"_id": ones}, [ones]),
        ({"_id": f"Task/{twos},{ones}"}, [ones, twos]),
        ({"status": "requested"}, [ones]),
        ({"status": "completed,requested"}, [ones, twos]),
        ({"status:not": "requested"}, [twos]),
        ({"status": "draft"}, []),
        ({"description": "call mull"}, [ones]),
        ({"description": "muller"}, []),
        ({"description:exact": "Call Müller"}, [ones]),
        ({"label": "Urgent"}, [ones]),
        ({"label:not": "Urgent"}, [twos]),
        ({"owner": f"Practitioner/{cast.sam.key}"}, [ones]),
        ({"owner:missing": "true"}, [twos]),
        ({"requester": cast.nora.key}, [ones]),
        ({"patient": cast.ada.key}, [ones]),
        ({"patient:missing": "true"}, [twos]),
        ({"priority": "stat"}, [ones]),
        ({"due": "2030-05-06"}, [ones]),
        ({"due": "ge2030-05-06T09:31"}, []),
        ({"due": ["ge2030", "lt2031"]}, [ones]),
        ({"due:missing": "false"}, [ones]),
        ({"modified": "gt2020"}, [ones, twos]),
        ({"modified": "lt2020"}, []),
        ({"nobody-knows": "this"}, [ones, twos]),
    ]:
        found = ids(program.search("Task", **query))
        assert sorted(found) == sorted(wanted), query
    assert ids(program.search("Task", _sort="due-date")) == [ones, twos]
    backwards = ids(program.search("Task", _sort="-_id"))
    assert backwards == sorted([ones, twos], reverse=True)


@pytest.mark.parametrize(
    "query",
    [
        {"due": "tomorrow"},
        {"due": "2030-02-30"},
        {"status:above": "requested"},
        {"_sort": "title"},
        {"_count": "many"},
        {"_offset": "-1"},
        {"_offset": "10001"},
        {"_cursor": "made-up"},
        {"owner:missing": "perhaps"},
        {"description": "a\x00b"},
        {"_include": "Task:nothing"},
        {"_format": "xml"},
        {"patient.colour": "red"},
        {"status.patient": "x"},
    ],
)
def test_bad_searches_are_told_why(program, query):
    status, code, text = said(program.get("Task", query))
    assert (status, code) == (400, "invalid")
    assert text


def test_pages_follow_each_other_by_their_links(cast, program):
    made = {str(make(creator=cast.nora).externally_exposable_id) for _n in range(5)}
    for accept in ("application/json", FHIR_JSON):
        reader = Program(cast.nora, accept)
        bundle, found = reader.bundle("Task", _count="2"), []
        assert bundle["total"] == 5
        while True:
            found += [entry["resource"]["id"] for entry in bundle["entry"]]
            links = {link["relation"]: link["url"] for link in bundle["link"]}
            assert {"self", "first"} <= links.keys()
            if "next" not in links:
                break
            before = "http://testserver/fhir" if accept == FHIR_JSON else ""
            path = links["next"].removeprefix(before)
            assert path.startswith("/Task?"), path
            bundle = reader.get(path[1:]).json()
        assert sorted(found) == sorted(made)
    empty = program.bundle("Task", _id="none")
    assert empty == {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 0,
        "entry": [],
    }


@pytest.mark.parametrize("furthest", [10_000, 2])
@pytest.mark.parametrize("some", [searching.SOME, 2])
@pytest.mark.parametrize("most", [narrow.NARROW, 0])
def test_a_narrow_reach_finds_in_order_what_is_about_nobody_too(
    cast, program, monkeypatch, furthest, most, some
):
    monkeypatch.setattr(paging, "FURTHEST", furthest)
    monkeypatch.setattr(searching, "SOME", some)
    monkeypatch.setattr(narrow, "NARROW", most)
    about = [cast.ada, None, None, cast.cyn, cast.ada, None, cast.cyn, cast.ada]
    due = [3, 1, None, 2, None, 5, 4, 1]
    made = [
        make(patient=patient, due=day and DUE.replace(day=day))
        for patient, day in zip(about, due, strict=True)
    ]
    wanted = [made[n] for n in (1, 7, 0, 5, 2, 4)]
    bundle, found = program.bundle("Task", _sort="due-date", _count="2"), []
    assert bundle["total"] == len(wanted)
    while len(found) < len(wanted):
        found += [entry["resource"]["id"] for entry in bundle["entry"]]
        onward = [e["url"] for e in bundle["link"] if e["relation"] == "next"]
        if not onward:
            break
        bundle = program.get(onward[0][1:]).json()
    assert found == [str(task.externally_exposable_id) for task in wanted]
